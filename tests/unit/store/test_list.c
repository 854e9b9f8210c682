/* SPDX-License-Identifier: Apache-2.0 */
/* Listings: order, filters, merging when the environments are not in line, damaged records, cost. */
#include "store_test.h"

#include "util/clock.h"

/* The IDs of a listing, by spaces. */
static void lists(struct fx *f, const struct ctr__list_filter *filter, const char *ids)
{
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__list_entry e;
	ctr_list_t *list = NULL;
	size_t n = 0;

	OK(ctr__store_list(f->s, filter, &list, err));
	for (; ctr__list_at(list, n, &e); n++)
		ctr__buf_addf(&text, "%s%s", n ? " " : "", e.id);
	assert_int_equal(n, ctr__list_count(list));
	ctr__list_free(list);
	assert_string_equal(text.len ? text.data : "", ids);
}

static void fill(struct fx *f)
{
	add(f, "ab3", "web-1", ",\"labels\":{\"env\":\"prod\",\"tier\":\"front\"}");
	add(f, "ab1", "web-2", ",\"labels\":{\"env\":\"test\"}");
	add(f, "cd1", "db", ",\"labels\":{\"environment\":\"prod\"}");
	add(f, "ef1", NULL, "");
	save(f, "ab1", CTR_STATE_RUNNING, 1);
	save(f, "cd1", CTR_STATE_EXITED, 0);
}

static void all_in_order_of_ids(void **state)
{
	struct fx *f = *state;
	struct ctr__list_entry e;

	lists(f, NULL, "");
	fill(f);
	lists(f, NULL, "ab1 ab3 cd1 ef1");
	assert_int_equal(ctr__list_count(NULL), 0);
	assert_false(ctr__list_at(NULL, 0, &e));
	ctr__list_free(NULL);
}

static const char *const none[] = {NULL};

static void filters(void **state)
{
	struct fx *f = *state;
	const char *one[] = {"ab", NULL}, *two[] = {"cd", "ab3", NULL}, *no[] = {"ab11", NULL};
	const char *names[] = {"web", "xx", NULL}, *name2[] = {"-2", NULL};
	const char *key[] = {"env", NULL}, *value[] = {"env=prod", NULL};
	const char *any[] = {"env=test", "environment", NULL}, *odd[] = {"env=", "en", "=", NULL};

	fill(f);
	lists(f, &(struct ctr__list_filter){0}, "ab1 ab3 cd1 ef1");
	lists(f, &(struct ctr__list_filter){.ids = one}, "ab1 ab3");
	lists(f, &(struct ctr__list_filter){.ids = two}, "ab3 cd1");
	lists(f, &(struct ctr__list_filter){.ids = no}, "");
	lists(f, &(struct ctr__list_filter){.ids = none}, "");
	lists(f, &(struct ctr__list_filter){.names = names}, "ab1 ab3");
	lists(f, &(struct ctr__list_filter){.states = 1U << CTR_STATE_RUNNING}, "ab1");
	lists(f,
	    &(struct ctr__list_filter){
	        .states = 1U << CTR_STATE_EXITED | 1U << CTR_STATE_CONFIGURED},
	    "ab3 cd1 ef1");
	lists(f, &(struct ctr__list_filter){.labels = key}, "ab1 ab3");
	lists(f, &(struct ctr__list_filter){.labels = value}, "ab3");
	lists(f, &(struct ctr__list_filter){.labels = any}, "ab1 cd1");
	lists(f, &(struct ctr__list_filter){.labels = odd}, "");
	/* All together. */
	lists(f,
	    &(struct ctr__list_filter){
	        .ids = one, .names = name2, .labels = key, .states = 1U << CTR_STATE_RUNNING},
	    "ab1");
	lists(f, &(struct ctr__list_filter){.ids = one, .names = name2, .labels = value}, "");
}

/* ---- when a writer was killed between its two commits ---- */

struct spoil {
	struct fx *f;
	const char *drop;    /* loses its rows */
	const char *extra;   /* gets rows without a container */
	const char *old;     /* gets a summary of an earlier container */
	const char *renamed; /* gets a summary of an earlier configuration */
};

