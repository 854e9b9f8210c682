/* SPDX-License-Identifier: Apache-2.0 */
/* The bump allocator. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/arena.h"
#include "util/cleanup.h"

static void gives_zeroed_aligned_memory_that_does_not_overlap(void **state)
{
	enum { N = 3000 };
	CTR__ARENA struct ctr__arena a = {0};
	static unsigned char *blocks[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		size_t size = i % 101;

		blocks[i] = ctr__arena_alloc(&a, size);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(blocks[i][j], 0);
		memset(blocks[i], (int)(i & 0xff), size);
	}
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < i % 101; j++)
			assert_int_equal(blocks[i][j], i & 0xff);
	}
}

static void serves_large_blocks_between_small_ones(void **state)
{
	CTR__ARENA struct ctr__arena a = {0};
	char *small, *large, *next;

	(void)state;
	small = ctr__arena_alloc(&a, 16);
	large = ctr__arena_alloc(&a, 1 << 20);
	next = ctr__arena_alloc(&a, 16);
	assert_non_null(small);
	assert_non_null(large);
	memset(large, 'x', 1 << 20);
	/* The large block does not end the use of the first chunk. */
	assert_ptr_equal(next, small + 16);
	assert_int_equal(next[0], 0);
}

static void refuses_impossible_sizes(void **state)
{
	CTR__ARENA struct ctr__arena a = {0};

	(void)state;
	assert_null(ctr__arena_alloc(&a, SIZE_MAX));
	assert_null(ctr__arena_alloc(&a, SIZE_MAX - 40));
	assert_null(ctr__arena_strndup(&a, "x", SIZE_MAX));
	assert_non_null(ctr__arena_alloc(&a, 1));
}

static void copies_strings(void **state)
{
	CTR__ARENA struct ctr__arena a = {0};

	(void)state;
	assert_string_equal(ctr__arena_strdup(&a, "hello"), "hello");
	assert_string_equal(ctr__arena_strdup(&a, ""), "");
	assert_null(ctr__arena_strdup(&a, NULL));
	assert_string_equal(ctr__arena_strndup(&a, "hello", 2), "he");
	assert_string_equal(ctr__arena_strndup(&a, NULL, 0), "");
	assert_memory_equal(ctr__arena_strndup(&a, "a\0b", 3), "a\0b", 4);
}

static void can_be_used_again_after_free(void **state)
{
	struct ctr__arena a = {0};

	(void)state;
	ctr__arena_free(&a);
	assert_non_null(ctr__arena_alloc(&a, 8));
	ctr__arena_free(&a);
	ctr__arena_free(&a);
	assert_non_null(ctr__arena_alloc(&a, 8));
	ctr__arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_zeroed_aligned_memory_that_does_not_overlap),
	    cmocka_unit_test(serves_large_blocks_between_small_ones),
	    cmocka_unit_test(refuses_impossible_sizes),
	    cmocka_unit_test(copies_strings),
	    cmocka_unit_test(can_be_used_again_after_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
