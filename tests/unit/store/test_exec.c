/* SPDX-License-Identifier: Apache-2.0 */
/* Exec sessions: their record, their rows, and what becomes of these with their container. */
#include <libctr/exec.h>

#include "store_test.h"

static const char command_text[] = "sh\0-c\0";

/* ---- the record ---- */

static void fill(struct ctr__exec_state *x)
{
	*x = (struct ctr__exec_state){
	    .state = CTR_EXEC_STATE_RUNNING,
	    .flags = CTR_EXEC_TERMINAL | CTR_EXEC_STDIN,
	    .opened = 5,
	    .pid = 12,
	    .monitor_pid = INT32_MAX,
	    .pid_start = UINT64_MAX,
	    .monitor_start = 7,
	    .starter_pid = 99,
	    .starter_start = 1,
	    .exit_code = -1,
	    .started_ns = INT64_MIN,
	    .finished_ns = INT64_MAX,
	    .exit_delay_s = 300,
	    .user = "ann:wheel",
	    .detach_keys = "",
	    .process = "{\"args\":[]}",
	    .command = {command_text, 6},
	    .exit_command = {"/bin/true", 10},
	};
}

static void encode(const struct ctr__exec_state *x, struct ctr__buf *out)
{
	out->len = 0;
	ctr__exec_state_encode(x, out);
	assert_false(out->failed);
}

static void same(const struct ctr__exec_state *a, const struct ctr__exec_state *b)
{
	CTR__BUF struct ctr__buf x = {0}, y = {0};

	encode(a, &x);
	encode(b, &y);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
}

static void everything_comes_back(void **state)
{
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__exec_state in, out;
	CTR__STRV char **list = NULL;

	(void)state;
	fill(&in);
	encode(&in, &raw);
	OK(ctr__exec_state_decode(raw.data, raw.len, &out, err));
	same(&in, &out);
	assert_int_equal(out.pid_start, UINT64_MAX);
	assert_int_equal(out.exit_code, -1);
	/* "" is not the same as none. */
	assert_string_equal(out.detach_keys, "");
	list = ctr__unpack(&out.command);
	assert_string_equal(list[0], "sh");
	assert_string_equal(list[1], "-c");
	assert_null(list[2]);
	in = (struct ctr__exec_state){.command = {command_text, 6}};
	encode(&in, &raw);
	OK(ctr__exec_state_decode(raw.data, raw.len, &out, err));
	assert_null(out.user);
	assert_null(out.detach_keys);
	assert_int_equal(out.exit_command.len, 0);
}

static void later_tags_are_kept(void **state)
{
	static const unsigned char later[] = {200, 0, 2, 0, 0, 0, 'x', 'y', 201, 1, 0, 0, 0, 0};
	CTR__BUF struct ctr__buf raw = {0}, again = {0};
	struct ctr__exec_state x;

	(void)state;
	fill(&x);
	encode(&x, &raw);
	ctr__buf_add(&raw, later, sizeof(later));
	OK(ctr__exec_state_decode(raw.data, raw.len, &x, err));
	x.pid = 1;
	encode(&x, &again);
	assert_int_equal(again.len, raw.len);
	assert_memory_equal(again.data + again.len - sizeof(later), later, sizeof(later));
	raw.data[0] = 9;
	OK(ctr__exec_state_decode(raw.data, raw.len, &x, err));
	raw.data[1] = 2;
	FAILS(CTR_E_STORE_NEWER, ctr__exec_state_decode(raw.data, raw.len, &x, err));
}

/* Each byte changed to each value, and each length: refused, or read within the record. */
static void any_bytes_are_safe(void **state)
{
	CTR__BUF struct ctr__buf raw = {0}, again = {0};
	struct ctr__exec_state x;

	(void)state;
	fill(&x);
	encode(&x, &raw);
	for (size_t len = 0; len < raw.len; len++) {
		CTR__FREE char *copy = malloc(len + 1);

		memcpy(copy, raw.data, len);
		(void)ctr__exec_state_decode(copy, len, &x, NULL);
	}
	for (size_t i = 0; i < raw.len; i++) {
		char was = raw.data[i];

		for (int v = 0; v < 256; v++) {
			raw.data[i] = (char)v;
			if (ctr__exec_state_decode(raw.data, raw.len, &x, NULL) < 0)
				continue;
			assert_true(x.pid >= 0 && x.monitor_pid >= 0 && x.starter_pid >= 0);
			assert_true(x.exit_code >= -1 && x.exit_code <= 255);
			ctr_strv_free(ctr__unpack(&x.command));
			encode(&x, &again);
		}
		raw.data[i] = was;
	}
}

/* ---- the rows ---- */

static void put(struct fx *f, const char *ctr, const char *id, int32_t pid)
{
	struct ctr__exec_state x;
	struct ctr__exec_save save = {.ctr_id = ctr, .id = id, .state = &x, .is_new = true};

	fill(&x);
	x.pid = pid;
	OK(ctr__store_exec_save(f->s, &save, err));
}

static int32_t get(struct fx *f, const char *ctr, const char *id)
{
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__exec_state x;
	int r = ctr__store_exec_load(f->s, ctr, id, &raw, NULL);

	if (r <= 0)
		return r;
	OK(ctr__exec_state_decode(raw.data, raw.len, &x, err));
	return x.pid;
}

/* "a,b" */
static void lists(struct fx *f, const char *ctr, const char *expected)
{
	CTR__BUF struct ctr__buf text = {0};
	CTR__STRV char **ids = NULL;

	OK(ctr__store_exec_list(f->s, ctr, &ids, err));
	for (size_t i = 0; ids[i]; i++)
		ctr__buf_addf(&text, "%s%s", i ? "," : "", ids[i]);
	assert_string_equal(text.data ? text.data : "", expected);
}

