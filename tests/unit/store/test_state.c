/* SPDX-License-Identifier: Apache-2.0 */
/* The codec of the state record: everything comes back, and any bytes are safe to decode. */
#include "store_test.h"

static void fill(struct ctr__state *s)
{
	ctr__state_init(s, CTR_STATE_PAUSED);
	s->intent = CTR__INTENT_CLEANUP;
	s->pid = 4711;
	s->conmon_pid = INT32_MAX;
	s->exit_code = -1;
	s->exited = s->oom_killed = s->mounted = s->stopped_by_user = true;
	s->own_pid_ns = s->start_hooks = s->ever_started = true;
	s->slot = 0xDEADBEEF;
	s->mount_count = 3;
	s->pid_start = UINT64_MAX;
	s->conmon_start = 17;
	s->started_ns = INT64_MIN;
	s->finished_ns = INT64_MAX;
	s->mountpoint = "/mnt/point";
	s->config_path = "/c";
	s->error = "it \"failed\"\n";
	s->net_ns = "/run/netns/x";
	s->stage_hooks = "{}";
	s->restart_match = true;
	s->restart_count = 5;
	s->restart_delay_ms = 60000;
	s->restarter_pid = 12;
	s->restarter_start = UINT64_MAX - 1;
	s->cgroup = "/a/libpod-payload-x";
	s->bind_mounts_n = 8;
	for (int i = 0; i < 8; i++) {
		s->bind_mounts[2 * i] = i == 3 ? "" : "/etc/hosts";
		s->bind_mounts[2 * i + 1] = i == 7 ? "" : "/run/containers/x/hosts";
	}
}

static void encode(const struct ctr__state *s, struct ctr__buf *out)
{
	out->len = 0;
	ctr__state_encode(s, out);
	assert_false(out->failed);
}

static void same(const struct ctr__state *a, const struct ctr__state *b)
{
	CTR__BUF struct ctr__buf x = {0}, y = {0};

	encode(a, &x);
	encode(b, &y);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
}

static void everything_comes_back(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__state in, out;

	(void)state;
	fill(&in);
	encode(&in, &buf);
	memset(&out, 0xAA, sizeof(out));
	OK(ctr__state_decode(buf.data, buf.len, &out, err));
	assert_int_equal(out.state, CTR_STATE_PAUSED);
	assert_int_equal(out.intent, CTR__INTENT_CLEANUP);
	assert_int_equal(out.pid, 4711);
	assert_int_equal(out.conmon_pid, INT32_MAX);
	assert_int_equal(out.exit_code, -1);
	assert_true(out.exited && out.oom_killed && out.mounted && out.stopped_by_user);
	assert_true(out.own_pid_ns && out.start_hooks && out.ever_started);
	assert_true(out.slot == 0xDEADBEEF);
	assert_int_equal(out.mount_count, 3);
	assert_true(out.pid_start == UINT64_MAX);
	assert_int_equal(out.conmon_start, 17);
	assert_true(out.started_ns == INT64_MIN && out.finished_ns == INT64_MAX);
	assert_string_equal(out.mountpoint, "/mnt/point");
	assert_string_equal(out.config_path, "/c");
	assert_string_equal(out.error, "it \"failed\"\n");
	assert_string_equal(out.net_ns, "/run/netns/x");
	assert_int_equal(out.bind_mounts_n, 8);
	assert_string_equal(out.bind_mounts[5], "/run/containers/x/hosts");
	assert_string_equal(out.bind_mounts[6], "");
	assert_string_equal(out.bind_mounts[15], "");
	assert_true(out.restart_match);
	assert_int_equal(out.restart_count, 5);
	assert_int_equal(out.restart_delay_ms, 60000);
	assert_int_equal(out.restarter_pid, 12);
	assert_true(out.restarter_start == UINT64_MAX - 1);
	assert_string_equal(out.stage_hooks, "{}");
	assert_int_equal(out.unknown_len, 0);
	same(&in, &out);
}

static void an_empty_state_is_small(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__state in, out;

	(void)state;
	ctr__state_init(&in, CTR_STATE_UNKNOWN);
	encode(&in, &buf);
	assert_int_equal(buf.len, 4);
	OK(ctr__state_decode(buf.data, buf.len, &out, err));
	assert_int_equal(out.state, CTR_STATE_UNKNOWN);
	assert_string_equal(out.mountpoint, "");
	assert_string_equal(out.error, "");
	/* A typical one stays far below what moves a record out of its page (some 1.9 KB). */
	fill(&in);
	buf.len = 0;
	encode(&in, &buf);
	assert_true(buf.len < 700);
}

static void field(struct ctr__buf *b, unsigned int tag, const void *value, size_t len)
{
	unsigned char head[6] = {(unsigned char)tag, (unsigned char)(tag >> 8), (unsigned char)len,
	    (unsigned char)(len >> 8), (unsigned char)(len >> 16), (unsigned char)(len >> 24)};

	ctr__buf_add(b, head, 6);
	ctr__buf_add(b, value, len);
}

static void start(struct ctr__buf *b)
{
	b->len = 0;
	ctr__buf_add(b, "\1\1\0\0", 4);
}

static void unknown_tags_are_kept(void **state)
{
	CTR__BUF struct ctr__buf buf = {0}, again = {0};
	struct ctr__state st;

	(void)state;
	start(&buf);
	field(&buf, 3, "\x07\0\0\0", 4);
	field(&buf, 900, "later", 5);
	field(&buf, 900, "", 0);
	field(&buf, 65535, "\0\xff", 2);
	OK(ctr__state_decode(buf.data, buf.len, &st, err));
	assert_int_equal(st.pid, 7);
	assert_int_equal(st.unknown_len, 6 + 5 + 6 + 6 + 2);
	encode(&st, &again);
	assert_int_equal(again.len, buf.len);
	assert_memory_equal(again.data, buf.data, buf.len);
	/* Also with other changes. */
	st.mountpoint = "/m";
	st.pid = 0;
	again.len = 0;
	encode(&st, &again);
	assert_memory_equal(again.data + again.len - 25, buf.data + buf.len - 25, 25);
}

