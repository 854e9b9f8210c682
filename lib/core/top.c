/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes a container has, and the table of them. */
#include "core/top.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/stats.h"
#include "sys/cgroup.h"
#include "util/cleanup.h"
#include "util/clock.h"

void ctr__top_free(struct ctr_top *t)
{
	if (!t)
		return;
	ctr__arena_free(&t->arena);
	free(t);
}

static void top_freep(struct ctr_top **t)
{
	ctr__top_free(*t);
}

static void look_free(struct ctr__top_look *l)
{
	for (size_t i = 0; i < l->n; i++)
		ctr__proc_info_free(&l->v[i]);
	free(l->v);
	ctr__users_free(&l->users);
	ctr__users_free(&l->host_users);
}

/* ---- processes ---- */

struct gathering {
	struct ctr__top_look *l;
	size_t cap; /* of l->v */
	const struct ctr__run *run;
	struct ctr__pids children;
};

static void gathering_free(struct gathering *g)
{
	ctr__pids_free(&g->children);
}

static int make_room(struct gathering *g)
{
	size_t cap = g->cap ? 2 * g->cap : 16;
	struct ctr__proc_info *v;

	if (g->l->n < g->cap)
		return 0;
	v = reallocarray(g->l->v, cap, sizeof(*v));
	if (!v)
		return -ENOMEM;
	g->l->v = v;
	g->cap = cap;
	return 0;
}

/* 0, also if it has gone, or -errno. */
static int add_info(struct gathering *g, int procfd)
{
	int r = make_room(g);

	if (r < 0)
		return r;
	r = ctr__proc_info_read(procfd, &g->l->v[g->l->n]);
	if (r == 0)
		g->l->n++;
	return r == -ENOMEM ? r : 0;
}

/* The number was read a moment ago, and may be another process's by now. */
static int add_process(struct gathering *g, pid_t pid)
{
	CTR__CLOSE int fd = ctr__proc_open(pid);
	int r;

	if (fd < 0)
		return fd == -ESRCH ? 0 : fd;
	if (g->run->cgroup && !ctr__proc_in_cgroup(fd, g->run->cgroup))
		return 0;
	r = add_info(g, fd);
	return r < 0 ? r : ctr__proc_children(fd, &g->children);
}

/* A child that no list had: it is a zombie, or was started after the list was read, or lives elsewhere. */
static int add_zombie(struct gathering *g, pid_t pid)
{
	CTR__CLOSE int fd = ctr__top_find(g->l, pid) ? -1 : ctr__proc_open(pid);
	struct ctr__proc_info *p;
	int r = fd < 0 ? 0 : add_info(g, fd);

	if (fd < 0 || r < 0 || g->l->n == 0)
		return r;
	p = &g->l->v[g->l->n - 1];
	if (p->pid == pid && (p->state != 'Z' || !ctr__top_find(g->l, p->ppid))) {
		ctr__proc_info_free(p);
		g->l->n--;
	}
	return 0;
}

static int list_pids(const struct ctr__run *run, pid_t **pids, size_t *n)
{
	int r = run->cgroup ? ctr__cgroup_pids(run->cgroup, pids, n)
	                    : ctr__proc_relatives(run->pid, pids, n);

	return r == -ENOENT || r == -ESRCH ? 0 : r;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = ((const struct ctr__proc_info *)a)->pid,
	      y = ((const struct ctr__proc_info *)b)->pid;

	return x < y ? -1 : x > y;
}

static void sort(struct ctr__top_look *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_pid);
	l->sorted = l->n;
}

static int add_processes(struct ctr__top_look *l, const struct ctr__run *run, ctr_error_t **err)
{
	CTR__CLEANUP(gathering_free) struct gathering g = {.l = l, .run = run};
	CTR__FREE pid_t *pids = NULL;
	size_t n = 0;
	int r = list_pids(run, &pids, &n);

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add_process(&g, pids[i]);
	sort(l);
	for (size_t i = 0; r >= 0 && i < g.children.n; i++)
		r = add_zombie(&g, g.children.v[i]);
	sort(l);
	if (r == -ENOMEM)
		return ctr__fail_nomem(err);
	return r < 0 ? ctr__fail_errno(err, -r, NULL, "cannot list the processes") : 0;
}

