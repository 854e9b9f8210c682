/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store, step by step, under the exclusive lock of <root>/.lock. */
#include "store/env.h"

#include <fcntl.h>
#include <sys/file.h>

#include "sys/path.h"

static int lock_file(int fd)
{
	int r;

	do {
		r = flock(fd, LOCK_EX);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Not left to close(): a child that another thread forks meanwhile has the descriptor, too. */
static void unlockp(int *fd)
{
	if (*fd >= 0)
		flock(*fd, LOCK_UN);
}
#define FLOCKED CTR__CLEANUP(unlockp)

static int open_lock_file(struct ctr__store *s, int *out, ctr_error_t **err)
{
	*out = openat(s->root_fd, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*out < 0)
		return ctr__fail_errno(err, errno, s->root, "cannot use the root");
	return 0;
}

static int init_object(struct ctr__store *s, ctr_error_t **err)
{
	int r;

	s->pid = getpid();
	s->fork_page = ctr__fork_page_new();
	r = ctr__env_init(&s->root_env, s, CTR__MUTEX_ROOT, s->root, err);
	if (r == 0)
		r = ctr__env_init(&s->run_env, s, CTR__MUTEX_RUN, s->run_root, err);
	return r;
}

/* The lock table of this boot. *stale: of another one. */
static int attach_locks(struct ctr__store *s, bool *stale, ctr_error_t **err)
{
	int r = ctr__locks_open(s->run_fd, false, &s->locks, stale, err);

	return r < 0 ? ctr__error_prefix(err, r, "%s", s->run_root) : 0;
}

static int make_locks(struct ctr__store *s, ctr_error_t **err)
{
	bool stale;
	int r = ctr__locks_open(s->run_fd, true, &s->locks, &stale, err);

	if (r == 0 && stale)
		return ctr__fail(err, CTR_E_INTERNAL, "a new lock table is stale");
	return r < 0 ? ctr__error_prefix(err, r, "%s", s->run_root) : 0;
}

static int open_root_env(struct ctr__store *s, ctr_error_t **err)
{
	CTR__UNLOCK struct ctr__env *held = NULL;
	/* Without a lock table, nobody uses this root in a way that is right. */
	int r = ctr__env_lock(&s->root_env, &held, err);

	if (r == 0)
		r = ctr__env_open(&s->root_env, s->root_fd, err);
	if (r == 0)
		r = ctr__schema_open(&s->root_env, err);
	if (r == 0)
		r = ctr__schema_check_pair(s, err);
	return r;
}

static int open_run_env(struct ctr__store *s, ctr_error_t **err)
{
	CTR__UNLOCK struct ctr__env *held = NULL;
	int r = ctr__env_lock(&s->run_env, &held, err);

	if (r == 0)
		r = ctr__env_open(&s->run_env, s->run_fd, err);
	if (r == 0)
		r = ctr__schema_open(&s->run_env, err);
	return r;
}

static int repair(struct ctr__store *s, ctr_error_t **err)
{
	CTR__UNLOCK struct ctr__env *held = NULL;
	int r = ctr__env_lock(&s->root_env, &held, err);

	return r < 0 ? r : ctr__repair_locked(s, err);
}

/* New events must come behind those that survived the reboot. */
static int raise_stamp(struct ctr__store *s, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	uint64_t stamp = 0;
	int r = ctr__read_begin(&s->root_env, &rd, err);

	if (r == 0)
		r = ctr__journal_last_stamp(&s->root_env, rd.txn, &stamp);
	if (r == 0)
		ctr__locks_raise_stamp(s->locks, stamp);
	return ctr__env_result(&s->root_env, r, err);
}

static int open_notify_file(struct ctr__store *s, ctr_error_t **err)
{
	s->notify_fd = ctr__notify_file(s->run_fd);
	if (s->notify_fd < 0) {
		int r = s->notify_fd;

		s->notify_fd = -1;
		return ctr__fail_errno(err, -r, s->run_root, "cannot open \"events\"");
	}
	return 0;
}

static int attach(struct ctr__store *s, ctr_error_t **err)
{
	int r = open_root_env(s, err);

	if (r == 0)
		r = open_run_env(s, err);
	/* It fails only if there is no space; readers then merge what they see. */
	if (r == 0 && repair(s, NULL) == CTR_E_NOMEM)
		r = ctr__fail_nomem(err);
	if (r == 0)
		r = open_notify_file(s, err);
	return r;
}

/* The root first: if it belongs to another run root, this one must not be touched. */
static int start_afresh(struct ctr__store *s, uint64_t generation, ctr_error_t **err)
{
	int r = open_root_env(s, err);

	if (r == 0)
		r = ctr__run_wipe(s, generation, err);
	if (r == 0)
		r = ctr__run_populate(s, err);
	if (r == 0)
		r = make_locks(s, err);
	if (r == 0)
		r = open_run_env(s, err);
	if (r == 0)
		r = repair(s, err);
	if (r == 0)
		r = raise_stamp(s, err);
	if (r == 0)
		r = open_notify_file(s, err);
	if (r == 0)
		r = ctr__run_commit(s, generation + 1, err);
	s->fresh = r == 0;
	return r;
}

static int make_containers_dir(struct ctr__store *s, ctr_error_t **err)
{
	CTR__CLOSE int fd = ctr__mkdir_at(s->root_fd, "containers", 0700);

	return fd < 0 ? ctr__fail_errno(err, -fd, s->root, "cannot make \"containers\"") : 0;
}

static int build_locked(struct ctr__store *s, ctr_error_t **err)
{
	uint64_t generation = 0;
	bool attached = false, stale = false;
	/* Everything that can be refused without a change comes first. */
	int r = ctr__run_examine(s, &attached, &generation, err);

	if (r == 0)
		r = ctr__root_marker(s, err);
	if (r == 0)
		r = make_containers_dir(s, err);
	if (r == 0 && attached)
		r = attach_locks(s, &stale, err);
	if (r < 0)
		return r;
	return attached && !stale ? attach(s, err) : start_afresh(s, generation, err);
}

int ctr__store_build(struct ctr__store *s, ctr_error_t **err)
{
	CTR__CLOSE int lock_fd = -1;
	FLOCKED int root_locked = -1;
	FLOCKED int run_locked = -1;
	int r = init_object(s, err);

	if (r == 0)
		r = ctr__examine_directories(s, err);
	if (r == 0)
		r = open_lock_file(s, &lock_fd, err);
	if (r < 0)
		return r;
	r = lock_file(lock_fd);
	if (r < 0)
		return ctr__fail_errno(err, -r, s->root, "cannot lock the root");
	root_locked = lock_fd;
	/* Two roots may be given the same run root by mistake. */
	r = lock_file(s->run_fd);
	if (r < 0)
		return ctr__fail_errno(err, -r, s->run_root, "cannot lock the run root");
	run_locked = s->run_fd;
	return build_locked(s, err);
}
