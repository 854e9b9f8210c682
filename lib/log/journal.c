/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces that conmon sent to journald.
 *
 * It sends datagrams, and journald writes them down when it gets round to it. So before a log is taken for complete
 * journald is asked to finish what it has been sent ("Synchronize").
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/journal_load.h"
#include "log/source.h"
#include "util/cleanup.h"

#define SYNC_SOCKET "/run/systemd/journal/io.systemd.journal"
#define SYNC_CALL   "{\"method\":\"io.systemd.Journal.Synchronize\"}"
#define SYNC_MS     2000

#define NS_PER_US INT64_C(1000)

struct journal {
	struct ctr__log_source base;
	const struct ctr__journal_lib *lib;
	sd_journal *j;
	char *begin; /* cursor of where back() went; NULL: the first record */
	char *text;  /* of the current piece, NUL-terminated */
	size_t cap;
	int sync; /* connection on which the answer is awaited; -1 = none */
	bool synced;
};

static int fail(int errno_, ctr_error_t **err)
{
	return ctr__fail_errno(err, errno_, NULL, "cannot read the journal");
}

/* ---- asking journald to finish ---- */

static int connect_sync(void)
{
	CTR__CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = SYNC_SOCKET};

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    send(fd, SYNC_CALL, sizeof(SYNC_CALL), MSG_NOSIGNAL) != (ssize_t)sizeof(SYNC_CALL))
		return -1;
	return ctr__steal_fd(&fd);
}

/* True once there is an answer, whatever it is: who cannot be asked need not be waited for. */
static bool is_answered(int fd)
{
	char reply[256];

	return recv(fd, reply, sizeof(reply), MSG_DONTWAIT) >= 0 ||
	       (errno != EAGAIN && errno != EINTR);
}

static void await_sync(struct journal *j)
{
	struct pollfd p = {.events = POLLIN};
	CTR__CLOSE int fd = connect_sync();

	p.fd = fd;
	if (fd >= 0)
		(void)poll(&p, 1, SYNC_MS);
	j->synced = true;
}

/* ---- fields ---- */

/* The value of a field of the current record, in its own memory. */
static bool get(const struct journal *j, const char *field, const char **value, size_t *len)
{
	size_t name = strlen(field), size;
	const void *data;

	if (j->lib->get_data(j->j, field, &data, &size) < 0 || size <= name)
		return false;
	*value = (const char *)data + name + 1;
	*len = size - name - 1;
	return true;
}

static bool get_number(const struct journal *j, const char *field, uint64_t *out)
{
	const char *value;
	char text[24];
	size_t len;

	if (!get(j, field, &value, &len) || len >= sizeof(text))
		return false;
	memcpy(text, value, len);
	text[len] = '\0';
	return ctr__parse_u64(text, INT64_MAX / 1000, out);
}

static int64_t get_time(const struct journal *j)
{
	uint64_t us = 0;

	if (!get_number(j, "_SOURCE_REALTIME_TIMESTAMP", &us) &&
	    (j->lib->get_realtime_usec(j->j, &us) < 0 || us > INT64_MAX / 1000))
		us = 0;
	return (int64_t)us * NS_PER_US;
}

static bool keep_text(struct journal *j, const char *data, size_t len)
{
	if (len >= j->cap) {
		char *text = realloc(j->text, len + 1);

		if (!text)
			return false;
		j->text = text;
		j->cap = len + 1;
	}
	memcpy(j->text, data, len);
	j->text[len] = '\0';
	return true;
}

/* 1 = a piece, 0 = no line of the container's. */
static int take_record(struct journal *j, struct ctr__log_piece *out, ctr_error_t **err)
{
	const char *value;
	uint64_t priority;
	size_t len;

	if (!get_number(j, "PRIORITY", &priority) || (priority != 6 && priority != 3) ||
	    !get(j, "MESSAGE", &value, &len) || len > CTR__LOG_LINE_MAX)
		return 0;
	if (!keep_text(j, value, len))
		return ctr__fail_nomem(err);
	out->data = j->text;
	out->len = len;
	out->stream = priority == 3 ? CTR__LOG_STDERR : CTR__LOG_STDOUT;
	out->more = get(j, "CONTAINER_PARTIAL_MESSAGE", &value, &len) && len == 4 &&
	            memcmp(value, "true", 4) == 0;
	/* A line comes with its newline. */
	if (!out->more && out->len > 0 && j->text[out->len - 1] == '\n')
		out->len--;
	out->time_ns = get_time(j);
	return 1;
}

/* ---- the source ---- */