/* ---- users ---- */

/* The root that the first process sees. Without it there are numbers. */
static int read_users(struct ctr__top_look *l, const struct ctr__run *run, ctr_error_t **err)
{
	CTR__CLOSE int proc = ctr__proc_open(run->pid);
	CTR__CLOSE int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CTR__CLOSE int root = -1;
	int r = 0;

	if (proc >= 0 && ctr__proc_start_of(proc) == run->pid_start)
		root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		r = ctr__users_read(root, &l->users, err);
	if (r >= 0 && host >= 0)
		r = ctr__users_read(host, &l->host_users, err);
	return r;
}

static void read_clocks(struct ctr__top_look *l)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	l->boot_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	l->now_ns = ctr__now_ns();
	l->tick_ns = INT64_C(1000000000) / sysconf(_SC_CLK_TCK);
}

/* ---- the table ---- */

static int check_columns(const char *const *columns, ctr_error_t **err)
{
	if (!columns[0])
		return ctr__fail(err, CTR_E_INVALID, "the list of columns is empty");
	for (size_t i = 0; columns[i]; i++) {
		if (ctr__top_column(columns[i]))
			continue;
		ctr__fail(err, CTR_E_INVALID, "there is no column \"%.100s\"", columns[i]);
		ctr__error_detail(err, "field", "columns");
		return CTR_E_INVALID;
	}
	return 0;
}

static const char *make_cell(struct ctr_top *t, const struct ctr__top_column *column,
    const struct ctr__top_look *l, const struct ctr__proc_info *p)
{
	CTR__BUF struct ctr__buf text = {0};

	column->print(l, p, &text);
	return text.failed ? NULL
	                   : ctr__arena_strndup(&t->arena, text.data ? text.data : "", text.len);
}

static bool fill_row(
    struct ctr_top *t, const char *const *columns, const struct ctr__top_look *l, size_t row)
{
	for (size_t i = 0; i < t->columns; i++) {
		const char *cell = make_cell(t, ctr__top_column(columns[i]), l, &l->v[row]);

		if (!cell)
			return false;
		t->cells[row * t->columns + i] = cell;
	}
	return true;
}

static int make_table(const struct ctr__top_look *l, const char *const *columns,
    struct ctr_top **out, ctr_error_t **err)
{
	CTR__CLEANUP(top_freep) struct ctr_top *t = calloc(1, sizeof(*t));

	if (!t)
		return ctr__fail_nomem(err);
	t->columns = ctr__strv_len(columns);
	t->rows = l->n;
	t->titles = ctr__arena_alloc(&t->arena, t->columns * sizeof(*t->titles));
	t->cells = ctr__arena_alloc(&t->arena, (t->rows * t->columns + 1) * sizeof(*t->cells));
	if (!t->titles || !t->cells)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < t->columns; i++)
		t->titles[i] = ctr__top_column(columns[i])->title;
	for (size_t row = 0; row < t->rows; row++)
		if (!fill_row(t, columns, l, row))
			return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(t);
	return 0;
}

int ctr__top(
    struct ctr_container *c, const char *const *columns, struct ctr_top **out, ctr_error_t **err)
{
	CTR__CLEANUP(look_free) struct ctr__top_look l = {0};
	CTR__RUN struct ctr__run run = {0};
	int r;

	if (!columns)
		columns = ctr__top_default_columns;
	r = check_columns(columns, err);
	if (r >= 0)
		r = ctr__run_of(c, CTR__OP_TOP, &run, err);
	if (r >= 0)
		r = add_processes(&l, &run, err);
	if (r >= 0)
		r = read_users(&l, &run, err);
	if (r < 0)
		return r;
	read_clocks(&l);
	return make_table(&l, columns, out, err);
}
