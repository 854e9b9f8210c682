/* SPDX-License-Identifier: Apache-2.0 */
/* Many containers: listing them, finding one in a new process, the memory they take, the library's size. */
#include "sections.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podman.h"
#include "raw.h"

/* ---- list ---- */

/* The summaries copied out by hand, with one allocation as large as needed. */
static double time_cursor(struct raw *r, MDB_dbi db, size_t bytes)
{
	int64_t t = cpu_ns();
	char *data = malloc(bytes), *p = data;
	MDB_cursor *cur;
	MDB_val k, v;

	if (!data)
		die("no memory");
	mdb_ok(mdb_txn_renew(r->rd), "renew");
	mdb_ok(mdb_cursor_open(r->rd, db, &cur), "cursor");
	while (mdb_cursor_get(cur, &k, &v, MDB_NEXT) == 0) {
		memcpy(p, k.mv_data, k.mv_size);
		p += k.mv_size;
		memcpy(p, v.mv_data, v.mv_size);
		p += v.mv_size;
	}
	keep(data);
	mdb_cursor_close(cur);
	mdb_txn_reset(r->rd);
	free(data);
	return (double)(cpu_ns() - t);
}

static double time_list(ctr_runtime_t *rt, size_t expected)
{
	ctr_list_t *list = NULL;
	int64_t t = cpu_ns();

	OK(ctr_runtime_list(rt, NULL, 0, &list, &err));
	if (ctr_list_count(list) != expected)
		die("a listing has %zu entries, not %zu", ctr_list_count(list), expected);
	ctr_list_free(list);
	return (double)(cpu_ns() - t);
}

/* Podman with as many containers as the options say. */
struct rival {
	double ps, rest;
	int n;
};

static struct rival measure_podman(struct world *w)
{
	struct rival r = {0, 0, opt.podman_containers};
	struct samples ps = {0}, rest = {0};
	struct service s;
	struct podman p;

	if (!podman_init(&p, w))
		return r;
	for (int i = 0; i < r.n; i++)
		podman_time(&p, "create", "/bin/true", NULL);
	for (int i = 0; i < rounds(11, 3); i++)
		sample(&ps, podman_command(&p, "ps", "-a", NULL));
	r.ps = median(&ps);
	if (service_start(&p, &s)) {
		size_t bytes;

		for (int i = 0; i < rounds(11, 3); i++)
			sample(&rest, service_list(&s, &bytes));
		r.rest = median(&rest);
		service_end(&s);
	}
	podman_end(&p);
	samples_free(&ps);
	samples_free(&rest);
	return r;
}

static void list_of(
    struct world *w, const char *id, const char *what, size_t n, const struct rival *rival)
{
	char *db = text("%s/db", w->run_root), *dir = text("%s/raw-%zu", w->tmpfs, n);
	struct samples ours = {0}, low = {0};
	struct content c;
	struct raw r;
	MDB_dbi sum;

	env_copy(db, dir);
	raw_open(&r, dir, MDB_NOSYNC);
	sum = raw_db(&r, "sum");
	c = db_content(&r, "sum");
	for (int i = 0; i < rounds(401, 101); i++) {
		sample(&ours, time_list(w->rt, n));
		sample(&low, time_cursor(&r, sum, c.bytes + c.entries * RAW_KEY));
	}
	emit_note((struct row){id, what, UNIT_NS, RULE_RATIO_MAX, median(&ours), median(&low), 2,
	              rival->ps, NULL},
	    "floor: raw cursor copy of %zu B each. podman ps -a has %d containers (%.3g ms each), "
	    "its REST service needs %.3g ms",
	    c.bytes / c.entries + RAW_KEY, rival->n, rival->ps / rival->n / 1e6, rival->rest / 1e6);
	raw_close(&r);
	samples_free(&ours);
	samples_free(&low);
	free(db);
	free(dir);
}

void section_list(struct world *w)
{
	struct rival rival = measure_podman(w);

	world_open(w);
	create_many(w->rt, w, MANY);
	if (want("list.1000"))
		list_of(w, "list.1000", "list 1,000 containers with state (ps -a)", MANY, &rival);
	if (want("list.10000")) {
		create_many(w->rt, w, 9 * MANY);
		list_of(w, "list.10000", "list 10,000 containers with state", (size_t)10 * MANY,
		    &rival);
	}
}

/* ---- a cold process ---- */

static void populate(struct world *w)
{
	struct helper h;

	helper_start(&h, "populate", w->root, w->run_root, w->rootfs);
	helper_ask(&h, 'x');
	helper_end(&h);
}

static char *some_id(struct world *w)
{
	ctr_runtime_t *rt = open_runtime(w->root, w->run_root, w->oci);
	ctr_list_t *list = NULL;
	char *id;

	OK(ctr_runtime_list(rt, NULL, 0, &list, &err));
	id = text("%s", ctr_list_id(list, ctr_list_count(list) / 2));
	ctr_list_free(list);
	ctr_runtime_unref(rt);
	return id;
}

static double podman_exists(struct world *w)
{
	static const char *const named[] = {"--name=one", NULL};
	struct samples s = {0};
	struct podman p;
	double m;

	if (!podman_init(&p, w))
		return 0;
	for (int i = 0; i < 5; i++) {
		const char *argv[48];

		podman_container(&p, argv, "create", named, "/bin/true", NULL);
		if (i == 0)
			time_program(argv, NULL);
		sample(&s, podman_command(&p, "container", "exists", "one"));
	}
	m = median(&s);
	podman_end(&p);
	samples_free(&s);
	return m;
}

static double inner_time(const char *const *argv)
{
	char *out = run_output(argv);
	double v = atof(out);

	free(out);
	return v;
}

