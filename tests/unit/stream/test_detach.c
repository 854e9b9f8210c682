/* SPDX-License-Identifier: Apache-2.0 */
/* Detach keys: the syntax, and the machine against a naive one for every way to cut the input. */
#include "stream_test.h"

static void keys_are(const char *text, const char *expected)
{
	struct ctr__detach d;

	assert_int_equal(ctr__detach_parse(text, &d, NULL), 0);
	assert_int_equal(d.len, strlen(expected));
	assert_memory_equal(d.keys, expected, d.len);
}

static void syntax(void **state)
{
	(void)state;
	keys_are(NULL, "\x10\x11");
	keys_are("", "");
	keys_are("a", "a");
	keys_are("a,b,C,~", "abC~");
	keys_are("ctrl-a,ctrl-z", "\x01\x1a");
	keys_are("ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", "\x1b\x1c\x1d\x1e\x1f");
	keys_are("DEL", "\x7f");
	keys_are("\xe4", "\xe4");
}

static void a_null_byte(void **state)
{
	struct ctr__detach d;

	(void)state;
	assert_int_equal(ctr__detach_parse("x,ctrl-@", &d, NULL), 0);
	assert_int_equal(d.len, 2);
	assert_memory_equal(d.keys, "x", 2);
}

static void bad_syntax(void **state)
{
	static const char *const bad[] = {",", "a,", ",a", "ab", "ctrl-", "ctrl-A", "ctrl-1",
	    "ctrl-aa", "Ctrl-a", "ctrl_a", "a,,b", "ctrl-p ctrl-q", "a, b", "\xc3\xa4",
	    "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		CTR__ERROR ctr_error_t *err = NULL;
		struct ctr__detach d;

		assert_int_equal(ctr__detach_parse(bad[i], &d, &err), CTR_E_INVALID);
		assert_string_equal(ctr_error_get(err, "field"), "detach_keys");
		assert_non_null(strstr(ctr_error_message(err), bad[i]));
	}
}

/* Feeds the input in the pieces that the bits of `cuts` make; at its end what is held back comes out. */
static void feed_cut(
    const char *keys, const char *in, unsigned cuts, const char *passed, bool pressed)
{
	struct ctr__detach d;
	unsigned char out[256];
	size_t n = 0, len = strlen(in), start = 0;
	bool hit = false;

	assert_int_equal(ctr__detach_parse(keys, &d, NULL), 0);
	for (size_t i = 1; !hit && i <= len; i++) {
		size_t got;

		if (i < len && !(cuts >> (i - 1) & 1))
			continue;
		hit = ctr__detach_feed(
		    &d, (const unsigned char *)in + start, i - start, out + n, &got);
		n += got;
		start = i;
	}
	if (!hit)
		n += ctr__detach_flush(&d, out + n);
	assert_int_equal(hit, pressed);
	if (n != strlen(passed) || memcmp(out, passed, n) != 0)
		fail_msg("keys %s, input %s, cuts %x: \"%.*s\" instead of \"%s\"", keys, in, cuts,
		    (int)n, out, passed);
}

static void feed(const char *keys, const char *in, const char *passed, bool pressed)
{
	unsigned cuts = 1U << (strlen(in) - 1);

	while (cuts--)
		feed_cut(keys, in, cuts, passed, pressed);
}

static void machine(void **state)
{
	(void)state;
	feed("a,b", "xxabyy", "xx", true);
	feed("a,b", "xxaxbya", "xxaxbya", false);
	feed("a,b", "aab", "a", true);
	feed("a,a,b", "aaab", "a", true);
	feed("a,a,b", "aaaaaab", "aaaa", true);
	feed("a,b,a,c", "ababac", "ab", true);
	feed("a,b,a,b,c", "abababdababc", "abababd", true);
	feed("a", "xa", "x", true);
	feed("", "ab", "ab", false);
	feed("x,y,z", "xyxyxyx", "xyxyxyx", false);
	feed("a,a", "baba", "baba", false);
	feed(NULL, "\x10\x10\x11", "\x10", true);
	feed(NULL, "\x11\x10z\x10", "\x11\x10z\x10", false);
}

/* What is held back while more may come. */
static void held_back(void **state)
{
	struct ctr__detach d;
	unsigned char out[64];
	size_t n;

	(void)state;
	assert_int_equal(ctr__detach_parse("a,b,c", &d, NULL), 0);
	assert_false(ctr__detach_feed(&d, (const unsigned char *)"xab", 3, out, &n));
	assert_int_equal(n, 1);
	assert_false(ctr__detach_feed(&d, NULL, 0, out, &n));
	assert_int_equal(n, 0);
	assert_int_equal(ctr__detach_flush(&d, out), 2);
	assert_memory_equal(out, "ab", 2);
	assert_int_equal(ctr__detach_flush(&d, out), 0);
}

/* All inputs of 9 characters of two, for all keys of up to 4, against strstr(). */
static void all_short_ones(void **state)
{
	(void)state;
	for (unsigned k = 1; k < 4; k++) {
		for (unsigned bits = 0; bits < 1U << (k + 9); bits++) {
			char keys[16] = "", plain[8] = "", in[16] = "", passed[16];
			const char *hit;

			for (unsigned i = 0; i < k; i++) {
				plain[i] = bits >> i & 1 ? 'b' : 'a';
				keys[2 * i] = plain[i];
				keys[2 * i + 1] = i + 1 < k ? ',' : '\0';
			}
			for (unsigned i = 0; i < 9; i++)
				in[i] = bits >> (k + i) & 1 ? 'b' : 'a';
			hit = strstr(in, plain);
			snprintf(passed, sizeof(passed), "%.*s", hit ? (int)(hit - in) : 9, in);
			feed_cut(keys, in, 0, passed, hit != NULL);
			feed_cut(keys, in, bits, passed, hit != NULL);
			feed_cut(keys, in, ~0U, passed, hit != NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(syntax),
	    cmocka_unit_test(a_null_byte),
	    cmocka_unit_test(bad_syntax),
	    cmocka_unit_test(machine),
	    cmocka_unit_test(held_back),
	    cmocka_unit_test(all_short_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
