/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container: unlocked, locked, in a batch, after somebody else changed it. */
#include "sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

#define UNLOCKED 100000 /* calls per sample */
#define LOCKED   20000  /* long enough that the looks for an exit count with their share */

/* What a getter costs at least: a call that is not inlined and reads a member. */
struct floor_object {
	const char *name;
};
__attribute__((noinline)) static const char *floor_get(const struct floor_object *o)
{
	__asm__ volatile("" : : : "memory");
	return o->name;
}

static void config_get(ctr_container_t *c)
{
	ctr_config_t *cfg = ctr_container_config(c);
	struct floor_object object = {"x"};
	struct samples ours = {0}, low = {0}, whole = {0};

	for (int round = 0; round < rounds(101, 31); round++) {
		int64_t t = cpu_ns();

		for (int i = 0; i < UNLOCKED; i += 4) {
			keep(ctr_config_name(cfg));
			keep(ctr_config_rootfs(cfg));
			keep(ctr_config_log_path(cfg));
			keep((const void *)(intptr_t)ctr_config_stop_signal(cfg));
		}
		sample(&ours, (double)(cpu_ns() - t) / UNLOCKED);
		t = cpu_ns();
		for (int i = 0; i < UNLOCKED; i++)
			keep(floor_get(&object));
		sample(&low, (double)(cpu_ns() - t) / UNLOCKED);
		t = cpu_ns();
		for (int i = 0; i < 1000; i++)
			ctr_config_unref(ctr_container_config(c));
		sample(&whole, (double)(cpu_ns() - t) / 1000);
	}
	emit_note((struct row){"config.get", "configuration accessor (no lock)", UNIT_NS, RULE_MAX,
	              median(&ours), median(&low), 5, 0, NULL},
	    "floor: a call that reads a member. ctr_container_config + unref: %.0f ns",
	    median(&whole));
	ctr_config_unref(cfg);
}

/* ---- state, unchanged ---- */

static double time_states(ctr_container_t *c)
{
	int32_t state;
	int64_t t = cpu_ns();

	for (int i = 0; i < LOCKED; i++)
		ctr_container_state(c, &state, NULL);
	keep(&state);
	return (double)(cpu_ns() - t) / LOCKED;
}

static double time_locks(struct raw_slot *s)
{
	int64_t t = cpu_ns();

	for (int i = 0; i < LOCKED; i++) {
		pthread_mutex_lock(&s->mutex);
		pthread_mutex_unlock(&s->mutex);
	}
	return (double)(cpu_ns() - t) / LOCKED;
}

static int batch_callback(ctr_container_t *view, void *userdata)
{
	sample(userdata, time_states(view));
	return 0;
}

/* An access that finds the last look for an exit too old. */
static double looking_access(ctr_container_t *c)
{
	struct samples s = {0};
	double m;

	for (int i = 0; i < 200; i++) {
		int64_t t = now_ns();
		int32_t state;

		while (now_ns() - t < 300000)
			;
		t = now_ns();
		ctr_container_state(c, &state, NULL);
		sample(&s, (double)(now_ns() - t));
	}
	m = median(&s);
	samples_free(&s);
	return m;
}

static void state_and_batch(ctr_container_t *c, struct raw_slot *lock, bool live)
{
	struct samples ours = {0}, low = {0}, batch = {0};
	double look = live ? looking_access(c) : 0;

	for (int round = 0; round < rounds(101, 31); round++) {
		sample(&ours, time_states(c));
		sample(&low, time_locks(lock));
		OK(ctr_container_batch(c, batch_callback, &batch, &err));
	}
	if (live)
		emit_note((struct row){"state.live", "state of a running container, unchanged",
		              UNIT_NS, RULE_RATIO_MAX, median(&ours), median(&low), 4, 0, NULL},
		    "floor: robust lock + unlock. An access that looks for an exit: %.0f ns", look);
	else
		emit((struct row){"state.idle", "state of a configured container, unchanged",
		    UNIT_NS, RULE_RATIO_MAX, median(&ours), median(&low), 4, 0, NULL});
	emit((struct row){live ? "batch.live" : "batch.idle",
	    live ? "the same in a batch (floor: outside)" : "... in a batch (floor: outside)",
	    UNIT_NS, RULE_RATIO_MAX, median(&batch), median(&ours), 1.0 / 3, 0, NULL});
	samples_free(&ours);
	samples_free(&low);
	samples_free(&batch);
}

