/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container as a table. */
#ifndef LIBCTR_CORE_TOP_H
#define LIBCTR_CORE_TOP_H

#include <libctr/stats.h>

#include "core/container.h"
#include "sys/proc_info.h"
#include "sys/users.h"

struct ctr_top {
	struct ctr__arena arena;
	size_t columns, rows;
	const char **titles;
	const char **cells; /* row by row */
};

int ctr__top(
    struct ctr_container *c, const char *const *columns, struct ctr_top **out, ctr_error_t **err);
void ctr__top_free(struct ctr_top *t);

/* ---- top_cells.c ---- */

/* What cells are made from. */
struct ctr__top_look {
	struct ctr__proc_info *v; /* in the order of their PIDs (the first `sorted` of them) */
	size_t sorted;
	size_t n;
	struct ctr__users users, host_users;
	int64_t boot_ns; /* time since boot  */
	int64_t now_ns;  /* time of the day  */
	int64_t tick_ns; /* of a clock tick  */
};

struct ctr__top_column {
	const char *name, *title;
	void (*print)(
	    const struct ctr__top_look *l, const struct ctr__proc_info *p, struct ctr__buf *out);
};
/* NULL: there is no such column. */
const struct ctr__top_column *ctr__top_column(const char *name);
extern const char *const ctr__top_default_columns[];

/* The one with this PID, of those that are sorted; NULL = none. */
const struct ctr__proc_info *ctr__top_find(const struct ctr__top_look *l, pid_t pid);

/* Go's time.Duration as text: "1h2m3.5s", "20ms", "0s". */
void ctr__top_print_duration(int64_t ns, struct ctr__buf *out);
/* Text of somebody else's as one line of UTF-8: what is not, and control characters, become "?". */
void ctr__top_print_text(const char *s, size_t len, struct ctr__buf *out);

#endif