static int spoil_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct spoil *sp = arg;
	struct ctr__env *run = &sp->f->s->run_env;
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__summary sum = {.state = CTR_STATE_RUNNING, .pid = 3, .name = "old"};
	struct ctr__origin origin = {999, 999};
	struct ctr__state st;
	MDB_val k, v;
	int rc = ctr__root_txnid_put(run, txn, 1);

	(void)err;
	if (rc == 0 && sp->drop) {
		k = ctr__vals(sp->drop);
		rc = mdb_del(txn, run->db[CTR__DB_SUM], &k, NULL);
		if (rc == 0)
			rc = mdb_del(txn, run->db[CTR__DB_STATE], &k, NULL);
	}
	ctr__sum_encode(&sum, &origin, &buf);
	if (rc == 0 && sp->old) {
		k = ctr__vals(sp->old);
		v = ctr__val(buf.data, buf.len);
		rc = mdb_put(txn, run->db[CTR__DB_SUM], &k, &v, 0);
	}
	if (rc == 0 && sp->extra) {
		k = ctr__vals(sp->extra);
		v = ctr__val(buf.data, buf.len);
		rc = mdb_put(txn, run->db[CTR__DB_SUM], &k, &v, 0);
		buf.len = 0;
		ctr__state_init(&st, CTR_STATE_RUNNING);
		ctr__state_encode(&st, &buf);
		v = ctr__val(buf.data, buf.len);
		if (rc == 0)
			rc = mdb_put(txn, run->db[CTR__DB_STATE], &k, &v, 0);
	}
	if (rc == 0 && sp->renamed) {
		k = ctr__vals(sp->renamed);
		rc = mdb_get(txn, run->db[CTR__DB_SUM], &k, &v);
		if (rc == 0) {
			ctr__sum_decode(v.mv_data, &sum, &origin);
			sum.name = "old";
			origin.cfg_gen--;
			buf.len = 0;
			ctr__sum_encode(&sum, &origin, &buf);
			v = ctr__val(buf.data, buf.len);
			rc = mdb_put(txn, run->db[CTR__DB_SUM], &k, &v, 0);
		}
	}
	return rc;
}

static void spoil(struct fx *f)
{
	struct spoil sp = {f, "ab3", "zz9", "ef1", "cd1"};

	OK(ctr__env_write(&f->s->run_env, spoil_txn, &sp, err));
}

static void lists_spoiled(struct fx *f)
{
	const char *label[] = {"env=prod", NULL};
	ctr_list_t *list = NULL;
	struct ctr__list_entry e;

	lists(f, NULL, "ab1 ab3 cd1 ef1");
	lists(f, &(struct ctr__list_filter){.labels = label}, "ab3");
	OK(ctr__store_list(f->s, NULL, &list, err));
	assert_true(ctr__list_at(list, 0, &e));
	assert_int_equal(e.sum.state, CTR_STATE_RUNNING);
	assert_true(ctr__list_at(list, 1, &e));
	assert_string_equal(e.sum.name, "web-1");
	assert_string_equal(e.sum.image, "/srv/root");
	assert_string_equal(e.sum.command, "sleep 1");
	assert_int_equal(e.sum.state, CTR_STATE_CONFIGURED);
	assert_true(e.sum.created_ns > 0);
	assert_true(ctr__list_at(list, 2, &e));
	assert_string_equal(e.sum.name, "db");
	assert_int_equal(e.sum.state, CTR_STATE_EXITED);
	assert_true(ctr__list_at(list, 3, &e));
	assert_string_equal(e.sum.name, "");
	assert_int_equal(e.sum.state, CTR_STATE_CONFIGURED);
	assert_int_equal(e.sum.pid, 0);
	ctr__list_free(list);
}

static void merged_listings_are_right(void **state)
{
	struct fx *f = *state;

	fill(f);
	spoil(f);
	lists_spoiled(f);
}

static void the_next_change_repairs(void **state)
{
	struct fx *f = *state;

	fill(f);
	spoil(f);
	add(f, "zz0", NULL, "");
	OK(ctr__store_remove(f->s, "zz0", NULL, err));
	lists_spoiled(f);
	check_consistent(f);
	/* An ID that comes again while the rows of its former container are there. */
	spoil(f);
	add(f, "zz9", "new", "");
	check_consistent(f);
	{
		CTR__BUF struct ctr__buf raw = {0};
		struct ctr__state st;

		load(f, "zz9", &raw, &st);
		assert_int_equal(st.state, CTR_STATE_CONFIGURED);
	}
}

static void the_next_opening_repairs(void **state)
{
	struct fx *f = *state;

	fill(f);
	spoil(f);
	fx_reopen(f);
	lists_spoiled(f);
	check_consistent(f);
}

/* ---- damaged records ---- */

struct damage {
	struct ctr__env *e;
	int db;
	const char *id;
};

static int damage_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct damage *d = arg;
	MDB_val k = ctr__vals(d->id), v = ctr__vals("garbage");

	(void)err;
	return mdb_put(txn, d->e->db[d->db], &k, &v, 0);
}

