/* SPDX-License-Identifier: Apache-2.0 */
/* Journals of events: order over both environments, places of readers, trimming. */
#include "store_test.h"

static struct ctr_event *event(int32_t type, const char *id)
{
	CFG ctr_config_t *cfg = config(id, NULL, "");
	struct ctr_event *ev = NULL;

	OK(ctr__event_new(type, cfg, &ev, err));
	return ev;
}

static void add_with_event(struct fx *f, const char *id)
{
	CFG ctr_config_t *cfg = config(id, NULL, "");
	struct ctr_event *ev = event(CTR_EVENT_CREATE, id);
	uint32_t slot;

	OK(ctr__store_add(f->s, cfg, ev, &slot, err));
	ctr_event_unref(ev);
}

static void save_with_events(
    struct fx *f, const char *id, struct ctr_event *const *events, size_t n)
{
	struct ctr__state st;
	struct ctr__save job = {.id = id, .state = &st, .events = events, .events_n = n};

	ctr__state_init(&st, CTR_STATE_RUNNING);
	OK(ctr__store_save_state(f->s, &job, err));
}

static void save_with_event(struct fx *f, const char *id, int32_t type)
{
	struct ctr_event *ev = event(type, id);

	save_with_events(f, id, &ev, 1);
	ctr_event_unref(ev);
}

static void next_is(struct fx *f, struct ctr__cursor *c, int32_t type, const char *id)
{
	struct ctr_event *ev = NULL;
	uint64_t lost = 0;
	int r = 0;

	OK(r = ctr__store_events_next(f->s, c, &ev, &lost, err));
	assert_int_equal(r, 1);
	assert_int_equal(lost, 0);
	assert_non_null(ev);
	assert_int_equal(ctr_event_type(ev), type);
	assert_string_equal(ctr_event_container_id(ev), id);
	ctr_event_unref(ev);
}

static void none_is_left(struct fx *f, struct ctr__cursor *c)
{
	struct ctr_event *ev = NULL;
	uint64_t lost = 0;
	int r = -1;

	OK(r = ctr__store_events_next(f->s, c, &ev, &lost, err));
	assert_int_equal(r, 0);
	assert_null(ev);
}

static void both_journals_are_one(void **state)
{
	struct fx *f = *state;
	struct ctr__cursor c, end;
	struct ctr_event *two[2];

	OK(ctr__store_events_end(f->s, &c, err));
	none_is_left(f, &c);
	add_with_event(f, "c1");
	save_with_event(f, "c1", CTR_EVENT_INIT);
	add_with_event(f, "c2");
	two[0] = event(CTR_EVENT_DIED, "c1");
	two[1] = event(CTR_EVENT_STOP, "c1");
	save_with_events(f, "c1", two, 2);
	ctr_event_unref(two[0]);
	ctr_event_unref(two[1]);
	two[0] = event(CTR_EVENT_REMOVE, "c2");
	OK(ctr__store_remove(f->s, "c2", two[0], err));
	ctr_event_unref(two[0]);
	OK(ctr__store_events_end(f->s, &end, err));
	none_is_left(f, &end);
	for (int round = 0; round < 2; round++) {
		next_is(f, &c, CTR_EVENT_CREATE, "c1");
		next_is(f, &c, CTR_EVENT_INIT, "c1");
		next_is(f, &c, CTR_EVENT_CREATE, "c2");
		next_is(f, &c, CTR_EVENT_DIED, "c1");
		next_is(f, &c, CTR_EVENT_STOP, "c1");
		next_is(f, &c, CTR_EVENT_REMOVE, "c2");
		none_is_left(f, &c);
		/* From the oldest again. */
		OK(ctr__store_events_seek(f->s, &c, 0, err));
	}
	/* One that failed has not happened. */
	FAILS(CTR_E_CTR_EXISTS, ({
		CFG ctr_config_t *cfg = config("c1", NULL, "");
		struct ctr_event *ev = event(CTR_EVENT_CREATE, "c1");
		uint32_t slot;
		int r = ctr__store_add(f->s, cfg, ev, &slot, err);

		ctr_event_unref(ev);
		r;
	}));
	none_is_left(f, &end);
}

