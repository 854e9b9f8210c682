/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores of this process: each pair of directories is opened once, and counted.
 *
 * A child of fork() must not use its parent's registry: its lock may have been held by another thread at the
 * fork. It sees that by a page that the kernel zeroes in children, and makes a registry of its own; what it
 * inherited is left alone.
 */
#include "store/env.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "sys/path.h"

struct ctr__registry {
	pthread_mutex_t lock;
	struct ctr__store *first;
	const volatile unsigned char *fork_page;
	pid_t pid;
	struct ctr__registry *inherited; /* the parent's; kept, never used */
};

static _Atomic(struct ctr__registry *) current;

/* ---- fork ---- */

const volatile unsigned char *ctr__fork_page_new(void)
{
	unsigned char *page =
	    mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, (size_t)sysconf(_SC_PAGESIZE), MADV_WIPEONFORK) < 0) {
		munmap(page, 1);
		return NULL;
	}
	*page = 1;
	return page;
}

void ctr__fork_page_free(const volatile unsigned char *page)
{
	if (page)
		munmap((void *)(uintptr_t)page, 1);
}

static bool is_child(const volatile unsigned char *page, pid_t pid)
{
	return page ? *page == 0 : getpid() != pid;
}

bool ctr__store_forked(const struct ctr__store *s)
{
	return is_child(s->fork_page, s->pid);
}

const volatile unsigned char *ctr__store_fork_page(const struct ctr__store *s)
{
	return s->fork_page;
}

/* ---- the registry ---- */

static struct ctr__registry *registry_new(struct ctr__registry *inherited)
{
	struct ctr__registry *reg = calloc(1, sizeof(*reg));

	if (!reg)
		return NULL;
	if (pthread_mutex_init(&reg->lock, NULL)) {
		free(reg);
		return NULL;
	}
	reg->fork_page = ctr__fork_page_new();
	reg->pid = getpid();
	reg->inherited = inherited;
	return reg;
}

static void registry_free(struct ctr__registry *reg)
{
	ctr__fork_page_free(reg->fork_page);
	pthread_mutex_destroy(&reg->lock);
	free(reg);
}

/* That of this process; NULL if memory is short. */
static struct ctr__registry *registry_get(void)
{
	struct ctr__registry *reg = atomic_load(&current);
	struct ctr__registry *fresh;

	while (!reg || is_child(reg->fork_page, reg->pid)) {
		fresh = registry_new(reg);
		if (!fresh)
			return NULL;
		if (atomic_compare_exchange_strong(&current, &reg, fresh))
			return fresh;
		registry_free(fresh);
	}
	return reg;
}

static void registry_unlockp(struct ctr__registry **reg)
{
	if (*reg)
		pthread_mutex_unlock(&(*reg)->lock);
}

/* ---- opening ---- */

void ctr__store_free(struct ctr__store *s)
{
	ctr__env_close(&s->run_env);
	ctr__env_close(&s->root_env);
	if (s->locks)
		ctr__locks_close(s->locks);
	ctr__cleanup_close(&s->notify_fd);
	ctr__cleanup_close(&s->run_fd);
	ctr__cleanup_close(&s->root_fd);
	ctr__fork_page_free(s->fork_page);
	ctr__buf_free(&s->scratch);
	free(s->root);
	free(s->run_root);
	free(s);
}

static void store_freep(struct ctr__store **s)
{
	if (*s)
		ctr__store_free(*s);
}

static int identify(struct ctr__store *s, ctr_error_t **err)
{
	struct stat root, run;

	if (fstat(s->root_fd, &root) < 0 || fstat(s->run_fd, &run) < 0)
		return ctr__fail_errno(err, errno, s->root, "cannot examine the directories");
	s->root_dev = root.st_dev;
	s->root_ino = root.st_ino;
	s->run_dev = run.st_dev;
	s->run_ino = run.st_ino;
	if (s->root_dev == s->run_dev && s->root_ino == s->run_ino)
		return ctr__fail(
		    err, CTR_E_INVALID, "root and run root are the same directory \"%s\"", s->root);
	return 0;
}

static int open_dir(const char *path, const char *what, char **resolved, int *fd, ctr_error_t **err)
{
	int r;

	*fd = ctr__mkdir_open(path, 0700, err);
	if (*fd < 0) {
		r = *fd;
		*fd = -1;
		return ctr__error_prefix(err, r, "%s", what);
	}
	*resolved = ctr__realpath(path);
	if (!*resolved)
		return ctr__fail_errno(err, errno, path, "cannot resolve the %s", what);
	return 0;
}

static int check_path(const char *path, const char *what, ctr_error_t **err)
{
	if (path && *path == '/')
		return 0;
	return ctr__fail(err, CTR_E_INVALID, "the %s must be an absolute path, not \"%s\"", what,
	    path ? path : "");
}

