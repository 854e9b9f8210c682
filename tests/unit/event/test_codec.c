/* SPDX-License-Identifier: Apache-2.0 */
/* The record of an event: there and back, and everything that is not one. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 40 /* bytes before the first string */

static ctr_event_t *full_event(void)
{
	ctr_event_t *ev = new_event(CTR_EVENT_DIED);

	ev->has_exit_code = true;
	ev->oom_killed = true;
	ev->exit_code = -1;
	ev->signal = 9;
	ev->count = UINT64_MAX;
	ev->stamp = 0x1122334455667788;
	ev->time_ns = INT64_MIN;
	return ev;
}

static void there_and_back(void **state)
{
	ctr_event_t *ev EVENT = full_event(), *copy EVENT = NULL;
	struct ctr__buf record CTR__BUF = {0}, again CTR__BUF = {0};

	(void)state;
	ctr__event_encode(ev, &record);
	assert_false(record.failed);
	assert_int_equal(ctr__event_decode(record.data, record.len, &copy, NULL), 0);
	assert_int_equal(copy->type, CTR_EVENT_DIED);
	assert_true(copy->has_exit_code);
	assert_true(copy->oom_killed);
	assert_int_equal(copy->exit_code, -1);
	assert_int_equal(copy->signal, 9);
	assert_true(copy->count == UINT64_MAX);
	assert_true(copy->stamp == 0x1122334455667788);
	assert_true(copy->time_ns == INT64_MIN);
	assert_string_equal(copy->id, ID);
	assert_string_equal(copy->name, "quiet_otter");
	assert_string_equal(copy->image, ev->image);
	assert_int_equal(copy->labels.n, 3);
	assert_string_equal(copy->labels.v[1].key, "empty");
	assert_string_equal(copy->labels.v[1].value, "");
	ctr__event_encode(copy, &again);
	assert_int_equal(again.len, record.len);
	assert_memory_equal(again.data, record.data, record.len);
}

/* Journals on disk outlive this program: the layout is fixed. */
static void layout(void **state)
{
	static const unsigned char expected[] = {
	    1,
	    1,
	    0,
	    0, /* version, flags              */
	    10,
	    0,
	    0,
	    0, /* REMOVE                      */
	    0xfe,
	    0xff,
	    0xff,
	    0xff, /* exit code -2                */
	    0,
	    0,
	    0,
	    0, /* signal                      */
	    8,
	    7,
	    6,
	    5,
	    4,
	    3,
	    2,
	    1, /* time                        */
	    0,
	    0,
	    0,
	    0,
	    0,
	    0,
	    0,
	    0, /* count                       */
	    0x2a,
	    0,
	    0,
	    0,
	    0,
	    0,
	    0,
	    0, /* stamp                       */
	    2,
	    0,
	    0,
	    0,
	    'i',
	    'd', /* ID                          */
	    1,
	    0,
	    0,
	    0,
	    'n', /* name                        */
	    0,
	    0,
	    0,
	    0, /* image                       */
	    1,
	    0,
	    0,
	    0, /* labels                      */
	    1,
	    0,
	    0,
	    0,
	    'k',
	    0,
	    0,
	    0,
	    0,
	};
	const struct ctr__cfg_pair label = {"k", ""};
	struct ctr_event ev = {
	    .type = CTR_EVENT_REMOVE,
	    .has_exit_code = true,
	    .exit_code = -2,
	    .time_ns = 0x0102030405060708,
	    .stamp = 42,
	    .id = "id",
	    .name = "n",
	    .image = "",
	    .labels = {&label, 1},
	};
	struct ctr__buf record CTR__BUF = {0};

	(void)state;
	ctr__event_encode(&ev, &record);
	assert_int_equal(record.len, sizeof(expected));
	assert_memory_equal(record.data, expected, sizeof(expected));
}

