/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that run and whose records are damaged: nothing is left of them after an eviction. */
#include "real.h"

#include <stdio.h>
#include <string.h>

#include "core/runtime.h"
#include "store/env.h"

struct job {
	struct ctr__env *e;
	MDB_dbi db;
	const char *id;
};

static int damage_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct job *j = arg;
	MDB_val k = ctr__vals(j->id), v = ctr__vals("trash");

	(void)err;
	return mdb_put(txn, j->db, &k, &v, 0);
}

static void damage(struct ctr__env *e, int db, const char *id)
{
	struct job j = {e, e->db[db], id};
	CTR__UNLOCK struct ctr__env *held = NULL;

	OK(ctr__env_lock(e, &held, err));
	OK(ctr__env_write(e, damage_txn, &j, err));
}

static void check(struct real *r, bool record, bool state, bool pause)
{
	ctr_container_t *c = real_start_ready(r, IGNORES_TERM);
	int32_t pid = real_pid(c), monitor = real_conmon_pid(c);
	char id[200];

	OK(ctr_container_mount(c, NULL, err));
	if (pause)
		OK(ctr_container_pause(c, err));
	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	ctr_container_unref(c);
	if (record)
		damage(&r->rt->store->root_env, CTR__DB_CTR, id);
	if (state)
		damage(&r->rt->store->run_env, CTR__DB_STATE, id);
	OK(ctr_runtime_evict(r->rt, id, 0, NULL, err));
	assert_false(real_alive(pid));
	real_await_end(monitor);
	assert_int_equal(ctr_container_exists(r->rt, id, NULL), 0);
}

/* The rest is looked for by the teardown: processes, mounts, cgroups, files. */
static void test_record(void **state)
{
	check(*state, true, false, false);
}

static void test_state(void **state)
{
	check(*state, false, true, false);
}

static void test_both(void **state)
{
	check(*state, true, true, false);
}

static void test_both_paused(void **state)
{
	check(*state, true, true, true);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_record),
	    TEST(test_state),
	    TEST(test_both),
	    TEST(test_both_paused),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