static int store_new(const char *root, const char *run_root, struct ctr__registry *reg,
    struct ctr__store **out, ctr_error_t **err)
{
	CTR__CLEANUP(store_freep) struct ctr__store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ctr__fail_nomem(err);
	s->root_fd = s->run_fd = s->notify_fd = -1;
	s->refs = 1;
	s->registry = reg;
	s->inherited = reg->inherited != NULL;
	r = open_dir(root, "root", &s->root, &s->root_fd, err);
	if (r == 0)
		r = open_dir(run_root, "run root", &s->run_root, &s->run_fd, err);
	if (r == 0)
		r = identify(s, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(s);
	return 0;
}

static bool same_root(const struct ctr__store *a, const struct ctr__store *b)
{
	return a->root_dev == b->root_dev && a->root_ino == b->root_ino;
}

static bool same_run(const struct ctr__store *a, const struct ctr__store *b)
{
	return a->run_dev == b->run_dev && a->run_ino == b->run_ino;
}

/* One with that pair of directories; CTR_E_STORE_CONFIG if one has only half of it. */
static int find(const struct ctr__registry *reg, const struct ctr__store *want,
    struct ctr__store **found, ctr_error_t **err)
{
	for (struct ctr__store *s = reg->first; s; s = s->next) {
		bool root = same_root(s, want), run = same_run(s, want);

		if (root && run) {
			*found = s;
			return 0;
		}
		if (root || run)
			return ctr__fail(err, CTR_E_STORE_CONFIG,
			    "%s is open in this process with the %s %s, not with %s",
			    root ? s->root : s->run_root, root ? "run root" : "root",
			    root ? s->run_root : s->root, root ? want->run_root : want->root);
	}
	*found = NULL;
	return 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static int open_locked(struct ctr__registry *reg, const char *root, const char *run_root,
    struct ctr__store **out, ctr_error_t **err)
{
	CTR__CLEANUP(store_freep) struct ctr__store *s = NULL;
	struct ctr__store *found;
	int r = store_new(root, run_root, reg, &s, err);

	if (r == 0)
		r = find(reg, s, &found, err);
	if (r < 0)
		return r;
	if (found) {
		found->refs++;
		*out = found;
		return 0;
	}
	r = ctr__store_build(s, err);
	if (r < 0)
		return r;
	s->next = reg->first;
	reg->first = s;
	*out = CTR__STEAL_PTR(s);
	return 0;
}

int ctr__store_open(
    const char *root, const char *run_root, struct ctr__store **out, ctr_error_t **err)
{
	CTR__CLEANUP(registry_unlockp) struct ctr__registry *locked = NULL;
	struct ctr__registry *reg;
	bool had_root, had_run;
	int r = check_path(root, "root", err);

	if (r == 0)
		r = check_path(run_root, "run root", err);
	if (r < 0)
		return r;
	reg = registry_get();
	if (!reg)
		return ctr__fail_nomem(err);
	pthread_mutex_lock(&reg->lock);
	locked = reg;
	had_root = exists(root);
	had_run = exists(run_root);
	r = open_locked(reg, root, run_root, out, err);
	/* Directories that were made for nothing go again, if they are empty. */
	if (r < 0 && !had_run)
		(void)rmdir(run_root);
	if (r < 0 && !had_root)
		(void)rmdir(root);
	return r;
}

void ctr__store_unref(struct ctr__store *s)
{
	CTR__CLEANUP(registry_unlockp) struct ctr__registry *locked = NULL;

	if (!s || ctr__store_forked(s))
		return;
	locked = s->registry;
	pthread_mutex_lock(&locked->lock);
	if (--s->refs > 0)
		return;
	for (struct ctr__store **p = &locked->first; *p; p = &(*p)->next) {
		if (*p == s) {
			*p = s->next;
			break;
		}
	}
	ctr__store_free(s);
}

/* ---- what others want to know ---- */

const char *ctr__store_root(const struct ctr__store *s)
{
	return s->root;
}

const char *ctr__store_run_root(const struct ctr__store *s)
{
	return s->run_root;
}

int ctr__store_root_fd(const struct ctr__store *s)
{
	return s->root_fd;
}

int ctr__store_run_fd(const struct ctr__store *s)
{
	return s->run_fd;
}

struct ctr__locks *ctr__store_locks(struct ctr__store *s)
{
	return s->locks;
}

bool ctr__store_fresh_boot(const struct ctr__store *s)
{
	return s->fresh;
}

int ctr__store_check(struct ctr__store *s, ctr_error_t **err)
{
	if (ctr__locks_attached(s->locks))
		return 0;
	ctr__fail(err, CTR_E_RUNTIME_STOPPED, "the run root %s was removed", s->run_root);
	ctr__error_detail(err, "path", s->run_root);
	return CTR_E_RUNTIME_STOPPED;
}
