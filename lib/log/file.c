/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of a log file, read in blocks, over rotations.
 *
 * The file and what it was before it was rotated (PATH.1, ... of newer monitors) are one row of bytes, the oldest first. The
 * last part may grow. It may also be replaced: at its size limit conmon renames a new file over it. Then the old one,
 * which is open here, is read to its end first.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/source.h"
#include "sys/fd.h"
#include "util/cleanup.h"

#define BLOCK     (64U << 10)
#define CUT_AT    (256U << 10)            /* a longer line of k8s-file comes in pieces      */
#define LINE_MOST (CTR__LOG_LINE_MAX * 2) /* a longer one of json-file counts as damaged    */
#define PARTS_MAX 64
#define TRIES     100 /* to open all parts while nobody renames them */

struct part {
	int fd;
	int number;     /* PATH.number; 0: PATH  */
	uint64_t begin; /* of it in the row      */
	dev_t dev;
	ino_t ino;
};

struct file {
	struct ctr__log_source base;
	char *path;
	bool follow, finished;
	int notify, dir_watch, file_watch;

	struct part parts[PARTS_MAX];
	size_t parts_n; /* 0: there is no file (yet) */

	uint64_t at;    /* where buf ends in the row */
	uint64_t end;   /* what is written behind this is of no concern: for who does not follow */
	uint64_t limit; /* nothing behind this is read now */
	uint64_t back_end, back_at;

	char *buf; /* [first, last) is not used yet; one byte more than cap */
	size_t first, last, cap;
	size_t searched; /* no newline from `first` up to here */
	bool skipping;   /* up to the next newline: damaged */
	bool going_on;   /* ... : more of the line of `cut` */
	struct ctr__log_piece cut;
	struct ctr__log_clock clock;
};

/* ---- parts ---- */

static void close_parts(struct file *f)
{
	for (size_t i = 0; i < f->parts_n; i++)
		close(f->parts[i].fd);
	f->parts_n = 0;
}

static int open_part(const char *path, struct stat *st)
{
	/* Not to be kept waiting by a fifo. */
	CTR__CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, st) < 0)
		return -errno;
	return S_ISREG(st->st_mode) ? ctr__steal_fd(&fd) : -EINVAL;
}

/* Of PATH.number, or of PATH itself. 0 or -errno. */
static int stat_part(const char *path, int number, struct stat *st)
{
	CTR__FREE char *name = number ? ctr__format("%s.%d", path, number) : strdup(path);

	if (!name)
		return -ENOMEM;
	return stat(name, st) < 0 ? -errno : 0;
}

/* The highest number of PATH.1, PATH.2, ...; 0 = none. While they are renamed one may be missing. */
static int count_rotated(const char *path)
{
	int last = 0;

	for (int n = 1; n < PARTS_MAX && n <= last + 2; n++) {
		struct stat st;
		int r = stat_part(path, n, &st);

		if (r == -ENOMEM)
			return r;
		if (r == 0 && S_ISREG(st.st_mode))
			last = n;
	}
	return last;
}

static void add_part(struct file *f, int fd, int number, uint64_t *end, const struct stat *st)
{
	f->parts[f->parts_n++] = (struct part){
	    .fd = fd, .number = number, .begin = *end, .dev = st->st_dev, .ino = st->st_ino};
	*end += (uint64_t)st->st_size;
}

static bool is_part(const struct part *p, const struct stat *st)
{
	return st->st_dev == p->dev && st->st_ino == p->ino;
}

/* Opens PATH.n ... PATH.1, PATH. 0 or -errno. */
static int open_parts(struct file *f, int n)
{
	uint64_t end = 0;
	struct stat st;
	int fd;

	for (; n > 0; n--) {
		CTR__FREE char *name = ctr__format("%s.%d", f->path, n);

		if (!name)
			return -ENOMEM;
		fd = open_part(name, &st);
		if (fd >= 0)
			add_part(f, fd, n, &end, &st);
		else if (fd != -ENOENT && fd != -EINVAL)
			return fd;
	}
	fd = open_part(f->path, &st);
	if (fd >= 0)
		add_part(f, fd, 0, &end, &st);
	else if (fd != -ENOENT)
		return fd;
	return 0;
}

/* Is every name what it was when the parts were opened? Else the log was rotated meanwhile, and one may be missing between
 * them, or be there twice. */
