/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any packets from a monitor, through a whole relay to a client of Docker's API: the frames are those of the known streams,
 * in their order, whole. The first byte chooses what the client wants; each packet is two bytes of length and as many bytes
 * as there are.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/frame.h"
#include "stream/stream.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACKETS_MAX 12 /* fewer than a socket holds, so that this thread can do all */

static void require(int condition)
{
	if (!condition)
		abort();
}

/* What the client must get: made another way. */
static void expect(
    struct ctr__buf *out, uint64_t flags, bool terminal, const uint8_t *p, size_t len)
{
	unsigned char header[8] = {0};
	bool err = len && p[0] == 3, known = len > 1 && (p[0] == 2 || p[0] == 3);

	if (!known || (terminal && err))
		return;
	if (!terminal && !(flags & (err ? CTR_HTTP_STDERR : CTR_HTTP_STDOUT)))
		return;
	header[0] = err ? 2 : 1;
	header[6] = (unsigned char)((len - 1) >> 8);
	header[7] = (unsigned char)(len - 1);
	if (!terminal)
		ctr__buf_add(out, header, sizeof(header));
	ctr__buf_add(out, p + 1, len - 1);
}

/* Returns true if one is longer than any may be. */
static bool send_packets(int fd, const uint8_t *data, size_t size, uint64_t flags, bool terminal,
    struct ctr__buf *expected)
{
	for (int i = 0; i < PACKETS_MAX && size >= 2; i++) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (len > 2 * CTR__PACKET_MAX)
			len = 2 * CTR__PACKET_MAX;
		if (len && send(fd, data, len, MSG_DONTWAIT) < 0)
			break;
		if (len > CTR__PACKET_MAX)
			return true;
		expect(expected, flags, terminal, data, len);
		data += len;
		size -= len;
	}
	return false;
}

static void compare(int fd, struct ctr_attach *a, const struct ctr__buf *expected, int result)
{
	size_t got = 0;
	char buf[4096];
	int r;

	do {
		ssize_t n;

		r = ctr__stream_process(a, NULL);
		while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
			if (result == CTR_ATTACH_ENDED)
				require(got + (size_t)n <= expected->len &&
				        memcmp(buf, expected->data + got, (size_t)n) == 0);
			got += (size_t)n;
		}
	} while (r == CTR_ATTACH_GOING_ON);
	require(r == result);
	require(r < 0 || got == expected->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTR__BUF struct ctr__buf expected = {0};
	const struct ctr__stream_owner owner = {0};
	struct ctr__stream_http h = {.flags = CTR_HTTP_STREAM | CTR_HTTP_NO_HEADER};
	struct ctr_attach *a = NULL;
	int conn[2], peer[2];
	bool broken;

	if (size < 1)
		return 0;
	h.flags |= data[0] & 1 ? CTR_HTTP_STDOUT : CTR_HTTP_STDERR;
	h.flags |= data[0] & 2 ? CTR_HTTP_STDOUT : 0;
	h.terminal = data[0] & 4;
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, conn) == 0);
	require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer) == 0);
	h.fd = conn[1];
	require(ctr__stream_prepare_http(&h, &a, NULL) == 0);
	close(conn[1]);
	require(ctr__stream_connect(a, peer[1], &owner, NULL) == 0);
	broken = send_packets(peer[0], data + 1, size - 1, h.flags, h.terminal, &expected);
	close(peer[0]);
	compare(conn[0], a, &expected, broken ? CTR_E_SYSTEM : CTR_ATTACH_ENDED);
	close(conn[0]);
	ctr__stream_unref(a);
	return 0;
}