void section_cold(struct world *w)
{
	char *ours_path = beside("bench-cold"), *low_path = beside("bench-cold-floor"), *id;
	char *db = text("%s/db", w->root), *copy = text("%s/raw", w->disk);
	const char *ours_argv[6] = {ours_path, w->root, w->run_root};
	const char *low_argv[6] = {low_path, copy};
	struct samples ours = {0}, low = {0}, ours_in = {0}, low_in = {0}, busy = {0};
	struct raw r;

	populate(w);
	id = some_id(w);
	ours_argv[3] = low_argv[2] = id;
	env_copy(db, copy);
	raw_open(&r, copy, 0);
	raw_close(&r);
	for (int i = 0; i < rounds(101, 31); i++) {
		double cpu;

		ours_argv[4] = low_argv[3] = NULL;
		cpu = children_cpu();
		sample(&ours, time_program(ours_argv, NULL));
		sample(&busy, children_cpu() - cpu);
		sample(&low, time_program(low_argv, NULL));
		ours_argv[4] = low_argv[3] = "time";
		sample(&ours_in, inner_time(ours_argv));
		sample(&low_in, inner_time(low_argv));
	}
	emit_note((struct row){"cold", "new process: exec, open, look up one of 1,000, exit",
	              UNIT_NS, RULE_MAX, median(&ours), median(&low), 1e6, podman_exists(w), NULL},
	    "floor: the same with liblmdb alone. CPU time %.2f ms. Rival: podman container exists",
	    median(&busy) / 1e6);
	emit((struct row){"cold.noexec", "open and look up, in that process", UNIT_NS, RULE_NONE,
	    median(&ours_in), median(&low_in), 0, 0, NULL});
	free(ours_path);
	free(low_path);
	free(id);
	free(db);
	free(copy);
}

/* ---- memory ---- */

struct memory {
	double anonymous, private; /* bytes */
};

static struct memory memory_now(void)
{
	struct memory m = {0, 0};
	char line[256];
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	double kib;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Anonymous: %lf", &kib) == 1)
			m.anonymous = kib * 1024;
		else if (sscanf(line, "Private_Clean: %lf", &kib) == 1 ||
		         sscanf(line, "Private_Dirty: %lf", &kib) == 1)
			m.private += kib * 1024;
	}
	if (f)
		fclose(f);
	return m;
}

static char *library_path(void)
{
	Dl_info info;

	if (!dladdr((void *)(uintptr_t)ctr_runtime_open, &info))
		die("the library's file cannot be found");
	return text("%s", info.dli_fname);
}

/* What loading the library has dirtied: its relocated data. */
static double library_dirty(void)
{
	char *path = library_path(), *name = strrchr(path, '/'), line[512];
	FILE *f = fopen("/proc/self/smaps", "re");
	bool inside = false;
	double sum = 0, kib;

	while (f && fgets(line, sizeof(line), f)) {
		if (strchr(line, '-') && strchr(line, '-') < strchr(line, ' '))
			inside = strstr(line, name ? name : path) != NULL;
		else if (inside && sscanf(line, "Private_Dirty: %lf", &kib) == 1)
			sum += kib * 1024;
	}
	if (f)
		fclose(f);
	free(path);
	return sum;
}

static double memory_with_handles(struct world *w, const struct memory *before)
{
	ctr_list_t *list = NULL;
	ctr_container_t *c;
	size_t n;

	OK(ctr_runtime_list(w->rt, NULL, 0, &list, &err));
	n = ctr_list_count(list);
	for (size_t i = 0; i < n; i++) {
		int32_t state;

		/* Kept until the process ends. */
		OK(ctr_container_get(w->rt, ctr_list_id(list, i), &c, &err));
		OK(ctr_container_state(c, &state, &err));
	}
	ctr_list_free(list);
	return memory_now().anonymous - before->anonymous;
}

void section_memory(struct world *w)
{
	struct memory before, open, listed;
	double dirty = library_dirty();
	ctr_list_t *list = NULL;

	populate(w);
	/* What stdio and the allocator take anyway. */
	memory_now();
	before = memory_now();
	world_open(w);
	open = memory_now();
	OK(ctr_runtime_list(w->rt, NULL, 0, &list, &err));
	ctr_list_free(list);
	listed = memory_now();
	emit_note((struct row){"memory", "private memory: open runtime, 1,000 containers, listed",
	              UNIT_BYTES, RULE_MAX, listed.anonymous - before.anonymous + dirty, 0, 2 << 20,
	              0, NULL},
	    "anonymous + relocated data (%.0f KiB); just opened %.0f KiB; with pages of the "
	    "databases that no other process maps %.0f KiB",
	    dirty / 1024, (open.anonymous - before.anonymous + dirty) / 1024,
	    (listed.private - before.private) / 1024);
	emit((struct row){"memory.handles", "... and a handle of each of the 1,000", UNIT_BYTES,
	    RULE_NONE, memory_with_handles(w, &before), 0, 0, 0, NULL});
}

/* ---- size ---- */

void section_size(struct world *w)
{
	char *path = library_path(), *copy = text("%s/libctr.so", w->tmpfs);
	char *strip = find_program("strip");
	const char *argv[] = {strip, "--strip-unneeded", copy, NULL};
	struct stat st;

	copy_file(path, copy);
	if (strip)
		time_program(argv, NULL);
	if (stat(copy, &st) < 0)
		die("%s is gone", copy);
	emit((struct row){"size", strip ? "libctr.so, stripped" : "libctr.so (no strip here)",
	    UNIT_BYTES, RULE_MAX, (double)st.st_size, 0, 400 << 10, 0, NULL});
	free(path);
	free(copy);
	free(strip);
}
