/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroup hierarchies are mounted, for lib/sys only. */
#ifndef LIBCTR_SYS_HIERARCHIES_H
#define LIBCTR_SYS_HIERARCHIES_H

#include <stdbool.h>
#include <stddef.h>

struct ctr__hierarchy {
	char *mount; /* mount point */
	bool v2;
};

struct ctr__hierarchies {
	struct ctr__hierarchy *v;
	size_t count;
};

/* Those mounted on `below` or below it. 0 or -errno. */
int ctr__hierarchies_read(const char *below, struct ctr__hierarchies *out);
void ctr__hierarchies_free(struct ctr__hierarchies *h);

/* The same from the text of a mountinfo file, which is changed. */
int ctr__hierarchies_parse(char *mountinfo, const char *below, struct ctr__hierarchies *out);

#endif