/* ---- state, changed by another process ---- */

struct floor_reader {
	struct raw raw;
	MDB_dbi db;
	struct raw_slot *locks;
};

static double time_changed(ctr_container_t **c)
{
	int64_t t = cpu_ns();

	for (int i = 0; i < CHANGED; i++) {
		int32_t mounted;

		OK(ctr_container_mounted(c[i], &mounted, &err));
		keep(&mounted);
	}
	return (double)(cpu_ns() - t) / CHANGED;
}

static double time_floor(struct floor_reader *f, char (*keys)[RAW_KEY + 1])
{
	static char copy[4096];
	int64_t t = cpu_ns();

	for (int i = 0; i < CHANGED; i++) {
		MDB_val k = {RAW_KEY, keys[i]}, v;

		pthread_mutex_lock(&f->locks[i].mutex);
		mdb_ok(mdb_txn_renew(f->raw.rd), "renew");
		mdb_ok(mdb_get(f->raw.rd, f->db, &k, &v), "get");
		memcpy(copy, v.mv_data, v.mv_size);
		keep(copy);
		mdb_txn_reset(f->raw.rd);
		pthread_mutex_unlock(&f->locks[i].mutex);
	}
	return (double)(cpu_ns() - t) / CHANGED;
}

static void changed(struct world *w)
{
	ctr_config_t *cfg = make_config(w, "/bin/true", NULL);
	ctr_container_t *c[CHANGED];
	static char keys[CHANGED][RAW_KEY + 1];
	struct floor_reader f;
	struct samples ours = {0}, low = {0};
	struct helper h;
	char *dir = text("%s/raw", w->tmpfs), *locks = text("%s/locks", w->tmpfs);
	char *db = text("%s/db", w->run_root), *scratch = text("%s/copy", w->tmpfs);
	char len[16];

	for (unsigned int i = 0; i < CHANGED; i++) {
		c[i] = create(w->rt, cfg);
		raw_key(keys[i], i);
	}
	/* One round with the library first: then the records have the size that they will have. */
	helper_start(&h, "mounter", w->root, w->run_root, w->oci);
	helper_ask(&h, 'x');
	snprintf(len, sizeof(len), "%zu", record_len(db, scratch, "state"));
	raw_open(&f.raw, dir, MDB_NOSYNC);
	f.db = raw_db(&f.raw, "state");
	f.locks = raw_locks(locks, CHANGED, true);
	raw_fill(&f.raw, f.db, CHANGED, (size_t)atoi(len));
	{
		struct helper writer;

		helper_start(&writer, "writer", dir, locks, len);
		for (int round = 0; round < rounds(60, 20); round++) {
			helper_ask(&h, 'x');
			sample(&ours, time_changed(c));
			helper_ask(&writer, 'x');
			sample(&low, time_floor(&f, keys));
		}
		helper_end(&writer);
	}
	helper_end(&h);
	emit_note((struct row){"state.changed", "state after another process changed it", UNIT_NS,
	              RULE_RATIO_MAX, median(&ours), median(&low), 1.5, 0, NULL},
	    "floor: lock, renew, get, copy %s bytes, reset, unlock; over %d containers", len,
	    CHANGED);
	for (int i = 0; i < CHANGED; i++)
		ctr_container_unref(c[i]);
	raw_close(&f.raw);
	ctr_config_unref(cfg);
	free(dir);
	free(locks);
	free(db);
	free(scratch);
}

void section_access(struct world *w)
{
	char *path = text("%s/lock", w->tmpfs);
	struct raw_slot *lock = raw_locks(path, 1, true);
	ctr_config_t *cfg;
	ctr_container_t *c;

	world_open(w);
	cfg = make_config(w, "/bin/sleep", "600");
	c = create(w->rt, cfg);
	if (want("config.get"))
		config_get(c);
	if (want("state.idle") || want("batch.idle"))
		state_and_batch(c, lock, false);
	if ((want("state.live") || want("batch.live")) && w->oci && w->conmon) {
		OK(ctr_container_start(c, 0, &err));
		state_and_batch(c, lock, true);
	}
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	if (want("state.changed"))
		changed(w);
	ctr_container_unref(c);
	ctr_config_unref(cfg);
	free(path);
}