static void damaged(struct ctr__buf *b)
{
	struct ctr__state st;

	FAILS(CTR_E_STORE_CORRUPT, ctr__state_decode(b->data, b->len, &st, err));
	/* Nothing half decoded. */
	assert_int_equal(st.pid, 0);
	assert_string_equal(st.mountpoint, "");
}

static void one_bad(unsigned int tag, const void *value, size_t len)
{
	CTR__BUF struct ctr__buf b = {0};

	start(&b);
	field(&b, tag, value, len);
	damaged(&b);
}

static void bad_values_are_refused(void **state)
{
	(void)state;
	one_bad(0, "", 0);                 /* no such tag */
	one_bad(1, "\x09\0\0\0", 4);       /* no such state */
	one_bad(1, "\xff\xff\xff\xff", 4); /* -1 */
	one_bad(2, "\xf0\0\0\0", 4);       /* no such intent */
	one_bad(3, "\xff\xff\xff\xff", 4); /* PID -1: would signal everybody */
	one_bad(5, "\0\0\0\x80", 4);       /* INT32_MIN */
	one_bad(3, "\x01\0", 2);           /* too short */
	one_bad(3, "\x01\0\0\0\0", 5);     /* too long */
	one_bad(4, "\x01\0\0\0", 4);       /* 32 instead of 64 bits */
	one_bad(8, "\x01", 1);             /* a flag with a value */
	one_bad(18, "", 0);                /* a string without its NUL */
	one_bad(18, "/mnt", 4);
	one_bad(18, "/a\0b", 5);         /* a NUL inside */
	one_bad(22, "", 0);              /* a bind mount of nothing */
	one_bad(22, "/dest", 6);         /* of one string */
	one_bad(22, "/dest\0/host", 11); /* second one unterminated */
	one_bad(22, "/d\0/h\0/x", 9);    /* three strings */
}

static void order_and_repetition_are_checked(void **state)
{
	CTR__BUF struct ctr__buf b = {0};

	(void)state;
	start(&b);
	field(&b, 3, "\x07\0\0\0", 4);
	field(&b, 3, "\x08\0\0\0", 4);
	damaged(&b);
	start(&b);
	field(&b, 3, "\x07\0\0\0", 4);
	field(&b, 2, "\x01\0\0\0", 4);
	damaged(&b);
	/* A known one behind an unknown one. */
	start(&b);
	field(&b, 900, "x", 1);
	field(&b, 3, "\x07\0\0\0", 4);
	damaged(&b);
	start(&b);
	for (int i = 0; i < 13; i++)
		field(&b, 22, "/d\0/h", 6);
	damaged(&b);
}

static void lengths_are_checked(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__state in, out;

	(void)state;
	fill(&in);
	encode(&in, &buf);
	/* Every prefix, in memory of exactly its size. */
	for (size_t len = 0; len < buf.len; len++) {
		void *copy = malloc(len ? len : 1);
		ctr_error_t *e = NULL;
		int r;

		assert_non_null(copy);
		memcpy(copy, buf.data, len);
		r = ctr__state_decode(copy, len, &out, &e);
		assert_true(r == 0 || r == CTR_E_STORE_CORRUPT);
		assert_int_equal(ctr_error_code(e), r);
		ctr_error_free(e);
		free(copy);
	}
	start(&buf);
	ctr__buf_add(&buf, "\x12\0\xff\xff\xff\xff/", 7);
	damaged(&buf);
}

static void any_byte_may_be_wrong(void **state)
{
	CTR__BUF struct ctr__buf buf = {0}, again = {0};
	struct ctr__state in, out, out2;

	(void)state;
	fill(&in);
	encode(&in, &buf);
	for (size_t i = 0; i < buf.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			buf.data[i] = (char)(buf.data[i] ^ 1 << bit);
			if (ctr__state_decode(buf.data, buf.len, &out, NULL) == 0) {
				encode(&out, &again);
				OK(ctr__state_decode(again.data, again.len, &out2, err));
				same(&out, &out2);
				again.len = 0;
			}
			buf.data[i] = (char)(buf.data[i] ^ 1 << bit);
		}
	}
}

static void a_later_version_says_so(void **state)
{
	struct ctr__state st;

	(void)state;
	/* One that this library can still read. */
	OK(ctr__state_decode("\2\1\0\0", 4, &st, err));
	FAILS_WITH(CTR_E_STORE_NEWER, "version 2", ctr__state_decode("\2\2\0\0", 4, &st, err));
	FAILS(CTR_E_STORE_CORRUPT, ctr__state_decode("\1\2\0\0", 4, &st, err));
	FAILS(CTR_E_STORE_CORRUPT, ctr__state_decode("\0\0\0\0", 4, &st, err));
	FAILS(CTR_E_STORE_CORRUPT, ctr__state_decode("\1\1\0\1", 4, &st, err));
	FAILS(CTR_E_STORE_CORRUPT, ctr__state_decode("", 0, &st, err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_comes_back),
	    cmocka_unit_test(an_empty_state_is_small),
	    cmocka_unit_test(unknown_tags_are_kept),
	    cmocka_unit_test(bad_values_are_refused),
	    cmocka_unit_test(order_and_repetition_are_checked),
	    cmocka_unit_test(lengths_are_checked),
	    cmocka_unit_test(any_byte_may_be_wrong),
	    cmocka_unit_test(a_later_version_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
