/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libselinux, loaded when it is first needed: only where the kernel has SELinux. It brings a library of regular
 * expressions and reads files when it is loaded, which every start of every program would pay for otherwise.
 */
#include "sys/selinux_load.h"

#include <dlfcn.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/vfs.h>

#define SELINUX_FS  "/sys/fs/selinux"
#define SELINUX_LIB "libselinux.so.1"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct ctr__selinux_lib lib;
static bool loaded;

static bool find(void *handle, const char *name, void *to)
{
	void *sym = dlsym(handle, name);

	*(void **)to = sym;
	return sym != NULL;
}

/* Never closed: it is there as long as we are. */
static void load(void)
{
	void *handle = dlopen(SELINUX_LIB, RTLD_NOW | RTLD_LOCAL);

	loaded = handle && find(handle, "is_selinux_enabled", (void *)&lib.is_enabled) &&
	         find(handle, "security_check_context", (void *)&lib.check_context) &&
	         find(handle, "lsetfilecon", (void *)&lib.set_file_label) &&
	         find(handle, "selinux_lxc_contexts_path", (void *)&lib.contexts_path);
}

const struct ctr__selinux_lib *ctr__selinux_lib(void)
{
	pthread_once(&once, load);
	return loaded ? &lib : NULL;
}

bool ctr__selinux_in_kernel(void)
{
	struct statfs fs;

	return statfs(SELINUX_FS, &fs) == 0 && (unsigned long)fs.f_type == SELINUX_MAGIC;
}
