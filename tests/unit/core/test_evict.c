/* SPDX-License-Identifier: Apache-2.0 */
/* Containers whose records are damaged, by hand: they are named, and can be evicted. */
#include "../../support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/runtime.h"
#include "store/env.h"

/* ---- damage ---- */

enum how { GARBAGE, NEWER, BAD_JSON };

struct damage {
	const char *what;
	bool durable; /* which environment */
	int db;
	enum how how;
	/* A second one at once; db < 0: none. */
	int also;
};

static const struct damage damages[] = {
    {"record is garbage", true, CTR__DB_CTR, GARBAGE, -1},
    {"record is of a newer version", true, CTR__DB_CTR, NEWER, -1},
    {"record's configuration is garbage", true, CTR__DB_CTR, BAD_JSON, -1},
    {"state is garbage", false, CTR__DB_STATE, GARBAGE, -1},
    {"state is of a newer version", false, CTR__DB_STATE, NEWER, -1},
    {"summary is garbage", false, CTR__DB_SUM, GARBAGE, -1},
    {"state and summary are garbage", false, CTR__DB_STATE, GARBAGE, CTR__DB_SUM},
};

struct job {
	struct ctr__env *e;
	int db;
	enum how how;
	const char *id;
};

static int damage_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct job *j = arg;
	MDB_val k = ctr__vals(j->id), v;
	CTR__BUF struct ctr__buf copy = {0};
	int rc = mdb_get(txn, j->e->db[j->db], &k, &v);

	(void)err;
	if (rc)
		return rc;
	ctr__buf_add(&copy, v.mv_data, v.mv_size);
	switch (j->how) {
	case NEWER: copy.data[0] = 99; break;
	case BAD_JSON: copy.data[copy.len - 1] = '!'; break;
	default: copy.len = 5; break;
	}
	v = ctr__val(copy.data, copy.len);
	return mdb_put(txn, j->e->db[j->db], &k, &v, 0);
}

static void damage_row(ctr_runtime_t *rt, const struct damage *d, int db, const char *id)
{
	struct ctr__store *s = rt->store;
	struct job j = {d->durable ? &s->root_env : &s->run_env, db, d->how, id};
	CTR__UNLOCK struct ctr__env *held = NULL;

	OK(ctr__env_lock(j.e, &held, err));
	OK(ctr__env_write(j.e, damage_txn, &j, err));
}

static void damage(ctr_runtime_t *rt, const struct damage *d, const char *id)
{
	damage_row(rt, d, d->db, id);
	if (d->also >= 0)
		damage_row(rt, d, d->also, id);
}

/* ---- checks ---- */

static void check_gone(const struct fixture *f, const char *dir, const char *id)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/containers/%s", dir, id);
	if (access(path, F_OK) == 0)
		fail_msg("%s is left", path);
	(void)f;
}

static size_t count(ctr_runtime_t *rt)
{
	ctr_list_t *list = NULL;
	size_t n;

	OK(ctr_runtime_list(rt, NULL, 0, &list, err));
	n = ctr_list_count(list);
	ctr_list_free(list);
	return n;
}

/* Either it works, or the error says which container it is. */
static void check_listing_names(ctr_runtime_t *rt, const char *id)
{
	ctr_list_t *list = NULL;
	ctr_error_t *err = NULL;

	if (ctr_runtime_list(rt, NULL, 0, &list, &err) < 0) {
		assert_int_equal(ctr_error_code(err), CTR_E_STORE_CORRUPT);
		assert_string_equal(ctr_error_get(err, "container"), id);
	}
	ctr_error_free(err);
	ctr_list_free(list);
}

