/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsystemd, loaded when the first journal is read: it brings three libraries of compression and one of cryptography,
 * which every start of every program would pay for otherwise.
 */
#include "log/journal_load.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

#define SYSTEMD_LIB "libsystemd.so.0"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct ctr__journal_lib lib;
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
	void *handle = dlopen(SYSTEMD_LIB, RTLD_NOW | RTLD_LOCAL);

	loaded = handle && find(handle, "sd_journal_open", (void *)&lib.open) &&
	         find(handle, "sd_journal_close", (void *)&lib.close) &&
	         find(handle, "sd_journal_add_match", (void *)&lib.add_match) &&
	         find(handle, "sd_journal_seek_head", (void *)&lib.seek_head) &&
	         find(handle, "sd_journal_seek_tail", (void *)&lib.seek_tail) &&
	         find(handle, "sd_journal_seek_cursor", (void *)&lib.seek_cursor) &&
	         find(handle, "sd_journal_get_cursor", (void *)&lib.get_cursor) &&
	         find(handle, "sd_journal_next", (void *)&lib.next) &&
	         find(handle, "sd_journal_previous_skip", (void *)&lib.previous_skip) &&
	         find(handle, "sd_journal_get_data", (void *)&lib.get_data) &&
	         find(handle, "sd_journal_get_realtime_usec", (void *)&lib.get_realtime_usec) &&
	         find(handle, "sd_journal_set_data_threshold", (void *)&lib.set_data_threshold) &&
	         find(handle, "sd_journal_get_fd", (void *)&lib.get_fd) &&
	         find(handle, "sd_journal_process", (void *)&lib.process);
}

const struct ctr__journal_lib *ctr__journal_lib(void)
{
	pthread_once(&once, load);
	return loaded ? &lib : NULL;
}