static void expect_refused(const void *data, size_t len, int code)
{
	ctr_error_t *err CTR__ERROR = NULL;
	ctr_event_t *ev = (void *)1;
	/* A copy of exactly that size, so that a sanitizer sees each byte too many. */
	void *copy CTR__FREE = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, data, len);
	assert_int_equal(ctr__event_decode(copy, len, &ev, &err), code);
	assert_int_equal(ctr_error_code(err), code);
	assert_null(ev);
}

static void each_cut_is_damage(void **state)
{
	ctr_event_t *ev EVENT = full_event();
	struct ctr__buf record CTR__BUF = {0};

	(void)state;
	ctr__event_encode(ev, &record);
	expect_refused(NULL, 0, CTR_E_STORE_CORRUPT);
	for (size_t len = 0; len < record.len; len++)
		expect_refused(record.data, len, CTR_E_STORE_CORRUPT);
	ctr__buf_addc(&record, 'x');
	expect_refused(record.data, record.len, CTR_E_STORE_CORRUPT);
}

static void versions(void **state)
{
	ctr_event_t *ev EVENT = full_event();
	struct ctr__buf record CTR__BUF = {0};

	(void)state;
	ctr__event_encode(ev, &record);
	record.data[0] = 3;
	expect_refused(record.data, record.len, CTR_E_STORE_NEWER);
	expect_refused(record.data, 1, CTR_E_STORE_NEWER);
	record.data[0] = (char)255;
	expect_refused(record.data, record.len, CTR_E_STORE_NEWER);
	record.data[0] = 0;
	expect_refused(record.data, record.len, CTR_E_STORE_CORRUPT);
}

static void expect_patch_refused(size_t at, const void *bytes, size_t n)
{
	ctr_event_t *ev EVENT = full_event();
	struct ctr__buf record CTR__BUF = {0};

	ctr__event_encode(ev, &record);
	assert_true(at + n <= record.len);
	memcpy(record.data + at, bytes, n);
	expect_refused(record.data, record.len, CTR_E_STORE_CORRUPT);
}

static void hostile_contents(void **state)
{
	const size_t name = HEAD + 4 + 64, image = name + 4 + 11, labels = image + 4 + 32;

	(void)state;
	expect_patch_refused(1, "\x04", 1);                  /* unknown flag                  */
	expect_patch_refused(2, "\x01", 1);                  /* not zero                      */
	expect_patch_refused(HEAD, "\xff\xff\xff\xff", 4);   /* length of the ID              */
	expect_patch_refused(name, "\x00\x00\x00\x80", 4);   /* length of the name            */
	expect_patch_refused(name + 4, "\0", 1);             /* NUL                           */
	expect_patch_refused(name + 4, "\xff", 1);           /* not UTF-8                     */
	expect_patch_refused(labels, "\xff\xff\xff\xff", 4); /* a memory bomb                 */
	expect_patch_refused(labels, "\x02\0\0\0", 4);       /* fewer than there are          */
	expect_patch_refused(labels, "\x04\0\0\0", 4);       /* more than there are           */
	expect_patch_refused(labels + 8, "z", 1);            /* not sorted                    */
	expect_patch_refused(labels + 18, "app\0\0", 3);     /* somewhere within the labels   */
}

static void empty_event(void **state)
{
	struct ctr_event ev = {.id = "", .name = "", .image = ""};
	struct ctr__buf record CTR__BUF = {0};
	ctr_event_t *copy EVENT = NULL;

	(void)state;
	ctr__event_encode(&ev, &record);
	assert_int_equal(ctr__event_decode(record.data, record.len, &copy, NULL), 0);
	assert_false(copy->has_exit_code);
	assert_false(copy->oom_killed);
	assert_string_equal(copy->image, "");
	assert_int_equal(copy->labels.n, 0);
}