static void damaged_records_are_named(void **state)
{
	struct fx *f = *state;
	struct damage sum = {&f->s->run_env, CTR__DB_SUM, "cd1"};
	struct damage ctr = {&f->s->root_env, CTR__DB_CTR, "cd1"};
	CTR__BUF struct ctr__buf json = {0};
	ctr_list_t *list = NULL;
	uint32_t slot;
	uint64_t gen;

	fill(f);
	OK(ctr__env_write(sum.e, damage_txn, &sum, err));
	FAILS_WITH(CTR_E_STORE_CORRUPT, "cd1", ctr__store_list(f->s, NULL, &list, err));
	assert_null(list);
	OK(ctr__env_write(ctr.e, damage_txn, &ctr, err));
	FAILS_WITH(CTR_E_STORE_CORRUPT, "cd1", ctr__store_list(f->s, NULL, &list, err));
	FAILS(CTR_E_STORE_CORRUPT, ctr__store_get_config(f->s, "cd1", &json, &slot, &gen, err));
	/* The others work, after a reboot too. */
	OK(ctr__store_get_config(f->s, "ab1", &json, &slot, &gen, err));
	pretend_reboot(f);
	fx_open(f);
	add(f, "gh1", NULL, "");
	OK(ctr__store_get_config(f->s, "gh1", &json, &slot, &gen, err));
	FAILS_WITH(CTR_E_STORE_CORRUPT, "cd1", ctr__store_list(f->s, NULL, &list, err));
}

/* ---- cost ---- */

struct bulk {
	struct ctr__store *s;
	int n;
};

/* As the records of n more containers, without their configurations' JSON. */
static int bulk_root(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct bulk *b = arg;
	struct ctr__ctr_rec rec = {.origin = {2, 2}, .name = "", .image = "", .command = ""};
	int rc = 0;

	(void)err;
	for (int i = 0; i < b->n && rc == 0; i++) {
		CTR__BUF struct ctr__buf buf = {0};
		char id[80], name[40];
		MDB_val k, v;

		snprintf(id, sizeof(id), "%08x%056d", (unsigned int)i * 2654435761U, i);
		snprintf(name, sizeof(name), "quiet_otter_%d", i);
		rec.slot = (uint32_t)i;
		rec.name = name;
		rec.image = "docker.io/library/busybox:latest";
		rec.command = "sleep infinity";
		ctr__ctr_rec_encode(&rec, &buf);
		k = ctr__vals(id);
		v = ctr__val(buf.data, buf.len);
		rc = mdb_put(txn, b->s->root_env.db[CTR__DB_CTR], &k, &v, 0);
	}
	return rc;
}

/* The floor: one cursor over the same records, each copied out. */
static int64_t raw_copy(struct fx *f, char *to)
{
	CTR__READ struct ctr__read rd = {0};
	CTR__CURSOR MDB_cursor *cur = NULL;
	int64_t start = ctr__monotonic_ns();
	MDB_val k, v;

	OK(ctr__read_begin(&f->s->run_env, &rd, err));
	assert_int_equal(mdb_cursor_open(rd.txn, f->s->run_env.db[CTR__DB_SUM], &cur), 0);
	while (mdb_cursor_get(cur, &k, &v, MDB_NEXT) == 0) {
		memcpy(to, v.mv_data, v.mv_size);
		to += v.mv_size;
	}
	return ctr__monotonic_ns() - start;
}

static int64_t one_list(struct fx *f, size_t n)
{
	ctr_list_t *list = NULL;
	int64_t start = ctr__monotonic_ns(), took;

	OK(ctr__store_list(f->s, NULL, &list, err));
	took = ctr__monotonic_ns() - start;
	assert_int_equal(ctr__list_count(list), n);
	ctr__list_free(list);
	return took;
}

static void cost(void **state)
{
	struct fx *f = *state;
	const int sizes[] = {1000, 10000, 20000};
	char *space = malloc(20000 * 512);

	assert_non_null(space);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(sizes); i++) {
		struct bulk b = {f->s, sizes[i]};
		int64_t raw = INT64_MAX, list = INT64_MAX, start = ctr__monotonic_ns(), repair;

		OK(ctr__env_write(&f->s->root_env, bulk_root, &b, err));
		OK(ctr__repair_locked(f->s, err));
		repair = ctr__monotonic_ns() - start;
		b.s = f->s;
		for (int round = 0; round < 30; round++) {
			int64_t t = raw_copy(f, space);

			raw = t < raw ? t : raw;
			t = one_list(f, (size_t)sizes[i]);
			list = t < list ? t : list;
		}
		print_message("%d containers: list %lld us, bare cursor %lld us; first summaries "
		              "%lld ms\n",
		    sizes[i], (long long)list / 1000, (long long)raw / 1000,
		    (long long)repair / 1000000);
	}
	free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_in_order_of_ids),
	    TEST(filters),
	    TEST(merged_listings_are_right),
	    TEST(the_next_change_repairs),
	    TEST(the_next_opening_repairs),
	    TEST(damaged_records_are_named),
	    TEST(cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
