/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_streams.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE_MAX 8192

int fake_streams_attach(struct fake_streams *s, ctr_error_t **err)
{
	int pair[2], *more = realloc(s->fds, (size_t)(s->n + 1) * sizeof(*more));

	if (!more)
		return ctr_error_set(err, CTR_E_NOMEM, 0, NULL);
	s->fds = more;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return ctr_error_set(err, CTR_E_SYSTEM, 0, "no pair of sockets");
	s->fds[s->n++] = pair[0];
	return pair[1];
}

static void send_packet(int fd, const char *data, size_t len)
{
	char packet[1 + PIECE_MAX];

	packet[0] = 2;
	memcpy(packet + 1, data, len);
	if (send(fd, packet, len + 1, MSG_NOSIGNAL) < 0)
		abort();
}

void fake_streams_say(const struct fake_streams *s, const char *data, const size_t *lengths, int n)
{
	for (int k = 0; k < n; data += lengths[k++])
		for (int i = 0; i < s->n; i++)
			send_packet(s->fds[i], data, lengths[k]);
}

void fake_streams_close(struct fake_streams *s)
{
	for (int i = 0; i < s->n; i++)
		close(s->fds[i]);
	free(s->fds);
	s->fds = NULL;
	s->n = 0;
}
