/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written straight into a buffer. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/json_emit.h"

static void puts_commas_between(void **state)
{
	CTR__BUF struct ctr__buf b = {0};

	(void)state;
	ctr__emit_object(&b, NULL);
	ctr__emit_array(&b, "a");
	ctr__emit_object(&b, NULL);
	ctr__emit_object_end(&b);
	ctr__emit_array(&b, NULL);
	ctr__emit_array_end(&b);
	ctr__emit_null(&b, NULL);
	ctr__emit_array_end(&b);
	ctr__emit_bool(&b, "b", true);
	ctr__emit_object(&b, "c");
	/* Strings that look like what a comma does not follow. */
	ctr__emit_str(&b, "[", "{");
	ctr__emit_str(&b, "{", "[");
	ctr__emit_str(&b, ":", ":");
	ctr__emit_text(&b, "raw", "[1]", 3);
	ctr__emit_object_end(&b);
	ctr__emit_object_end(&b);
	assert_string_equal(b.data, "{\"a\":[{},[],null],\"b\":true,\"c\":{\"[\":\"{\",\"{\":\"[\","
	                            "\":\":\":\",\"raw\":[1]}}");
}

static void writes_values(void **state)
{
	CTR__BUF struct ctr__buf b = {0};

	(void)state;
	ctr__emit_array(&b, NULL);
	ctr__emit_i64(&b, NULL, 0);
	ctr__emit_i64(&b, NULL, INT64_MIN);
	ctr__emit_i64(&b, NULL, INT64_MAX);
	ctr__emit_i64(&b, NULL, -10);
	ctr__emit_u64(&b, NULL, UINT64_MAX);
	ctr__emit_bool(&b, NULL, false);
	ctr__emit_str(&b, NULL, NULL);
	ctr__emit_str(&b, NULL, "\"\\\x01\xff");
	ctr__emit_time(&b, NULL, 0);
	ctr__emit_json(&b, NULL, NULL);
	ctr__emit_array_end(&b);
	assert_string_equal(b.data,
	    "[0,-9223372036854775808,9223372036854775807,-10,18446744073709551615,false,\"\","
	    "\"\\\"\\\\\\u0001\xef\xbf\xbd\",\"0001-01-01T00:00:00Z\",null]");
}

static void leaves_out_what_is_empty(void **state)
{
	CTR__BUF struct ctr__buf b = {0};

	(void)state;
	ctr__emit_object(&b, NULL);
	ctr__emit_some_str(&b, "a", NULL);
	ctr__emit_some_str(&b, "b", "");
	ctr__emit_some_bool(&b, "c", false);
	ctr__emit_some_i64(&b, "d", 0);
	ctr__emit_some_i64(&b, "e", -1);
	ctr__emit_some_str(&b, "f", "x");
	ctr__emit_some_bool(&b, "g", true);
	ctr__emit_object_end(&b);
	assert_string_equal(b.data, "{\"e\":-1,\"f\":\"x\",\"g\":true}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(puts_commas_between),
	    cmocka_unit_test(writes_values),
	    cmocka_unit_test(leaves_out_what_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
