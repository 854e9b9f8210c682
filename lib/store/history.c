/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reboot must not forget of a container: <root>/containers/<id>/history. Two slots that are written in
 * turn: whatever interrupts a write, the other one is whole. Nothing waits for the disk; the file is allocated
 * when it is made, so later writes do not run out of space.
 */
#include "store/env.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include <libctr/state.h>

#include "sys/path.h"

#define MAGIC   UINT32_C(0x48525443) /* "CTRH" */
#define VERSION 1U
#define SLOTS   2U

enum { EVER_STARTED = 1, STOPPED_BY_USER = 2, EXITED = 4, OOM_KILLED = 8, REMOVING = 16 };

struct slot {
	uint32_t magic;
	uint16_t version;
	uint16_t flags;
	uint64_t sequence;
	int64_t started_ns, finished_ns;
	int32_t exit_code;
	unsigned char reserved[128 - 44];
	uint32_t size; /* of the slot */
	uint32_t crc;  /* of all before it */
};
_Static_assert(sizeof(struct slot) == 128, "stored layout");

static bool slot_valid(const struct slot *s)
{
	return s->magic == MAGIC && s->version == VERSION && s->size == sizeof(*s) &&
	       s->crc == ctr__crc32(s, offsetof(struct slot, crc));
}

/* The newer valid slot's number, or -1. */
static int newest(const struct slot slots[SLOTS])
{
	bool valid[SLOTS] = {slot_valid(&slots[0]), slot_valid(&slots[1])};

	if (valid[0] && valid[1])
		return slots[1].sequence > slots[0].sequence;
	return valid[0] ? 0 : valid[1] ? 1 : -1;
}

static void fill(struct slot *s, const struct ctr__state *state, uint64_t sequence)
{
	memset(s, 0, sizeof(*s));
	s->magic = MAGIC;
	s->version = VERSION;
	s->flags = (uint16_t)((state->ever_started ? EVER_STARTED : 0) |
	                      (state->stopped_by_user ? STOPPED_BY_USER : 0) |
	                      (state->exited ? EXITED : 0) | (state->oom_killed ? OOM_KILLED : 0) |
	                      (state->state == CTR_STATE_REMOVING ? REMOVING : 0));
	s->sequence = sequence;
	s->started_ns = state->started_ns;
	s->finished_ns = state->finished_ns;
	s->exit_code = state->exit_code;
	s->size = sizeof(*s);
	s->crc = ctr__crc32(s, offsetof(struct slot, crc));
}

/* ---- the file ---- */

#define PATH_SIZE (sizeof("containers//history") + CTR__ID_MAX)

static int open_history(struct ctr__store *s, const char *id, int flags)
{
	char path[PATH_SIZE];
	int fd;

	/* It becomes part of a path. */
	if (!id || !ctr__id_valid(id))
		return -EINVAL;
	snprintf(path, sizeof(path), "containers/%s/history", id);
	fd = openat(s->root_fd, path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int make_dir(struct ctr__store *s, const char *id)
{
	CTR__CLOSE int containers = ctr__mkdir_at(s->root_fd, "containers", 0700);
	CTR__CLOSE int dir = containers < 0 ? -1 : ctr__mkdir_at(containers, id, 0700);

	if (containers < 0)
		return containers;
	return dir < 0 ? dir : 0;
}

/* Allocated in full; nothing is written to what is there. */
static int allocate(int fd)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size >= (off_t)(SLOTS * sizeof(struct slot)))
		return 0;
	do {
		r = fallocate(fd, 0, 0, SLOTS * sizeof(struct slot));
	} while (r < 0 && errno == EINTR);
	/* A file system that cannot: then a write may fail, and says so. */
	return r < 0 && errno != EOPNOTSUPP && errno != ENOSYS ? -errno : 0;
}

static int open_for_writing(struct ctr__store *s, const char *id)
{
	CTR__CLOSE int fd = open_history(s, id, O_RDWR | O_CREAT);
	int r;

	if (fd == -ENOENT) {
		r = make_dir(s, id);
		if (r < 0)
			return r;
		fd = open_history(s, id, O_RDWR | O_CREAT);
	}
	if (fd < 0)
		return fd;
	r = allocate(fd);
	return r < 0 ? r : ctr__steal_fd(&fd);
}

/* What is missing reads as zeros. */
static int read_slots(int fd, struct slot slots[SLOTS])
{
	ssize_t n;

	memset(slots, 0, SLOTS * sizeof(*slots));
	do {
		n = pread(fd, slots, SLOTS * sizeof(*slots), 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int write_slot(int fd, const struct slot *s, unsigned int number)
{
	ssize_t n;

	do {
		n = pwrite(fd, s, sizeof(*s), (off_t)(number * sizeof(*s)));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*s) ? 0 : -ENOSPC;
}

/* ---- for others ---- */

int ctr__history_write(struct ctr__store *s, const char *id, const struct ctr__state *state)
{
	CTR__CLOSE int fd = open_for_writing(s, id);
	struct slot slots[SLOTS], fresh;
	int last, r;

	if (fd < 0)
		return fd;
	r = read_slots(fd, slots);
	if (r < 0)
		return r;
	last = newest(slots);
	fill(&fresh, state, last < 0 ? 1 : slots[last].sequence + 1);
	return write_slot(fd, &fresh, last == 0 ? 1 : 0);
}

int ctr__history_read(struct ctr__store *s, const char *id, struct ctr__state *out)
{
	CTR__CLOSE int fd = open_history(s, id, O_RDONLY);
	struct slot slots[SLOTS];
	const struct slot *h;
	int last;

	if (fd < 0 || read_slots(fd, slots) < 0)
		return 0;
	last = newest(slots);
	if (last < 0)
		return 0;
	h = &slots[last];
	out->ever_started = h->flags & EVER_STARTED;
	out->stopped_by_user = h->flags & STOPPED_BY_USER;
	out->exited = h->flags & EXITED;
	out->oom_killed = h->flags & OOM_KILLED;
	out->exit_code = h->exit_code;
	out->started_ns = h->started_ns;
	out->finished_ns = h->finished_ns;
	if (!out->ever_started)
		return 1;
	out->state = CTR_STATE_EXITED;
	if (!out->exited) {
		/* It was running when the machine went down. */
		out->exited = true;
		out->exit_code = -1;
	}
	/* Some of it may be gone already. */
	if (h->flags & REMOVING)
		out->state = CTR_STATE_REMOVING;
	return 1;
}

void ctr__history_remove(struct ctr__store *s, const char *id)
{
	char path[PATH_SIZE];

	if (!ctr__id_valid(id))
		return;
	snprintf(path, sizeof(path), "containers/%s/history", id);
	(void)unlinkat(s->root_fd, path, 0);
}