static bool is_settled(const struct file *f, int n)
{
	const struct part *p = f->parts, *end = f->parts + f->parts_n;

	for (; n >= 0; n--) {
		struct stat st;
		int r = stat_part(f->path, n, &st);
		bool opened = p < end && p->number == n;

		if (opened ? r < 0 || !is_part(p, &st) : r == 0 && S_ISREG(st.st_mode))
			return false;
		p += opened;
	}
	return true;
}

/* The highest number of PATH.1, ... that are newer than that part; without one, of all. */
static int count_newer(const char *path, const struct part *than)
{
	int n = count_rotated(path);

	for (int i = 1; than->fd >= 0 && i <= n; i++) {
		struct stat st;
		int r = stat_part(path, i, &st);

		if (r == -ENOMEM)
			return r;
		if (r == 0 && is_part(than, &st))
			return i - 1;
	}
	return n;
}

static void part_close(struct part *p)
{
	ctr__cleanup_close(&p->fd);
}

/* All that are newer than what was the last part so far, which stays open until then: its number is not used again. */
static int open_newer(struct file *f)
{
	CTR__CLEANUP(part_close)
	struct part last = f->parts_n ? f->parts[--f->parts_n] : (struct part){.fd = -1};
	int n = 0, r = 0;

	for (int i = 0; r >= 0 && (i == 0 || !is_settled(f, n)) && i < TRIES; i++) {
		close_parts(f);
		n = count_newer(f->path, &last);
		r = n < 0 ? n : open_parts(f, n);
	}
	return r;
}

static int fail(const struct file *f, int errno_, ctr_error_t **err)
{
	if (errno_ == EINVAL)
		return ctr__fail_errno(err, errno_, f->path, "the log is no regular file");
	return ctr__fail_errno(err, errno_, f->path, "cannot read the log");
}

