/* SPDX-License-Identifier: Apache-2.0 */
/* What a relay moves when it is processed, and what it waits for afterwards. */
#include "stream/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"

/* So that one that never runs dry lets others have their turn: at most 16 batches of packets, 2 MB. */
#define ROUNDS 16

/* ---- buffers of a call ---- */

/* A small one serves a terminal's few bytes; only a stream that fills it gets a large one, for this call. */
#define SMALL_INPUT 4096U
#define LARGE_INPUT (CTR__INPUT_MAX - CTR__DETACH_MAX)

struct scratch {
	unsigned char *large; /* CTR__BATCH packets; NULL = not (yet) */
	bool much;            /* it would be of use */
	/* One packet, or input and what the detach keys leave of it. */
	unsigned char small[2 * SMALL_INPUT + CTR__DETACH_MAX];
};

_Static_assert(2 * SMALL_INPUT + CTR__DETACH_MAX >= CTR__PACKET_MAX, "a packet in the small one");
_Static_assert(CTR__BATCH *CTR__PACKET_MAX >= 2 * CTR__INPUT_MAX, "input in the large one");

static void scratch_free(struct scratch *s)
{
	free(s->large);
}

/* Without memory the small one goes on serving. */
static bool use_large(struct scratch *s)
{
	if (s->much && !s->large)
		s->large = malloc((size_t)CTR__BATCH * CTR__PACKET_MAX);
	return s->large;
}

/* ---- input ---- */

/* The host's own descriptor has failed. */
int ctr__relay_failed(struct ctr_attach *a, const char *field, int errno_, ctr_error_t **err)
{
	CTR__FREE char *message = NULL;

	a->field = a->http ? "fd" : field;
	message = ctr__format("%s: %s", a->field, strerrordesc_np(errno_));
	if (!message)
		return ctr__fail_nomem(err);
	return ctr__error_set(err, CTR_E_SYSTEM, errno_, message);
}

/* The process reads no more: not an error, its output tells what became of it. */
static void stop_input(struct ctr_attach *a)
{
	a->input_ended = a->shut = true;
	ctr__kept_free(&a->kept[CTR__PEER]);
}

/* How many bytes were taken; those of a process that reads no more count as taken. */
static int send_input(
    struct ctr_attach *a, const unsigned char *data, size_t len, size_t *taken, ctr_error_t **err)
{
	*taken = 0;
	while (*taken < len) {
		size_t piece = len - *taken < CTR__INPUT_MAX ? len - *taken : CTR__INPUT_MAX;
		ssize_t n = send(a->socket, data + *taken, piece, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)) {
			stop_input(a);
			*taken = len;
			return 0;
		}
		if (n < 0)
			return ctr__fail_errno(err, errno, NULL, "send to the process");
		*taken += (size_t)n;
	}
	return 0;
}

/* Sends, and keeps what does not go. */
static int pass_on(struct ctr_attach *a, const unsigned char *data, size_t len, ctr_error_t **err)
{
	size_t taken;
	int r = send_input(a, data, len, &taken, err);

	if (r < 0 || taken == len)
		return r;
	if (!ctr__kept_add(&a->kept[CTR__PEER], data + taken, len - taken))
		return ctr__fail_nomem(err);
	return 0;
}

static int send_kept(struct ctr_attach *a, bool *moved, ctr_error_t **err)
{
	struct ctr__kept *k = &a->kept[CTR__PEER];
	size_t taken;
	int r = send_input(a, k->data + k->at, k->len - k->at, &taken, err);

	if (r < 0 || a->shut)
		return r;
	*moved |= taken > 0;
	k->at += taken;
	if (!ctr__kept_any(k))
		ctr__kept_free(k);
	return 0;
}

/* The host's input has ended: what looked like detach keys was none, and the process shall know. */
static int end_input(struct ctr_attach *a, ctr_error_t **err)
{
	unsigned char rest[CTR__DETACH_MAX];
	size_t n = ctr__detach_flush(&a->detach, rest);

	a->input_ended = true;
	ctr__relay_drop(a, CTR__IN);
	return pass_on(a, rest, n, err);
}