static int op_next(struct ctr__log_source *s, struct ctr__log_piece *out, ctr_error_t **err)
{
	struct journal *j = (struct journal *)s;
	int r;

	for (;;) {
		r = j->lib->next(j->j);
		/* Tells the library of what has come, and the descriptor that we know. */
		if (r == 0 && j->lib->process(j->j) > SD_JOURNAL_NOP)
			r = j->lib->next(j->j);
		if (r <= 0)
			return r < 0 ? fail(-r, err) : 0;
		r = take_record(j, out, err);
		if (r != 0)
			return r;
	}
}

static int op_again(struct ctr__log_source *s, ctr_error_t **err)
{
	struct journal *j = (struct journal *)s;
	int r = j->begin ? j->lib->seek_cursor(j->j, j->begin) : j->lib->seek_head(j->j);

	return r < 0 ? fail(-r, err) : 0;
}

static int op_back(struct ctr__log_source *s, uint64_t n, bool *at_start, ctr_error_t **err)
{
	struct journal *j = (struct journal *)s;
	int r;

	free(CTR__STEAL_PTR(j->begin));
	r = j->lib->seek_tail(j->j);
	if (r >= 0)
		r = j->lib->previous_skip(j->j, n < INT32_MAX ? n : INT32_MAX);
	if (r < 0)
		return fail(-r, err);
	*at_start = (uint64_t)r < n;
	if (!*at_start)
		r = j->lib->get_cursor(j->j, &j->begin);
	return r < 0 ? fail(-r, err) : op_again(s, err);
}

static int op_to_end(struct ctr__log_source *s, ctr_error_t **err)
{
	struct journal *j = (struct journal *)s;
	int r = j->lib->seek_tail(j->j);

	/* "The tail" alone would be read again. */
	if (r >= 0)
		r = j->lib->previous_skip(j->j, 1);
	return r < 0 ? fail(-r, err) : 0;
}

static int op_finish(struct ctr__log_source *s, int *fd)
{
	struct journal *j = (struct journal *)s;

	if (j->synced)
		return 1;
	if (j->sync < 0)
		j->sync = connect_sync();
	if (j->sync >= 0 && !is_answered(j->sync)) {
		*fd = j->sync;
		return 0;
	}
	j->synced = true;
	return 1;
}

static int op_fd(const struct ctr__log_source *s)
{
	const struct journal *j = (const struct journal *)s;

	return j->lib->get_fd(j->j);
}

static void destroy(struct journal *j)
{
	if (j->sync >= 0)
		close(j->sync);
	if (j->j)
		j->lib->close(j->j);
	free(j->begin);
	free(j->text);
	free(j);
}

static void op_destroy(struct ctr__log_source *s)
{
	destroy((struct journal *)s);
}

static void destroyp(struct journal **j)
{
	if (*j)
		destroy(*j);
}

static int begin(struct journal *j, const struct ctr__log_opts *o, ctr_error_t **err)
{
	CTR__FREE char *match = ctr__format("CONTAINER_ID_FULL=%s", o->id);
	int r;

	if (!match)
		return ctr__fail_nomem(err);
	if (!o->follow)
		await_sync(j);
	r = j->lib->open(&j->j, SD_JOURNAL_LOCAL_ONLY);
	if (r >= 0)
		r = j->lib->set_data_threshold(j->j, 0);
	if (r >= 0)
		r = j->lib->add_match(j->j, match, 0);
	/* Before the first look, so that nothing gets lost between. */
	if (r >= 0 && o->follow)
		r = j->lib->get_fd(j->j);
	if (r >= 0)
		r = j->lib->seek_head(j->j);
	return r < 0 ? fail(-r, err) : 0;
}

int ctr__log_open_journal(
    const struct ctr__log_opts *o, struct ctr__log_source **out, ctr_error_t **err)
{
	static const struct ctr__log_source_ops ops = {.next = op_next,
	    .back = op_back,
	    .again = op_again,
	    .to_end = op_to_end,
	    .finish = op_finish,
	    .fd = op_fd,
	    .destroy = op_destroy};
	CTR__CLEANUP(destroyp) struct journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return ctr__fail_nomem(err);
	j->base.ops = &ops;
	j->sync = -1;
	j->lib = ctr__journal_lib();
	if (!j->lib)
		return ctr__fail(err, CTR_E_UNSUPPORTED,
		    "the log is in the journal, and there is no libsystemd to read it with");
	r = begin(j, o, err);
	if (r < 0)
		return r;
	*out = &CTR__STEAL_PTR(j)->base;
	return 0;
}
