/* SPDX-License-Identifier: Apache-2.0 */
/* conmon's packets, Docker's frames and texts. */
#include "stream_test.h"

static void packets(void **state)
{
	const unsigned char *data;
	size_t len;
	int stream;

	(void)state;
	assert_true(ctr__packet_read((const unsigned char *)"\x02hello", 6, &stream, &data, &len));
	assert_int_equal(stream, CTR__STDOUT);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "hello", 5);
	assert_true(ctr__packet_read((const unsigned char *)"\x03", 1, &stream, &data, &len));
	assert_int_equal(stream, CTR__STDERR);
	assert_int_equal(len, 0);
}

static void strange_packets(void **state)
{
	const unsigned char *data;
	size_t len;
	int stream;

	(void)state;
	assert_false(ctr__packet_read(NULL, 0, &stream, &data, &len));
	for (unsigned i = 0; i < 256; i++) {
		unsigned char p[2] = {(unsigned char)i, 'x'};

		assert_int_equal(ctr__packet_read(p, 2, &stream, &data, &len), i == 2 || i == 3);
	}
}

static void frames(void **state)
{
	unsigned char h[CTR__FRAME_HEADER];

	(void)state;
	ctr__frame_header(h, CTR__STDERR, 0x01020304);
	assert_memory_equal(h, "\x02\0\0\0\x01\x02\x03\x04", 8);
	ctr__frame_header(h, CTR__STDOUT, 0);
	assert_memory_equal(h, "\x01\0\0\0\0\0\0\0", 8);
}

static void header_is(uint64_t flags, bool terminal, const char *expected)
{
	CTR__BUF struct ctr__buf b = {0};

	ctr__http_header(&b, flags, terminal);
	assert_string_equal(b.data, expected);
}

static void headers(void **state)
{
	(void)state;
	header_is(
	    0, false, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n");
	header_is(CTR_HTTP_MULTIPLEXED, false,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n");
	header_is(CTR_HTTP_MULTIPLEXED | CTR_HTTP_UPGRADE, true,
	    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
	    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
}

static void errors(void **state)
{
	CTR__BUF struct ctr__buf raw = {0};
	CTR__BUF struct ctr__buf framed = {0};

	(void)state;
	ctr__http_error(&raw, false, "gone");
	assert_string_equal(raw.data, "Error: gone\n");
	ctr__http_error(&framed, true, "gone");
	assert_int_equal(framed.len, 8 + 12);
	assert_memory_equal(framed.data,
	    "\x02\0\0\0\0\0\0\x0c"
	    "Error: gone\n",
	    20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packets),
	    cmocka_unit_test(strange_packets),
	    cmocka_unit_test(frames),
	    cmocka_unit_test(headers),
	    cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
