/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a log file: read whole, from its end, and in the middle of being written and replaced. What the readers
 * say must agree.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log/log.h"
#include "sys/fd.h"
#include "util/cleanup.h"

#define BOTH (1U << CTR__LOG_STDOUT | 1U << CTR__LOG_STDERR)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

struct sum {
	size_t lines, partial;
	uint64_t hash;
};

/* Adds all that there is now; the first `skip` lines count as lines only. */
static void add(struct ctr__log *l, struct sum *s, size_t skip)
{
	struct ctr__log_line line;
	int r;

	while ((r = ctr__log_next(l, &line, NULL)) == 1) {
		require(line.len <= CTR__LOG_LINE_MAX && line.text[line.len] == '\0');
		require(line.stream == CTR__LOG_STDOUT || line.stream == CTR__LOG_STDERR);
		for (size_t i = 0; s->lines >= skip && i < line.len; i++)
			s->hash = s->hash * 31 + (unsigned char)line.text[i];
		s->partial += line.partial;
		if (s->lines++ >= skip)
			s->hash = s->hash * 31 + 1000 + (unsigned)line.stream + line.partial;
	}
	require(r == 0 || r == 2);
}

static struct ctr__log *open_log(const struct ctr__log_opts *o)
{
	struct ctr__log *l = NULL;

	require(ctr__log_open(o, &l, NULL) >= 0);
	return l;
}

static struct sum read_once(const struct ctr__log_opts *o, size_t skip)
{
	struct ctr__log *l = open_log(o);
	struct sum s = {0};

	add(l, &s, skip);
	ctr__log_free(l);
	return s;
}

/* Written in two parts, the second one while it is followed. */
static struct sum follow(const char *path, int fd, const uint8_t *data, size_t size)
{
	struct ctr__log_opts o = {.path = path, .streams = BOTH, .follow = true, .notify = -1};
	struct ctr__log *l;
	struct sum s = {0};
	size_t cut = size ? data[0] * size / 256 : 0;
	int none;

	require(ftruncate(fd, 0) == 0 && pwrite(fd, data, cut, 0) == (ssize_t)cut);
	l = open_log(&o);
	add(l, &s, 0);
	require(pwrite(fd, data + cut, size - cut, (off_t)cut) == (ssize_t)(size - cut));
	add(l, &s, 0);
	require(ctr__log_finish(l, &none) == 1);
	add(l, &s, 0);
	ctr__log_free(l);
	return s;
}

static size_t count_records(const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTR__CLOSE int fd = memfd_create("log", MFD_CLOEXEC);
	struct ctr__log_opts o = {.streams = BOTH, .notify = -1};
	struct sum all, other;
	char path[64];

	require(fd >= 0 && ctr__write_all(fd, data, size) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o.path = path;
	all = read_once(&o, 0);
	/* What nothing ended comes last, wherever its pieces are: who reads from the end may not have seen them. */
	for (size_t n = 1; n <= all.lines + 1 && !all.partial && count_records(data, size) < 4000;
	     n += 1 + n / 4) {
		size_t skip = n < all.lines ? all.lines - n : 0;
		struct sum end;

		o.has_tail = false;
		other = read_once(&o, skip);
		o.has_tail = true;
		o.tail = n;
		end = read_once(&o, 0);
		require(end.lines == other.lines - skip && end.hash == other.hash);
	}
	o.has_tail = false;
	o.streams = 1U << CTR__LOG_STDERR;
	other = read_once(&o, 0);
	require(other.lines <= all.lines);
	o.since_ns = 1;
	o.until_ns = INT64_C(1700000000000000000);
	(void)read_once(&o, 0);
	other = follow(path, fd, data, size);
	require(other.lines == all.lines && other.hash == all.hash);
	return 0;
}
