/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers around directories, for lib/sys only. */
#ifndef LIBCTR_SYS_DIRENT_UTIL_H
#define LIBCTR_SYS_DIRENT_UTIL_H

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "util/cleanup.h"

static inline void ctr__cleanup_dir(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	errno = saved;
}

#define CTR__DIR CTR__CLEANUP(ctr__cleanup_dir)

static inline bool ctr__is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Is it the name of something in a directory, and nothing else? */
static inline bool ctr__is_component(const char *name)
{
	return name && *name && !strchr(name, '/') && !ctr__is_dot(name);
}

#endif
