/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to the store: saving a state, creating a container. */
#include "sections.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "podman.h"
#include "raw.h"

/* ---- save ---- */

/* No public operation only saves: bench-save is linked with the library's insides and measures its own floor. */
void section_save(struct world *w)
{
	char *program = beside("bench-save"), *db = text("%s/db", w->run_root), *out;
	char *scratch = text("%s/copy", w->tmpfs), *raw = text("%s/raw", w->tmpfs);
	char *rounds_text = text("%d", rounds(101, 31));
	const char *argv[] = {program, w->root, w->run_root, raw, rounds_text, NULL};
	double saved, store, same, one;
	unsigned int state, sum;

	world_open(w);
	create_many(w->rt, w, MANY);
	w->rt = ctr_runtime_unref(w->rt);
	out = run_output(argv);
	if (sscanf(out, "%lf %lf %lf %lf %u %u", &saved, &store, &same, &one, &state, &sum) != 6)
		die("bench-save: \"%s\"", out);
	emit_note((struct row){"save", "save state (encode, commit; lock held)", UNIT_NS,
	              RULE_RATIO_MAX, saved, same, 1.5, 0, NULL},
	    "floor: a commit of the same records (%u + %u B) on tmpfs; of the state alone %.2f us. "
	    "ctr__store_save_state alone %.2f us. Linked with the internal library",
	    state, sum, one / 1000, store / 1000);
	free(out);
	free(program);
	free(db);
	free(scratch);
	free(raw);
	free(rounds_text);
}

/* ---- create ---- */

/* Every wait for the disk of this process, LMDB's included, passes here: the program exports these names. */
static atomic_uint syncs;

__attribute__((visibility("default"))) int fdatasync(int fd);
int fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int fsync(int fd);
int fsync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	return (int)syscall(SYS_fsync, fd);
}

/* What creating one container adds to each database of the root. */
#define ROOT_DBS 6
static const char *const root_dbs[ROOT_DBS] = {"meta", "event", "ctr", "name", "dep", "label"};

struct added {
	size_t len[ROOT_DBS];
	int n;
	double commits;
};

static uint64_t last_commit(struct raw *r)
{
	MDB_envinfo info;

	mdb_ok(mdb_env_info(r->env, &info), "info");
	return info.me_last_txnid;
}

static void look(const char *db, const char *scratch, struct content *c, uint64_t *commit)
{
	struct raw r;

	env_copy(db, scratch);
	raw_open(&r, scratch, MDB_NOSYNC);
	*commit = last_commit(&r);
	for (int i = 0; i < ROOT_DBS; i++)
		c[i] = db_content(&r, root_dbs[i]);
	raw_close(&r);
	remove_tree(scratch);
}

static struct added learn(struct world *w, ctr_config_t *cfg)
{
	char *db = text("%s/db", w->root), *scratch = text("%s/copy", w->tmpfs);
	struct content before[ROOT_DBS], after[ROOT_DBS];
	uint64_t first, last;
	struct added a = {.n = 0};
	const int n = 20;

	look(db, scratch, before, &first);
	for (int i = 0; i < n; i++)
		ctr_container_unref(create(w->rt, cfg));
	look(db, scratch, after, &last);
	for (int i = 0; i < ROOT_DBS; i++) {
		if (after[i].entries > before[i].entries)
			a.len[a.n++] = (after[i].bytes - before[i].bytes) /
			               (after[i].entries - before[i].entries);
	}
	a.commits = (double)(last - first) / n;
	free(db);
	free(scratch);
	return a;
}

static double podman_create(struct world *w)
{
	struct podman p;
	struct samples s = {0};
	double m;

	if (!podman_init(&p, w))
		return 0;
	for (int i = 0; i < rounds(15, 5); i++)
		sample(&s, podman_time(&p, "create", "/bin/true", NULL));
	m = median(&s);
	samples_free(&s);
	podman_end(&p);
	return m;
}

static void time_creates(struct world *w, ctr_config_t *cfg, const struct added *a)
{
	char *dir = text("%s/raw", w->disk);
	struct samples ours = {0}, low = {0};
	MDB_dbi dbs[ROOT_DBS];
	size_t total = 0;
	unsigned int waited = 0, floor_waited = 0, n = (unsigned int)rounds(400, 100);
	struct raw r;
	char *data;

	raw_open(&r, dir, 0);
	for (int i = 0; i < a->n; i++) {
		char name[8];

		snprintf(name, sizeof(name), "db%d", i);
		dbs[i] = raw_db(&r, name);
		total += a->len[i];
	}
	data = calloc(1, total + 1);
	if (!data)
		die("no memory");
	for (unsigned int i = 0; i < n; i++) {
		char key[RAW_KEY + 1];
		unsigned int was = syncs;
		int64_t t = now_ns();

		ctr_container_unref(create(w->rt, cfg));
		sample(&ours, (double)(now_ns() - t));
		waited += syncs - was;
		raw_key(key, i);
		was = syncs;
		t = now_ns();
		raw_commit(&r, dbs, a->len, a->n, data, key);
		sample(&low, (double)(now_ns() - t));
		floor_waited += syncs - was;
	}
	emit((struct row){"create.commits", "durable commits per create", UNIT_COUNT, RULE_MAX,
	    a->commits, 0, 1, 0, NULL});
	emit((struct row){"create.syncs", "fsync and fdatasync per create", UNIT_COUNT,
	    RULE_RATIO_MAX, (double)waited / n, (double)floor_waited / n, 1, 0, NULL});
	emit_note((struct row){"create.time", "create a container (podman create)", UNIT_NS,
	              RULE_RATIO_MAX, median(&ours), median(&low), 1.2, podman_create(w), NULL},
	    "floor: one durable commit of %d records, %zu bytes, on the same disk; p90 %.0f us, "
	    "floor's %.0f us",
	    a->n, total, percentile(&ours, 90) / 1000, percentile(&low, 90) / 1000);
	raw_close(&r);
	samples_free(&ours);
	samples_free(&low);
	free(data);
	free(dir);
}

void section_create(struct world *w)
{
	ctr_config_t *cfg;
	struct added a;

	world_open(w);
	cfg = make_config(w, "/bin/true", NULL);
	/* The first event starts a database. */
	ctr_container_unref(create(w->rt, cfg));
	a = learn(w, cfg);
	time_creates(w, cfg, &a);
	ctr_config_unref(cfg);
}