static int watch_dir(struct file *f)
{
	const char *slash = strrchr(f->path, '/');
	CTR__FREE char *dir = slash ? strndup(f->path, (size_t)(slash - f->path) + 1) : strdup(".");

	if (!dir)
		return -ENOMEM;
	f->dir_watch = inotify_add_watch(f->notify, dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	/* Made with the first run. */
	return f->dir_watch < 0 && errno != ENOENT ? -errno : 0;
}

/* The watch of the directory tells of replacement, that of the file of growth. Called when the file is open, and before it
 * is looked whether it is still the one of that name: so nothing gets lost between. 0 or -errno. */
static int watch(struct file *f)
{
	int r = f->notify >= 0 && f->dir_watch < 0 ? watch_dir(f) : 0;

	if (f->notify < 0 || r < 0)
		return r;
	if (f->file_watch >= 0)
		inotify_rm_watch(f->notify, f->file_watch);
	f->file_watch = inotify_add_watch(f->notify, f->path, IN_MODIFY);
	return f->file_watch < 0 && errno != ENOENT ? -errno : 0;
}

static void start_anew(struct file *f)
{
	f->at = 0;
	f->first = f->last = f->searched = 0;
	f->skipping = f->going_on = false;
}

/* ---- bytes ---- */

/* Reads at a place of the row, from one part. Length, 0 = the end, -errno. */
static ssize_t read_at(const struct file *f, char *to, size_t len, uint64_t at)
{
	size_t i = f->parts_n;
	ssize_t n;

	while (i > 0 && f->parts[i - 1].begin > at)
		i--;
	if (i == 0)
		return 0;
	if (i < f->parts_n && len > f->parts[i].begin - at)
		len = (size_t)(f->parts[i].begin - at);
	do {
		n = pread(f->parts[i - 1].fd, to, len, (off_t)(at - f->parts[i - 1].begin));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static uint64_t row_end(const struct file *f)
{
	const struct part *p = f->parts_n ? &f->parts[f->parts_n - 1] : NULL;
	struct stat st;

	if (!p || fstat(p->fd, &st) < 0)
		return 0;
	return p->begin + (uint64_t)st.st_size;
}

static bool grow(struct file *f)
{
	size_t cap = f->cap ? f->cap * 2 : 2 * BLOCK;
	char *buf = realloc(f->buf, cap + 1);

	if (!buf)
		return false;
	f->buf = buf;
	f->cap = cap;
	return true;
}

/* Reads on. 1 = there is more; 0 = no more now. */
static int fill(struct file *f, ctr_error_t **err)
{
	size_t want;
	ssize_t n;

	if (f->first > 0) {
		memmove(f->buf, f->buf + f->first, f->last - f->first);
		f->last -= f->first;
		f->searched -= f->first;
		f->first = 0;
	}
	if (f->last == f->cap && !grow(f))
		return ctr__fail_nomem(err);
	want = f->cap - f->last < BLOCK ? f->cap - f->last : BLOCK;
	if (want > f->limit - f->at)
		want = (size_t)(f->limit - f->at);
	n = want ? read_at(f, f->buf + f->last, want, f->at) : 0;
	if (n < 0)
		return fail(f, (int)-n, err);
	f->last += (size_t)n;
	f->at += (uint64_t)n;
	return n > 0;
}

/* ---- another file under the same name ---- */

static bool was_replaced(const struct file *f)
{
	struct stat st;

	if (stat(f->path, &st) < 0)
		return false;
	return f->parts_n == 0 || !is_part(&f->parts[f->parts_n - 1], &st);
}

static bool was_truncated(const struct file *f)
{
	return f->parts_n > 0 && row_end(f) < f->at;
}

static int reopen(struct file *f, ctr_error_t **err)
{
	int r = open_newer(f);

	r = r < 0 ? r : watch(f);
	if (r < 0)
		return fail(f, -r, err);
	start_anew(f);
	return 1;
}

/* At the end of what there is. 1 = there is more. */
static int look_for_more(struct file *f, ctr_error_t **err)
{
	int r;

	if (!f->follow || f->limit != f->end)
		return 0;
	if (f->dir_watch < 0)
		(void)watch(f);
	if (was_truncated(f)) {
		start_anew(f);
		f->at = f->parts[f->parts_n - 1].begin;
		return 1;
	}
	if (!was_replaced(f))
		return 0;
	/* What was written before it was replaced, and after it was read. */
	r = fill(f, err);
	return r != 0 ? r : reopen(f, err);
}

/* ---- lines ---- */

static bool parse(struct file *f, char *line, size_t len, struct ctr__log_piece *out)
{
	if (len > 0 && *line == '{')
		return ctr__log_parse_json(line, len, out);
	return ctr__log_parse_k8s(&f->clock, line, len, out);
}

/* What is in the buffer up to `end`, which a newline follows or not. 1 = a piece, 0 = nothing of use. */
static int take_line(struct file *f, size_t end, bool newline, struct ctr__log_piece *out)
{
	char *line = f->buf + f->first;
	size_t len = end - f->first;
	bool ok;

	if (f->skipping) {
		ok = false;
	} else if (f->going_on) {
		*out = f->cut;
		out->data = line;
		out->len = len;
		ok = true;
	} else {
		ok = parse(f, line, len, out);
	}
	if (ok && !newline && *line != '{')
		out->more = true;
	if (newline)
		f->skipping = f->going_on = false;
	f->first = end + newline;
	f->searched = f->first;
	return ok;
}

/* The buffer is full of one line. 1 = a piece of it; 0 = go on reading. */
static int take_part_of_line(struct file *f, struct ctr__log_piece *out)
{
	bool json = !f->going_on && f->buf[f->first] == '{';
	size_t len = f->last - f->first;

	if (f->skipping) {
		f->first = f->searched = f->last;
		return 0;
	}
	if (len < (json ? LINE_MOST : CUT_AT))
		return 0;
	if (!f->going_on && (json || !parse(f, f->buf + f->first, len, out))) {
		f->skipping = true;
		f->first = f->searched = f->last;
		return 0;
	}
	if (!f->going_on) {
		f->going_on = true;
		f->cut = *out;
	} else {
		*out = f->cut;
		out->data = f->buf + f->first;
		out->len = len;
	}
	out->more = true;
	f->first = f->searched = f->last;
	return 1;
}

/* 1 = a piece; 0 = the buffer has no whole line. */
static int next_in_buffer(struct file *f, struct ctr__log_piece *out)
{
	while (f->first < f->last) {
		char *newline = memchr(f->buf + f->searched, '\n', f->last - f->searched);

		if (!newline) {
			f->searched = f->last;
			return take_part_of_line(f, out);
		}
		if (take_line(f, (size_t)(newline - f->buf), true, out))
			return 1;
	}
	return 0;
}

static int op_next(struct ctr__log_source *s, struct ctr__log_piece *out, ctr_error_t **err)
{
	struct file *f = (struct file *)s;
	int r;

	for (;;) {
		if (next_in_buffer(f, out))
			return 1;
		r = fill(f, err);
		if (r == 0)
			r = look_for_more(f, err);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	if (f->finished && f->first < f->last)
		return take_line(f, f->last, false, out);
	return 0;
}

/* ---- from the end ---- */

/* Place behind the n-th newline before `end`; 0 = there are fewer. */
static int find_back(
    const struct file *f, uint64_t end, uint64_t n, uint64_t *place, ctr_error_t **err)
{
	CTR__FREE char *block = malloc(BLOCK);

	if (!block)
		return ctr__fail_nomem(err);
	*place = 0;
	while (end > 0) {
		size_t want = end % BLOCK ? end % BLOCK : BLOCK;
		uint64_t begin = end - want;
		size_t len = 0;

		while (len < want) {
			ssize_t got = read_at(f, block + len, want - len, begin + len);

			if (got < 0)
				return fail(f, (int)-got, err);
			if (got == 0)
				break; /* truncated meanwhile */
			len += (size_t)got;
		}
		for (const char *p; (p = memrchr(block, '\n', len)); len = (size_t)(p - block)) {
			if (n-- == 0) {
				*place = begin + (uint64_t)(p - block) + 1;
				return 0;
			}
		}
		end = begin;
	}
	return 0;
}

static void go_to(struct file *f, uint64_t place)
{
	start_anew(f);
	f->at = place;
}

static int op_back(struct ctr__log_source *s, uint64_t n, bool *at_start, ctr_error_t **err)
{
	struct file *f = (struct file *)s;
	int r;

	if (f->limit == UINT64_MAX)
		f->limit = row_end(f);
	r = find_back(f, f->limit, n, &f->back_at, err);
	if (r < 0)
		return r;
	*at_start = f->back_at == 0;
	go_to(f, f->back_at);
	return 0;
}

static int op_again(struct ctr__log_source *s, ctr_error_t **err)
{
	struct file *f = (struct file *)s;

	(void)err;
	f->limit = f->end;
	go_to(f, f->back_at);
	return 0;
}

static int op_to_end(struct ctr__log_source *s, ctr_error_t **err)
{
	struct file *f = (struct file *)s;
	uint64_t place;
	int r = find_back(f, row_end(f), 0, &place, err);

	if (r < 0)
		return r;
	go_to(f, place);
	return 0;
}

/* ---- the rest ---- */

static int op_finish(struct ctr__log_source *s, int *fd)
{
	struct file *f = (struct file *)s;

	(void)fd;
	f->finished = true;
	return 1;
}

static int op_fd(const struct ctr__log_source *s)
{
	(void)s;
	return -1;
}

static void destroy(struct file *f)
{
	/* The watches go with the owner's descriptor. */
	close_parts(f);
	free(f->buf);
	free(f->path);
	free(f);
}

static void op_destroy(struct ctr__log_source *s)
{
	destroy((struct file *)s);
}

static void destroyp(struct file **f)
{
	if (*f)
		destroy(*f);
}

int ctr__log_open_file(
    const struct ctr__log_opts *o, struct ctr__log_source **out, ctr_error_t **err)
{
	static const struct ctr__log_source_ops ops = {.next = op_next,
	    .back = op_back,
	    .again = op_again,
	    .to_end = op_to_end,
	    .finish = op_finish,
	    .fd = op_fd,
	    .destroy = op_destroy};
	CTR__CLEANUP(destroyp) struct file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return ctr__fail_nomem(err);
	f->base.ops = &ops;
	f->follow = o->follow;
	f->notify = o->follow ? o->notify : -1;
	f->dir_watch = f->file_watch = -1;
	f->path = strdup(o->path);
	if (!f->path)
		return ctr__fail_nomem(err);
	r = open_newer(f);
	r = r < 0 ? r : watch(f);
	if (r < 0)
		return fail(f, -r, err);
	f->end = f->limit = o->follow ? UINT64_MAX : row_end(f);
	*out = &CTR__STEAL_PTR(f)->base;
	return 0;
}