static void many_labels(void **state)
{
	enum { N = 5000 };
	struct ctr__arena arena CTR__ARENA = {0};
	struct ctr__cfg_pair *pairs = ctr__arena_alloc(&arena, N * sizeof(*pairs));
	struct ctr_config cfg = {.id = ID, .name = "n"};
	ctr_event_t *ev EVENT = NULL, *copy EVENT = NULL;
	struct ctr__buf record CTR__BUF = {0};

	(void)state;
	for (int i = 0; i < N; i++) {
		char key[16];

		snprintf(key, sizeof(key), "key%05d", i);
		pairs[i] = (struct ctr__cfg_pair){ctr__arena_strdup(&arena, key), "some value"};
	}
	cfg.labels = (struct ctr__cfg_map){pairs, N};
	assert_int_equal(ctr__event_new(CTR_EVENT_CREATE, &cfg, &ev, NULL), 0);
	ctr__event_encode(ev, &record);
	assert_int_equal(ctr__event_decode(record.data, record.len, &copy, NULL), 0);
	assert_int_equal(copy->labels.n, N);
	assert_string_equal(copy->labels.v[N - 1].key, "key04999");
}

/* What most events do not have: tags at the end, and another version. */
static ctr_event_t *tagged_event(void)
{
	ctr_event_t *ev = full_event();

	ev->object = CTR_EVENT_OBJECT_POD;
	ev->pod = "pod";
	ev->health_status = "unhealthy";
	ev->health_log = "\xe2\x82\xac";
	ev->health_streak = 1LL << 40;
	ev->error = "why";
	return ev;
}

static void tags_there_and_back(void **state)
{
	ctr_event_t *ev EVENT = tagged_event(), *copy EVENT = NULL;
	struct ctr__buf record CTR__BUF = {0}, again CTR__BUF = {0};

	(void)state;
	ctr__event_encode(ev, &record);
	assert_int_equal(record.data[0], 2);
	assert_int_equal(ctr__event_decode(record.data, record.len, &copy, NULL), 0);
	assert_int_equal(copy->object, CTR_EVENT_OBJECT_POD);
	assert_string_equal(copy->pod, "pod");
	assert_string_equal(copy->health_status, "unhealthy");
	assert_string_equal(copy->health_log, "\xe2\x82\xac");
	assert_true(copy->health_streak == 1LL << 40);
	assert_string_equal(copy->error, "why");
	ctr__event_encode(copy, &again);
	assert_int_equal(again.len, record.len);
	assert_memory_equal(again.data, record.data, record.len);
}

static void hostile_tags(void **state)
{
	ctr_event_t *ev EVENT = full_event(), *tagged EVENT = tagged_event();
	struct ctr__buf plain CTR__BUF = {0}, record CTR__BUF = {0};
	size_t at;

	(void)state;
	ctr__event_encode(ev, &plain);
	at = plain.len; /* of the first tag */
	ctr__event_encode(tagged, &record);
	for (size_t len = at; len < record.len; len++) {
		ctr_event_t *out = NULL;

		/* Between two tags it is the record of another event. */
		if (ctr__event_decode(record.data, len, &out, NULL) == 0)
			assert_true(len > at);
		ctr_event_unref(out);
	}
	expect_refused(record.data, at, CTR_E_STORE_CORRUPT); /* version 2 without a tag */
	record.data[at + 2] = 9;                              /* no such object          */
	expect_refused(record.data, record.len, CTR_E_STORE_CORRUPT);
	record.data[at + 2] = 0; /* a member without a value */
	expect_refused(record.data, record.len, CTR_E_STORE_CORRUPT);
	record.data[at] = 2; /* a string now, of no length */
	expect_refused(record.data, record.len, CTR_E_STORE_CORRUPT);
	record.data[at] = 0;
	expect_refused(record.data, record.len, CTR_E_STORE_CORRUPT);
	record.data[at] = 100;
	expect_refused(record.data, record.len, CTR_E_STORE_NEWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(layout),
	    cmocka_unit_test(each_cut_is_damage),
	    cmocka_unit_test(versions),
	    cmocka_unit_test(hostile_contents),
	    cmocka_unit_test(empty_event),
	    cmocka_unit_test(many_labels),
	    cmocka_unit_test(tags_there_and_back),
	    cmocka_unit_test(hostile_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