static int read_input(struct ctr_attach *a, struct scratch *s, bool *moved, ctr_error_t **err)
{
	bool large = use_large(s);
	size_t room = large ? LARGE_INPUT : SMALL_INPUT, len;
	unsigned char *in = large ? s->large : s->small, *out = in + room;
	ssize_t n = ctr__endpoint_read(&a->end[CTR__IN], in, room);

	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return ctr__relay_failed(a, "stdin_fd", (int)-n, err);
	*moved = true;
	if (n == 0)
		return end_input(a, err);
	s->much |= (size_t)n == room;
	a->detached = ctr__detach_feed(&a->detach, in, (size_t)n, out, &len);
	return pass_on(a, out, len, err);
}

static int move_input(struct ctr_attach *a, struct scratch *s, bool *moved, ctr_error_t **err)
{
	if (a->socket < 0)
		return 0;
	if (ctr__kept_any(&a->kept[CTR__PEER])) {
		int r = send_kept(a, moved, err);

		if (r < 0 || ctr__kept_any(&a->kept[CTR__PEER]))
			return r;
	}
	if (!a->input_ended && !a->detached)
		return read_input(a, s, moved, err);
	if (a->input_ended && !a->shut) {
		a->shut = true;
		(void)shutdown(a->socket, SHUT_WR);
	}
	return 0;
}

bool ctr__relay_feed(struct ctr_attach *a, const void *data, size_t len)
{
	CTR__FREE unsigned char *out = malloc(len + CTR__DETACH_MAX);
	size_t n = 0;

	if (!out)
		return false;
	a->detached = ctr__detach_feed(&a->detach, data, len, out, &n);
	return ctr__kept_add(&a->kept[CTR__PEER], out, n);
}

/* ---- output ---- */

static void source_end(struct ctr_attach *a)
{
	if (a->source.destroy)
		a->source.destroy(a->source.arg);
	a->source = (struct ctr__stream_source){0};
}

static int take_from_source(struct ctr_attach *a, bool *moved, ctr_error_t **err)
{
	struct ctr__piece p;
	const char *data = NULL;
	int32_t stream = 0;
	int r = a->source.next(a->source.arg, &stream, &data, &p.len, err);

	*moved |= r >= 0;
	if (r == 0)
		source_end(a);
	if (r <= 0)
		return r;
	p.stream = stream;
	p.data = (const unsigned char *)data;
	return ctr__output_write(a, &p, 1, err);
}

static int too_long(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_SYSTEM,
	    "a packet of the process's output has more than %u bytes", CTR__PACKET_MAX);
}

