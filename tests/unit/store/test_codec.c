/* SPDX-License-Identifier: Apache-2.0 */
/* The records of "ctr" and "sum". */
#include "store_test.h"

static const struct ctr__ctr_rec sample = {
    .origin = {7, 9},
    .slot = 42,
    .created_ns = 1234567890123,
    .name = "web",
    .image = "docker.io/library/nginx:1",
    .command = "nginx -g",
    .deps = "aa\0bb",
    .deps_len = 6,
    .json = "{\"id\":\"x\"}",
    .json_len = 10,
};

static void container_record_comes_back(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__ctr_rec rec;

	(void)state;
	ctr__ctr_rec_encode(&sample, &buf);
	assert_false(buf.failed);
	OK(ctr__ctr_rec_decode(buf.data, buf.len, &rec, err));
	assert_int_equal(rec.origin.born, 7);
	assert_int_equal(rec.origin.cfg_gen, 9);
	assert_int_equal(rec.slot, 42);
	assert_int_equal(rec.created_ns, 1234567890123);
	assert_string_equal(rec.name, "web");
	assert_string_equal(rec.image, "docker.io/library/nginx:1");
	assert_string_equal(rec.command, "nginx -g");
	assert_int_equal(rec.deps_len, 6);
	assert_memory_equal(rec.deps, "aa\0bb", 6);
	assert_int_equal(rec.json_len, 10);
	assert_memory_equal(rec.json, sample.json, 10);
}

/* Each prefix of it, in memory of exactly its size; and with each bit wrong. */
static void container_record_may_be_damaged(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__ctr_rec rec;

	(void)state;
	ctr__ctr_rec_encode(&sample, &buf);
	for (size_t len = 0; len < buf.len; len++) {
		void *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, buf.data, len);
		FAILS(CTR_E_STORE_CORRUPT, ctr__ctr_rec_decode(copy, len, &rec, err));
		free(copy);
	}
	for (size_t i = 0; i < buf.len * 8; i++) {
		buf.data[i / 8] = (char)(buf.data[i / 8] ^ 1 << i % 8);
		if (ctr__ctr_rec_decode(buf.data, buf.len, &rec, NULL) == 0) {
			assert_true(strlen(rec.name) <= buf.len);
			assert_true(rec.deps_len == 0 || rec.deps[rec.deps_len - 1] == '\0');
			assert_true(rec.json + rec.json_len == buf.data + buf.len);
		}
		buf.data[i / 8] = (char)(buf.data[i / 8] ^ 1 << i % 8);
	}
	buf.data[0] = 2;
	FAILS(CTR_E_STORE_NEWER, ctr__ctr_rec_decode(buf.data, buf.len, &rec, err));
}

static void summary_comes_back(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__origin origin = {3, 4}, found;
	struct ctr__summary sum;
	struct ctr__state st;

	(void)state;
	memset(&sum, 0, sizeof(sum));
	ctr__state_init(&st, CTR_STATE_STOPPED);
	st.pid = 5;
	st.exit_code = 6;
	st.started_ns = 8;
	st.finished_ns = 9;
	ctr__sum_set_state(&sum, &st);
	ctr__sum_set_config(&sum, &sample);
	ctr__sum_encode(&sum, &origin, &buf);
	assert_true(ctr__sum_valid(buf.data, buf.len));
	memset(&sum, 0, sizeof(sum));
	ctr__sum_decode(buf.data, &sum, &found);
	assert_int_equal(found.born, 3);
	assert_int_equal(found.cfg_gen, 4);
	assert_int_equal(sum.state, CTR_STATE_STOPPED);
	assert_int_equal(sum.pid, 5);
	assert_int_equal(sum.exit_code, 6);
	assert_int_equal(sum.created_ns, 1234567890123);
	assert_int_equal(sum.started_ns, 8);
	assert_int_equal(sum.finished_ns, 9);
	assert_string_equal(sum.name, "web");
	assert_string_equal(sum.image, "docker.io/library/nginx:1");
	assert_string_equal(sum.command, "nginx -g");
}

static void summary_may_be_damaged(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__origin origin = {3, 4};
	struct ctr__summary sum;

	(void)state;
	memset(&sum, 0, sizeof(sum));
	ctr__sum_set_config(&sum, &sample);
	ctr__sum_encode(&sum, &origin, &buf);
	for (size_t len = 0; len < buf.len; len++) {
		void *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, buf.data, len);
		assert_false(ctr__sum_valid(copy, len));
		free(copy);
	}
	for (size_t i = 0; i < buf.len * 8; i++) {
		buf.data[i / 8] = (char)(buf.data[i / 8] ^ 1 << i % 8);
		if (ctr__sum_valid(buf.data, buf.len)) {
			ctr__sum_decode(buf.data, &sum, NULL);
			assert_true(sum.command + strlen(sum.command) < buf.data + buf.len);
		}
		buf.data[i / 8] = (char)(buf.data[i / 8] ^ 1 << i % 8);
	}
	assert_false(ctr__sum_valid(NULL, 0));
}

static void long_strings_are_cut(void **state)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__origin origin = {1, 1};
	struct ctr__summary sum = {.name = "n", .command = NULL};
	char *image = malloc(100001);

	(void)state;
	assert_non_null(image);
	memset(image, 'i', 100000);
	image[100000] = '\0';
	sum.image = image;
	ctr__sum_encode(&sum, &origin, &buf);
	assert_true(ctr__sum_valid(buf.data, buf.len));
	ctr__sum_decode(buf.data, &sum, NULL);
	assert_int_equal(strlen(sum.image), UINT16_MAX);
	assert_string_equal(sum.command, "");
	free(image);
}

static void numbers_sort_as_bytes(void **state)
{
	const uint64_t values[] = {0, 1, 255, 256, 65536, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
	unsigned char last[8], next[8];

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(values); i++) {
		ctr__put_be64(next, values[i]);
		assert_true(ctr__get_be64(next) == values[i]);
		if (i > 0)
			assert_true(memcmp(last, next, 8) < 0);
		memcpy(last, next, 8);
	}
}

static void crc_is_the_usual_one(void **state)
{
	(void)state;
	assert_true(ctr__crc32("123456789", 9) == 0xCBF43926);
	assert_true(ctr__crc32("", 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(container_record_comes_back),
	    cmocka_unit_test(container_record_may_be_damaged),
	    cmocka_unit_test(summary_comes_back),
	    cmocka_unit_test(summary_may_be_damaged),
	    cmocka_unit_test(long_strings_are_cut),
	    cmocka_unit_test(numbers_sort_as_bytes),
	    cmocka_unit_test(crc_is_the_usual_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