static void check_one(struct fixture *f, const struct damage *d, int32_t state, const char *by)
{
	ctr_container_t *c = fixture_in_state(f, state), *again;
	char id[200], *evicted = NULL, *text;
	ctr_event_t *ev = NULL;

	OK(ctr_container_rename(c, "victim", err));
	OK(ctr_container_add_artifact(c, "a", "b", 1, err));
	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	damage(f->rt, d, id);
	check_listing_names(f->rt, id);
	text = events_text(f->rt);
	free(text);
	OK(ctr_runtime_evict(f->rt, by ? by : id, 0, &evicted, err));
	assert_string_equal(evicted, id);
	ctr_free(evicted);
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
	while (ctr_event_type(ev) != CTR_EVENT_REMOVE) {
		ctr_event_unref(ev);
		assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
	}
	assert_string_equal(ctr_event_container_id(ev), id);
	ctr_event_unref(ev);
	assert_int_equal(count(f->rt), 1);
	assert_int_equal(fake_oci_status(f->fake, id), CTR_OCI_ABSENT);
	check_gone(f, f->root, id);
	check_gone(f, f->run, id);
	FAILS(CTR_E_NO_SUCH_CTR, ctr_runtime_evict(f->rt, id, 0, NULL, err));
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_lookup(f->rt, "victim", &again, err));
	/* An old handle knows, and the name is free. */
	FAILS(CTR_E_CTR_REMOVED, ctr_container_start(c, 0, err));
	again = fixture_create(f, "victim");
	OK(ctr_container_start(again, 0, err));
	OK(ctr_container_remove(again, CTR_REMOVE_FORCE, err));
	ctr_container_unref(again);
	ctr_container_unref(c);
}

static void test_damaged(void **state)
{
	static const int32_t from[] = {CTR_STATE_CONFIGURED, CTR_STATE_RUNNING, CTR_STATE_EXITED};
	struct fixture *f = *state;
	ctr_container_t *other = fixture_create(f, "other");

	OK(ctr_container_start(other, 0, err));
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		for (size_t j = 0; j < sizeof(from) / sizeof(*from); j++) {
			print_message("%s, %s\n", damages[i].what, ctr_state_name(from[j]));
			check_one(f, &damages[i], from[j], j % 2 ? "victim" : NULL);
		}
	}
	assert_state(other, CTR_STATE_RUNNING);
	ctr_container_unref(other);
}

/* Both records: not even the lock is known. And seen by one who opens the store only now. */
static void test_nothing_readable(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	ctr_runtime_t *rt2;
	char id[200];

	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	ctr_container_unref(c);
	damage(f->rt, &damages[0], id);
	damage(f->rt, &damages[6], id);
	rt2 = fixture_open(f, NULL);
	check_listing_names(rt2, id);
	FAILS(CTR_E_STORE_CORRUPT, ctr_container_get(f->rt, id, &c, err));
	OK(ctr_runtime_evict(f->rt, id, 0, NULL, err));
	assert_int_equal(count(rt2), 0);
	assert_int_equal(fake_oci_count(f->fake), 0);
	check_gone(f, f->root, id);
	check_gone(f, f->run, id);
	ctr_runtime_unref(rt2);
}

/* Who is needed by others stays. */
static void test_damaged_dependency(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, "base"), *d = NULL;
	ctr_config_t *cfg = fixture_config(f, "needs-it"), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);

	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(c), err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_container_create(f->rt, own, 0, &d, err));
	damage(f->rt, &damages[0], ctr_container_id(c));
	FAILS(CTR_E_CTR_EXISTS, ctr_runtime_evict(f->rt, "base", 0, NULL, err));
	/* The one that depends is damaged, too: its row among the dependents goes with it. */
	damage(f->rt, &damages[0], ctr_container_id(d));
	OK(ctr_runtime_evict(f->rt, "needs-it", 0, NULL, err));
	OK(ctr_runtime_evict(f->rt, "base", 0, NULL, err));
	assert_int_equal(count(f->rt), 0);
	ctr_container_unref(c);
	ctr_container_unref(d);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	ctr_config_builder_free(b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_damaged),
	    TEST(test_nothing_readable),
	    TEST(test_damaged_dependency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