static void sessions_of_several(void **state)
{
	struct fx *f = *state;
	struct ctr__exec_state x;
	struct ctr__exec_save save = {.ctr_id = "c1", .id = "s1", .state = &x};
	char owner[CTR__ID_MAX + 1];

	add(f, "c1", "one", "");
	add(f, "c10", "ten", "");
	put(f, "c1", "s2", 2);
	put(f, "c1", "s1", 1);
	put(f, "c10", "s3", 3);
	lists(f, "c1", "s1,s2");
	lists(f, "c10", "s3");
	lists(f, "c", "");
	lists(f, "c2", "");
	assert_int_equal(get(f, "c1", "s1"), 1);
	assert_int_equal(get(f, "c10", "s1"), 0);
	assert_int_equal(get(f, "c1", "s"), 0);
	assert_int_equal(get(f, "c1", ""), 0);
	OK(ctr__store_exec_owner(f->s, "s3", owner, err));
	assert_string_equal(owner, "c10");
	FAILS(CTR_E_NO_SUCH_EXEC, ctr__store_exec_owner(f->s, "s4", owner, err));
	FAILS(CTR_E_EMPTY_ID, ctr__store_exec_owner(f->s, "", owner, err));
	/* An ID is somebody's for good. */
	save.is_new = true;
	fill(&x);
	assert_true(ctr__store_exec_save(f->s, &save, NULL) < 0);
	save.is_new = false;
	x.pid = 77;
	OK(ctr__store_exec_save(f->s, &save, err));
	assert_int_equal(get(f, "c1", "s1"), 77);
	fx_reopen(f);
	assert_int_equal(get(f, "c1", "s1"), 77);
}

static void its_end_is_kept(void **state)
{
	struct fx *f = *state;
	struct ctr__exec_state x = {.exit_code = 5, .finished_ns = 123};
	struct ctr__exec_save save = {
	    .ctr_id = "c1", .id = "s1", .state = &x, .remove = true, .record_exit = true};
	char owner[CTR__ID_MAX + 1];
	int64_t when = 0;
	int32_t code = 0;

	add(f, "c1", "one", "");
	put(f, "c1", "s1", 1);
	OK(ctr__store_exec_save(f->s, &save, err));
	lists(f, "c1", "");
	FAILS(CTR_E_NO_SUCH_EXEC, ctr__store_exec_owner(f->s, "s1", owner, err));
	OK(ctr__store_exit_code(f->s, "s1", &code, &when, err));
	assert_int_equal(code, 5);
	assert_int_equal(when, 123);
	/* Not for ever. */
	OK(ctr__store_prune_exit_codes(f->s, 1, err));
	FAILS(CTR_E_NO_SUCH_EXIT_CODE, ctr__store_exit_code(f->s, "s1", &code, NULL, err));
	/* One that is not there can be removed. */
	save.record_exit = false;
	OK(ctr__store_exec_save(f->s, &save, err));
}

static void they_go_with_their_container(void **state)
{
	struct fx *f = *state;
	char owner[CTR__ID_MAX + 1];

	add(f, "c1", "one", "");
	add(f, "c2", "two", "");
	put(f, "c1", "s1", 1);
	put(f, "c1", "s2", 1);
	put(f, "c2", "s3", 3);
	OK(ctr__store_remove(f->s, "c1", NULL, err));
	lists(f, "c1", "");
	FAILS(CTR_E_NO_SUCH_EXEC, ctr__store_exec_owner(f->s, "s2", owner, err));
	lists(f, "c2", "s3");
	put(f, "c2", "s4", 4);
	OK(ctr__store_evict(f->s, "c2", NULL, err));
	lists(f, "c2", "");
	FAILS(CTR_E_NO_SUCH_EXEC, ctr__store_exec_owner(f->s, "s3", owner, err));
}

static int out_of_line(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct fx *f = arg;

	(void)err;
	return ctr__root_txnid_put(&f->s->run_env, txn, 1);
}

/* A remover that is killed between its commits leaves them to the next one. */
static void orphans_are_dropped(void **state)
{
	struct fx *f = *state;
	char owner[CTR__ID_MAX + 1];

	add(f, "c1", "one", "");
	put(f, "c1", "s1", 1);
	/* As if it had been that of a container that is gone: nobody looks at its rows until a repair. */
	put(f, "gone", "s9", 9);
	OK(ctr__store_exec_owner(f->s, "s9", owner, err));
	OK(ctr__env_write(&f->s->run_env, out_of_line, f, err));
	fx_reopen(f);
	lists(f, "gone", "");
	FAILS(CTR_E_NO_SUCH_EXEC, ctr__store_exec_owner(f->s, "s9", owner, err));
	lists(f, "c1", "s1");
}

/* These databases came after the first stores. */
static int drop_databases(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct fx *f = arg;
	int rc = mdb_drop(txn, f->s->run_env.db[CTR__DB_EXEC], 1);

	(void)err;
	return rc ? rc : mdb_drop(txn, f->s->run_env.db[CTR__DB_EXEC_STATE], 1);
}

static void an_older_store_is_completed(void **state)
{
	struct fx *f = *state;

	add(f, "c1", "one", "");
	OK(ctr__env_write(&f->s->run_env, drop_databases, f, err));
	fx_reopen(f);
	lists(f, "c1", "");
	put(f, "c1", "s1", 1);
	fx_reopen(f);
	lists(f, "c1", "s1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_comes_back),
	    cmocka_unit_test(later_tags_are_kept),
	    cmocka_unit_test(any_bytes_are_safe),
	    TEST(sessions_of_several),
	    TEST(its_end_is_kept),
	    TEST(they_go_with_their_container),
	    TEST(orphans_are_dropped),
	    TEST(an_older_store_is_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