/* Takes one packet. Its bytes, 0 at the end, or -errno. */
static ssize_t take_one(struct ctr_attach *a, unsigned char *buf)
{
	ssize_t n;

	do
		n = recv(a->socket, buf, CTR__PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Takes several; their lengths, more than CTR__PACKET_MAX for one that was cut. How many, or -errno. */
static int take_batch(struct ctr_attach *a, unsigned char *buf, size_t len[CTR__BATCH])
{
	struct mmsghdr m[CTR__BATCH];
	struct iovec v[CTR__BATCH];
	int n;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < CTR__BATCH; i++) {
		v[i].iov_base = buf + (size_t)i * CTR__PACKET_MAX;
		v[i].iov_len = CTR__PACKET_MAX;
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	do
		n = recvmmsg(a->socket, m, CTR__BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	for (int i = 0; i < n; i++)
		len[i] = m[i].msg_hdr.msg_flags & MSG_TRUNC ? CTR__PACKET_MAX + 1 : m[i].msg_len;
	return n < 0 ? -errno : n;
}

/* As take_batch(), with what there is of room. */
static int take_some(
    struct ctr_attach *a, struct scratch *s, unsigned char **buf, size_t len[CTR__BATCH])
{
	ssize_t n;

	if (use_large(s)) {
		*buf = s->large;
		return take_batch(a, s->large, len);
	}
	*buf = s->small;
	n = take_one(a, s->small);
	if (n < 0)
		return (int)n;
	len[0] = (size_t)n;
	return 1;
}

/* A process that ended without having read its input resets the connection, and the kernel says so first: what it had
 * printed comes after that. */
static int take(
    struct ctr_attach *a, struct scratch *s, unsigned char **buf, size_t len[CTR__BATCH])
{
	int n = take_some(a, s, buf, len);

	return n == -ECONNRESET ? take_some(a, s, buf, len) : n;
}

/* At the end of the output every further packet has length 0. *end: it was reached. */
static int unpack(const unsigned char *buf, const size_t *len, int n, struct ctr__piece *p,
    size_t *pieces, bool *end, ctr_error_t **err)
{
	for (int i = 0; i < n; i++) {
		struct ctr__piece *next = &p[*pieces];

		if (len[i] > CTR__PACKET_MAX)
			return too_long(err);
		*end = len[i] == 0;
		if (*end)
			return 0;
		if (ctr__packet_read(buf + (size_t)i * CTR__PACKET_MAX, len[i], &next->stream,
		        &next->data, &next->len))
			(*pieces)++;
	}
	return 0;
}

static int take_from_socket(struct ctr_attach *a, struct scratch *s, bool *moved, ctr_error_t **err)
{
	struct ctr__piece p[CTR__BATCH];
	size_t len[CTR__BATCH], pieces = 0;
	unsigned char *buf;
	bool end = false;
	int n = take(a, s, &buf, len), r;

	if (n == -EAGAIN)
		return 0;
	if (n == -ECONNRESET)
		end = true;
	else if (n < 0)
		return ctr__fail_errno(err, -n, NULL, "receive from the process");
	*moved = true;
	s->much |= n == 1 && len[0] == CTR__PACKET_MAX;
	r = n < 0 ? 0 : unpack(buf, len, n, p, &pieces, &end, err);
	if (r >= 0)
		r = ctr__output_write(a, p, pieces, err);
	if (end)
		ctr__relay_drop(a, CTR__PEER);
	return r;
}

static int move_output(struct ctr_attach *a, struct scratch *s, bool *moved, ctr_error_t **err)
{
	int r = ctr__output_flush(a, moved, err);

	if (r < 0 || ctr__output_is_stuck(a))
		return r;
	if (a->source.next)
		return take_from_source(a, moved, err);
	return a->socket < 0 ? 0 : take_from_socket(a, s, moved, err);
}

/* ---- both ---- */

static int verdict(const struct ctr_attach *a)
{
	/* What was typed before the keys is sent first. */
	if (a->detached && !ctr__kept_any(&a->kept[CTR__PEER]))
		return CTR_ATTACH_DETACHED;
	if (ctr__output_all_gone(a))
		return CTR_ATTACH_CLOSED;
	if (a->socket < 0 && !a->source.next && !ctr__output_is_stuck(a))
		return CTR_ATTACH_ENDED;
	return CTR_ATTACH_GOING_ON;
}

int ctr__relay_move(struct ctr_attach *a, ctr_error_t **err)
{
	CTR__CLEANUP(scratch_free) struct scratch s;
	bool moved = true;
	int r = CTR_ATTACH_GOING_ON;

	s.large = NULL;
	s.much = false;
	for (int i = 0; moved && r == CTR_ATTACH_GOING_ON && i < ROUNDS; i++) {
		s.much |= i > 1;
		moved = false;
		r = move_output(a, &s, &moved, err);
		if (r >= 0)
			r = move_input(a, &s, &moved, err);
		if (r >= 0)
			r = verdict(a);
	}
	if (moved && r == CTR_ATTACH_GOING_ON)
		ctr__relay_arm(a);
	return r;
}

/* ---- waiting ---- */

static int fd_of(const struct ctr_attach *a, int which)
{
	return which == CTR__PEER ? a->socket : a->end[which].fd;
}

void ctr__relay_arm(struct ctr_attach *a)
{
	struct epoll_event ev = {.events = EPOLLOUT, .data.fd = a->wake};

	atomic_store(&a->armed, true);
	(void)epoll_ctl(a->epoll, EPOLL_CTL_MOD, a->wake, &ev);
}

static void unwatch(struct ctr_attach *a, int which)
{
	if (a->watched[which] == CTR__WATCH_NONE)
		return;
	(void)epoll_ctl(a->epoll, EPOLL_CTL_DEL, fd_of(a, which), NULL);
	a->watched[which] = CTR__WATCH_NONE;
}

/* Closing the number alone would not do: the description is the host's, too. Where two ends have one number, the one that
 * owns it ends both. */
void ctr__relay_drop(struct ctr_attach *a, int which)
{
	int fd = fd_of(a, which);

	if (fd < 0)
		return;
	unwatch(a, which);
	ctr__kept_free(&a->kept[which]);
	if (which == CTR__PEER) {
		close(a->socket);
		a->socket = -1;
		return;
	}
	for (int i = CTR__IN; i < CTR__PEER; i++) {
		if (i == which || a->end[i].fd != fd || a->end[which].kept)
			continue;
		unwatch(a, i);
		a->end[i].fd = -1;
		a->input_ended |= i == CTR__IN;
	}
	ctr__endpoint_close(&a->end[which]);
}

static uint32_t wanted(const struct ctr_attach *a, int which)
{
	bool stuck = ctr__output_is_stuck(a), kept = ctr__kept_any(&a->kept[CTR__PEER]);
	uint32_t mask = 0;

	if (fd_of(a, which) < 0)
		return CTR__WATCH_NONE;
	switch (which) {
	case CTR__PEER:
		mask |= stuck || a->source.next ? 0 : EPOLLIN;
		mask |= kept ? EPOLLOUT : 0;
		/* With nothing to wait for its hang-up would be reported for ever. */
		return mask ? mask : CTR__WATCH_NONE;
	case CTR__IN:
		if (a->end[which].kind == CTR__EP_FILE || kept || a->input_ended || a->socket < 0)
			return CTR__WATCH_NONE;
		return EPOLLIN;
	default:
		if (a->end[which].kind == CTR__EP_FILE)
			return CTR__WATCH_NONE;
		/* Without an event: to learn that nobody reads any more. */
		return ctr__kept_any(&a->kept[which]) ? EPOLLOUT : 0;
	}
}

/* A number can be in the set once only: the wishes of two ends with one number are the first one's. */
static void find_wishes(const struct ctr_attach *a, uint32_t want[CTR__ENDS])
{
	for (int i = 0; i < CTR__ENDS; i++) {
		want[i] = wanted(a, i);
		for (int j = 0; j < i && want[i] != CTR__WATCH_NONE; j++) {
			if (want[j] == CTR__WATCH_NONE || fd_of(a, j) != fd_of(a, i))
				continue;
			want[j] |= want[i];
			want[i] = CTR__WATCH_NONE;
		}
	}
}

int ctr__relay_watch(struct ctr_attach *a, ctr_error_t **err)
{
	uint32_t want[CTR__ENDS];

	find_wishes(a, want);
	for (int i = 0; i < CTR__ENDS; i++)
		if (want[i] == CTR__WATCH_NONE)
			unwatch(a, i);
	for (int i = 0; i < CTR__ENDS; i++) {
		struct epoll_event ev = {.events = want[i], .data.fd = fd_of(a, i)};
		int op = a->watched[i] == CTR__WATCH_NONE ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

		if (want[i] == a->watched[i])
			continue;
		if (epoll_ctl(a->epoll, op, ev.data.fd, &ev) < 0)
			return ctr__fail_errno(err, errno, NULL, "wait for a descriptor");
		a->watched[i] = want[i];
	}
	return 0;
}

/* A connection that takes input, too, is first read to its end. */
static bool ends_with_input(const struct ctr_attach *a, int which)
{
	return a->end[CTR__IN].fd == a->end[which].fd && !a->input_ended &&
	       !ctr__kept_any(&a->kept[CTR__PEER]);
}

void ctr__relay_look(struct ctr_attach *a)
{
	struct epoll_event ev[CTR__ENDS + 1];
	int n = epoll_wait(a->epoll, ev, CTR__ENDS + 1, 0);

	for (int i = 0; i < n; i++) {
		if (!(ev[i].events & (EPOLLERR | EPOLLHUP)))
			continue;
		for (int o = CTR__OUT; o <= CTR__ERR; o++)
			if (a->end[o].fd == ev[i].data.fd && !ends_with_input(a, o))
				ctr__relay_drop(a, o);
	}
}