static void a_reader_that_has_no_place_starts_at_the_oldest(void **state)
{
	struct fx *f = *state;
	struct ctr__cursor c = {0, 0};

	none_is_left(f, &c);
	add_with_event(f, "c1");
	next_is(f, &c, CTR_EVENT_CREATE, "c1");
}

static void seeking_goes_by_time(void **state)
{
	struct fx *f = *state;
	struct ctr__cursor c;
	struct ctr_event *ev;

	for (int i = 1; i <= 5; i++) {
		char id[8];

		snprintf(id, sizeof(id), "c%d", i);
		ev = event(CTR_EVENT_START, id);
		ev->time_ns = i * 100;
		save_with_events(f, id, &ev, 1);
		ctr_event_unref(ev);
	}
	OK(ctr__store_events_seek(f->s, &c, 300, err));
	next_is(f, &c, CTR_EVENT_START, "c3");
	OK(ctr__store_events_seek(f->s, &c, 301, err));
	next_is(f, &c, CTR_EVENT_START, "c4");
	OK(ctr__store_events_seek(f->s, &c, 501, err));
	none_is_left(f, &c);
	OK(ctr__store_events_seek(f->s, &c, INT64_MIN, err));
	next_is(f, &c, CTR_EVENT_START, "c1");
}

/* Many at once: as one transaction, to be quick. */
struct flood {
	struct ctr__store *s;
	struct ctr__env *env;
	struct ctr_event *ev;
	size_t n;
};

static int flood_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct flood *fl = arg;
	CTR__BUF struct ctr__buf buf = {0};
	int rc = 0;

	(void)err;
	for (size_t i = 0; i < fl->n && rc == 0; i++)
		rc = ctr__journal_append(fl->env, txn, fl->ev, &buf);
	return rc;
}

static void flood_env(struct fx *f, struct ctr__env *env, int32_t type, size_t n)
{
	struct flood fl = {f->s, env, event(type, "c1"), n};

	OK(ctr__env_write(env, flood_txn, &fl, err));
	ctr_event_unref(fl.ev);
}

static void flood(struct fx *f, size_t n)
{
	flood_env(f, &f->s->run_env, CTR_EVENT_KILL, n);
}

/* Each journal keeps its own newest ones; a reader that is behind in both is told of both at once. */
static void both_journals_are_trimmed(void **state)
{
	struct fx *f = *state;
	struct ctr__cursor c, behind;
	struct ctr_event *ev = NULL;
	size_t created = 0, killed = 0;
	uint64_t lost = 0;
	int r = 0;

	OK(ctr__store_events_end(f->s, &behind, err));
	for (int i = 0; i < 3; i++) {
		flood_env(f, &f->s->root_env, CTR_EVENT_CREATE, CTR__JOURNAL_MAX / 2);
		flood_env(f, &f->s->run_env, CTR_EVENT_KILL, CTR__JOURNAL_MAX / 2);
	}
	OK(ctr__store_events_seek(f->s, &c, 0, err));
	for (;;) {
		r = ctr__store_events_next(f->s, &c, &ev, &lost, NULL);
		if (r != 1)
			break;
		assert_int_equal(lost, 0);
		created += ctr_event_type(ev) == CTR_EVENT_CREATE;
		killed += ctr_event_type(ev) == CTR_EVENT_KILL;
		/* In the order in which they were written: half of the one, half of the other. */
		if (created + killed == CTR__JOURNAL_MAX / 2 + 1)
			assert_int_equal(ctr_event_type(ev), CTR_EVENT_KILL);
		ctr_event_unref(ev);
	}
	assert_int_equal(r, 0);
	assert_int_equal(created, CTR__JOURNAL_MAX);
	assert_int_equal(killed, CTR__JOURNAL_MAX);
	OK(r = ctr__store_events_next(f->s, &behind, &ev, &lost, err));
	assert_int_equal(r, 1);
	assert_null(ev);
	assert_int_equal(lost, CTR__JOURNAL_MAX);
	next_is(f, &behind, CTR_EVENT_CREATE, "c1");
}

