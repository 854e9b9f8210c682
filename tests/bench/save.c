/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-save ROOT RUN_ROOT DIR ROUNDS: what saving a container's state costs, by the library's internal function
 * and by hand. Prints ns: ctr__save, ctr__store_save_state, a commit of the same two records, a commit of the
 * state's alone; and the sizes of the two records.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/container.h"
#include "core/lifecycle.h"
#include "store/state.h"
#include "util/cleanup.h"

#include "bench.h"
#include "raw.h"

#define SAVES   500 /* per sample */
#define RECORDS 1000

struct options opt;

bool want(const char *id)
{
	(void)id;
	return true;
}

static struct ctr_container *find_one(ctr_runtime_t *rt)
{
	ctr_list_t *list = NULL;
	ctr_container_t *c = NULL;

	if (ctr_runtime_list(rt, NULL, 0, &list, NULL) < 0 || ctr_list_count(list) == 0 ||
	    ctr_container_get(rt, ctr_list_id(list, ctr_list_count(list) / 2), &c, NULL) < 0)
		die("no container");
	ctr_list_free(list);
	return c;
}

/* A state as full as that of a running container. */
static void fill_state(struct ctr_container *c)
{
	struct ctr__state *s = &c->state;

	s->pid = 123456;
	s->conmon_pid = 123455;
	s->pid_start = s->conmon_start = 1234567890;
	s->started_ns = INT64_C(1700000000000000000);
	s->mounted = s->ever_started = true;
	s->mountpoint = "/var/lib/some/where/rootfs";
	s->config_path = "/run/libctr/containers/"
	                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/"
	                 "config.json";
	s->bind_mounts[0] = "/dev/shm";
	s->bind_mounts[1] = "/run/libctr/containers/"
	                    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/shm";
	s->bind_mounts_n = 1;
}

static double time_saves(struct ctr_container *c)
{
	int64_t t = cpu_ns();

	for (int i = 0; i < SAVES; i++) {
		c->state.started_ns++;
		if (ctr__save(c, 0, NULL) < 0)
			die("save");
	}
	return (double)(cpu_ns() - t) / SAVES;
}

static double time_store(struct ctr_container *c)
{
	char command[65];
	struct ctr__summary sum;
	struct ctr__save save = {.id = c->id, .state = &c->state, .summary = &sum};
	int64_t t = cpu_ns();

	ctr__summarize(c->cfg, &c->state, command, &sum);
	for (int i = 0; i < SAVES; i++) {
		if (ctr__store_save_state(c->rt->store, &save, NULL) < 0)
			die("save");
	}
	return (double)(cpu_ns() - t) / SAVES;
}

static double time_commits(
    struct raw *r, const MDB_dbi *dbs, const size_t *lens, int n, const void *data)
{
	char key[RAW_KEY + 1];
	int64_t t;

	raw_key(key, RECORDS / 2);
	t = cpu_ns();
	for (int i = 0; i < SAVES; i++)
		raw_commit(r, dbs, lens, n, data, key);
	return (double)(cpu_ns() - t) / SAVES;
}

static void measure(struct ctr_container *c, const char *dir, int rounds_n, const size_t *lens)
{
	struct samples saved = {0}, store = {0}, same = {0}, one = {0};
	static const char data[4096];
	struct raw r;
	MDB_dbi dbs[2];

	raw_open(&r, dir, MDB_NOSYNC);
	dbs[0] = raw_db(&r, "state");
	dbs[1] = raw_db(&r, "sum");
	raw_fill(&r, dbs[0], RECORDS, lens[0]);
	raw_fill(&r, dbs[1], RECORDS, lens[1]);
	for (int i = 0; i < rounds_n; i++) {
		sample(&saved, time_saves(c));
		sample(&same, time_commits(&r, dbs, lens, 2, data));
		sample(&store, time_store(c));
		sample(&one, time_commits(&r, dbs, lens, 1, data));
	}
	printf("%.1f %.1f %.1f %.1f %zu %zu\n", median(&saved), median(&store), median(&same),
	    median(&one), lens[0], lens[1]);
	raw_close(&r);
}

static size_t summary_len(const struct ctr_container *c)
{
	char command[65];
	struct ctr__summary sum;

	ctr__summarize(c->cfg, &c->state, command, &sum);
	return sizeof(int64_t) * 8 + strlen(sum.name) + strlen(sum.image) + strlen(sum.command) + 3;
}

int main(int argc, char **argv)
{
	struct ctr_open_opts o = {.size = sizeof(o)};
	struct ctr__guard g;
	CTR__BUF struct ctr__buf record = {0};
	ctr_runtime_t *rt = NULL;
	struct ctr_container *c;
	size_t lens[2];

	if (argc != 5)
		return 2;
	o.root = argv[1];
	o.run_root = argv[2];
	if (ctr_runtime_open(&o, &rt, NULL) < 0)
		die("open");
	c = find_one(rt);
	if (ctr__enter(c, CTR__OP_READ, 0, &g, NULL) < 0)
		die("lock");
	fill_state(c);
	ctr__state_encode(&c->state, &record);
	lens[0] = record.len;
	lens[1] = summary_len(c);
	measure(c, argv[3], atoi(argv[4]), lens);
	ctr__leave(&g);
	ctr__container_unref(c);
	ctr_runtime_unref(rt);
	return 0;
}