static void old_events_are_trimmed(void **state)
{
	struct fx *f = *state;
	struct ctr__cursor c, behind;
	struct ctr_event *ev = NULL;
	uint64_t lost = 0;
	size_t n = 0;
	int r = 0;

	OK(ctr__store_events_end(f->s, &behind, err));
	save_with_event(f, "c1", CTR_EVENT_START);
	flood(f, CTR__JOURNAL_MAX + 1000);
	OK(ctr__store_events_seek(f->s, &c, 0, err));
	for (;;) {
		r = ctr__store_events_next(f->s, &c, &ev, &lost, NULL);
		if (r != 1)
			break;
		assert_int_equal(lost, 0);
		ctr_event_unref(ev);
		n++;
	}
	assert_int_equal(r, 0);
	assert_int_equal(n, CTR__JOURNAL_MAX);
	/* Who is too far behind is told how many he missed, once. */
	OK(r = ctr__store_events_next(f->s, &behind, &ev, &lost, err));
	assert_int_equal(r, 1);
	assert_null(ev);
	assert_int_equal(lost, 1001);
	next_is(f, &behind, CTR_EVENT_KILL, "c1");
}

static void order_survives_a_reboot(void **state)
{
	struct fx *f = *state;
	struct ctr__cursor c;

	for (int i = 0; i < 20; i++) {
		char id[8];

		snprintf(id, sizeof(id), "c%02d", i);
		add_with_event(f, id);
	}
	pretend_reboot(f);
	fx_open(f);
	save_with_event(f, "c00", CTR_EVENT_START);
	add_with_event(f, "d");
	OK(ctr__store_events_seek(f->s, &c, 0, err));
	for (int i = 0; i < 20; i++) {
		char id[8];

		snprintf(id, sizeof(id), "c%02d", i);
		next_is(f, &c, CTR_EVENT_CREATE, id);
	}
	next_is(f, &c, CTR_EVENT_START, "c00");
	next_is(f, &c, CTR_EVENT_CREATE, "d");
	none_is_left(f, &c);
}

static int damage_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct ctr__env *e = arg;
	unsigned char be[8];
	MDB_val k = {8, be}, v = {3, be};
	int rc;

	(void)err;
	ctr__put_be64(be, 2);
	rc = mdb_put(txn, e->db[CTR__DB_EVENT], &k, &v, 0);
	if (rc == 0) {
		static char junk[40];

		ctr__put_be64(be, 3);
		v = (MDB_val){sizeof(junk), junk};
		rc = mdb_put(txn, e->db[CTR__DB_EVENT], &k, &v, 0);
	}
	return rc;
}

static void damaged_records_are_errors(void **state)
{
	struct fx *f = *state;
	struct ctr__cursor c;
	struct ctr_event *ev = NULL;
	uint64_t lost;

	save_with_event(f, "c1", CTR_EVENT_START);
	OK(ctr__env_write(&f->s->run_env, damage_txn, &f->s->run_env, err));
	OK(ctr__store_events_seek(f->s, &c, 1, err));
	next_is(f, &c, CTR_EVENT_START, "c1");
	FAILS(CTR_E_STORE_CORRUPT, ctr__store_events_next(f->s, &c, &ev, &lost, err));
	assert_null(ev);
	/* Each is reported once: the reader goes on. */
	FAILS(CTR_E_STORE_CORRUPT, ctr__store_events_next(f->s, &c, &ev, &lost, err));
	none_is_left(f, &c);
}

static void readers_are_told(void **state)
{
	struct fx *f = *state;
	char exits[256];
	int fd;

	snprintf(exits, sizeof(exits), "%s/exits", f->run);
	fd = ctr__notify_open(f->run, exits, NULL);
	assert_true(fd >= 0);
	{
		char byte[512];

		add(f, "quiet", NULL, "");
		assert_true(read(fd, byte, sizeof(byte)) < 0);
		add_with_event(f, "c1");
		assert_true(read(fd, byte, sizeof(byte)) > 0);
		ctr__notify_drain(fd);
		save_with_event(f, "c1", CTR_EVENT_START);
		assert_true(read(fd, byte, sizeof(byte)) > 0);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(both_journals_are_one),
	    TEST(a_reader_that_has_no_place_starts_at_the_oldest),
	    TEST(seeking_goes_by_time),
	    TEST(old_events_are_trimmed),
	    TEST(both_journals_are_trimmed),
	    TEST(order_survives_a_reboot),
	    TEST(damaged_records_are_errors),
	    TEST(readers_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
