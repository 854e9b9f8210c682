/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm on an OCI runtime without processes, so that the library itself gets all the time there is:
 * stress_fake [SECONDS]. What the plug-in knows of its containers is in memory that the processes share; an
 * end is told through a FIFO of each run.
 */
#include "storm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BOXES = 50, SECONDS = 60, HANG_MS = 30000, RECORDS = 512 };

struct record {
	char id[80]; /* "" = free */
	int status;  /* CTR_OCI_* */
	int code;
	int64_t finished_ns;
};

struct world {
	char dir[128], root[160], run[160], rootfs[160], fifos[160];
	pthread_mutex_t mutex; /* of the records; shared */
	atomic_int mistakes;   /* calls that the library must never make */
	struct record records[RECORDS];
};

static struct record *find(struct world *w, const char *id)
{
	for (int i = 0; i < RECORDS; i++)
		if (strcmp(w->records[i].id, id) == 0)
			return &w->records[i];
	return NULL;
}

static struct record *enter(struct world *w, const char *id)
{
	pthread_mutex_lock(&w->mutex);
	return find(w, id);
}

static int leave(struct world *w, int r)
{
	pthread_mutex_unlock(&w->mutex);
	return r;
}

static int mistake(struct world *w, const char *what, const char *id, ctr_error_t **err)
{
	fprintf(stderr, "VIOLATION: %s of %.12s makes no sense\n", what, id);
	atomic_fetch_add(&w->mistakes, 1);
	return leave(w, ctr_error_set(err, CTR_E_INTERNAL, 0, "the plug-in was misused"));
}

static void fifo_path(const struct world *w, const char *id, char path[400])
{
	snprintf(path, 400, "%s/%s", w->fifos, id);
}

/* Whoever holds the reading end sees it; those who come later look at the record first. */
static void end(const struct world *w, struct record *r, int code)
{
	struct timespec ts;
	char path[400];
	int fd;

	clock_gettime(CLOCK_REALTIME, &ts);
	r->status = CTR_OCI_STOPPED;
	r->code = code;
	r->finished_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	fifo_path(w, r->id, path);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	/* The reader may have gone since. */
	if (write(fd, "x", 1) < 0 && errno != EPIPE)
		abort();
	close(fd);
}

static int op_create(
    void *impl, const struct ctr_oci_container *k, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);
	char path[400];

	if (r)
		return mistake(w, "create", k->id, err);
	r = find(w, "");
	if (!r)
		abort();
	fifo_path(w, k->id, path);
	unlink(path);
	if (mkfifo(path, 0600) < 0)
		abort();
	snprintf(r->id, sizeof(r->id), "%s", k->id);
	r->status = out->status = CTR_OCI_CREATED;
	return leave(w, 0);
}

static int op_start(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);

	if (r && r->status == CTR_OCI_STOPPED)
		return leave(w, ctr_error_set(err, CTR_E_OCI_RUNTIME, 0, "it has ended"));
	if (!r || r->status != CTR_OCI_CREATED)
		return mistake(w, "start", k->id, err);
	r->status = CTR_OCI_RUNNING;
	return leave(w, 0);
}

static void fill(const struct record *r, struct ctr_oci_status *out)
{
	out->status = r->status;
	if (r->status != CTR_OCI_STOPPED)
		return;
	out->exit_code = r->code;
	out->finished_ns = r->finished_ns;
}

static int op_state(
    void *impl, const struct ctr_oci_container *k, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);

	(void)err;
	out->status = CTR_OCI_ABSENT;
	if (r)
		fill(r, out);
	return leave(w, 0);
}

static int op_kill(
    void *impl, const struct ctr_oci_container *k, int32_t sig, uint64_t flags, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);

	(void)flags;
	if (!r)
		return mistake(w, "kill", k->id, err);
	if (r->status == CTR_OCI_STOPPED)
		return leave(w, ctr_error_set(err, CTR_E_CTR_STOPPED, 0, NULL));
	if (sig == SIGKILL || (sig == SIGTERM && r->status == CTR_OCI_RUNNING))
		end(w, r, 128 + sig);
	return leave(w, 0);
}

static int op_remove(
    void *impl, const struct ctr_oci_container *k, uint64_t flags, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);
	char path[400];

	(void)flags;
	(void)err;
	if (!r)
		return leave(w, 0);
	if (r->status != CTR_OCI_STOPPED)
		end(w, r, 137);
	fifo_path(w, k->id, path);
	unlink(path);
	memset(r, 0, sizeof(*r));
	return leave(w, 0);
}

static int change(
    struct world *w, const char *what, const char *id, int from, int to, ctr_error_t **err)
{
	struct record *r = enter(w, id);

	if (r && r->status == CTR_OCI_STOPPED)
		return leave(w, ctr_error_set(err, CTR_E_CTR_STATE, 0, "it has ended"));
	if (!r || r->status != from)
		return mistake(w, what, id, err);
	r->status = to;
	return leave(w, 0);
}

static int op_pause(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	return change(impl, "pause", k->id, CTR_OCI_RUNNING, CTR_OCI_PAUSED, err);
}

static int op_resume(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	return change(impl, "resume", k->id, CTR_OCI_PAUSED, CTR_OCI_RUNNING, err);
}

/* Where it is paused or runs is the library's business: what has ended has no limits. */
static int op_update(
    void *impl, const struct ctr_oci_container *k, const char *resources, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);

	if (!r || !strstr(resources, "pids"))
		return mistake(w, "update", k->id, err);
	if (r->status == CTR_OCI_STOPPED)
		return leave(w, ctr_error_set(err, CTR_E_CTR_STATE, 0, "it has ended"));
	return leave(w, 0);
}

static int op_exit_status(
    void *impl, const struct ctr_oci_container *k, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);

	(void)err;
	if (!r || r->status != CTR_OCI_STOPPED)
		return leave(w, 0);
	fill(r, out);
	return leave(w, 1);
}

static int op_wait_fd(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	struct world *w = impl;
	struct record *r = enter(w, k->id);
	char path[400];
	int fd;

	if (!r)
		return mistake(w, "wait_fd", k->id, err);
	if (r->status == CTR_OCI_STOPPED)
		return leave(w, eventfd(1, EFD_CLOEXEC));
	fifo_path(w, k->id, path);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return mistake(w, "wait_fd", k->id, err);
	return leave(w, fd);
}

static const struct ctr_oci_ops plug_in = {
    .size = sizeof(struct ctr_oci_ops),
    .name = "shared",
    .create = op_create,
    .start = op_start,
    .state = op_state,
    .kill = op_kill,
    .remove = op_remove,
    .pause = op_pause,
    .resume = op_resume,
    .exit_status = op_exit_status,
    .wait_fd = op_wait_fd,
    .update = op_update,
};

/* ---- the storm ---- */

static ctr_runtime_t *open_store(void *impl)
{
	struct world *w = impl;
	struct ctr_open_opts o = {.size = sizeof(o), .root = w->root, .run_root = w->run};
	ctr_runtime_t *rt = NULL;

	if (ctr_runtime_open(&o, &rt, NULL) < 0 ||
	    ctr_runtime_add_oci(rt, &plug_in, w, NULL, NULL) < 0)
		return ctr_runtime_unref(rt);
	return rt;
}

static ctr_config_t *config(void *impl, int n)
{
	const struct world *w = impl;
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	char name[16];

	snprintf(name, sizeof(name), "box-%d", n);
	ctr_config_builder_set_str(b, CTR_CONFIG_NAME, name, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, w->rootfs, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "shared", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/true", NULL);
	if (ctr_config_builder_build(b, &cfg, NULL) < 0)
		abort();
	ctr_config_builder_free(b);
	return cfg;
}

static void end_one(void *impl, const char *id, unsigned int random)
{
	struct world *w = impl;
	struct record *r = enter(w, id);

	if (r && r->status == CTR_OCI_RUNNING)
		end(w, r, (int)random);
	leave(w, 0);
}

static struct world *make_world(void)
{
	struct world *w =
	    mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *tmp = getenv("TMPDIR");
	pthread_mutexattr_t shared;

	if (w == MAP_FAILED)
		return NULL;
	snprintf(w->dir, sizeof(w->dir), "%s/libctr-stress-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(w->dir))
		return NULL;
	snprintf(w->root, sizeof(w->root), "%s/root", w->dir);
	snprintf(w->run, sizeof(w->run), "%s/run", w->dir);
	snprintf(w->rootfs, sizeof(w->rootfs), "%s/rootfs", w->dir);
	snprintf(w->fifos, sizeof(w->fifos), "%s/fifos", w->dir);
	if (mkdir(w->rootfs, 0755) < 0 || mkdir(w->fifos, 0755) < 0)
		return NULL;
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&w->mutex, &shared);
	pthread_mutexattr_destroy(&shared);
	return w;
}

static int left;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;

	(void)st;
	(void)type;
	/* What belongs to one container has its ID in its name. */
	if (strspn(name, "0123456789abcdef") >= 32) {
		fprintf(stderr, "LEFT: %s\n", path);
		left++;
	}
	if (remove(path) == 0)
		return 0;
	if (errno != EBUSY || umount2(path, MNT_DETACH) < 0)
		return -1;
	fprintf(stderr, "LEFT: mount %s\n", path);
	left++;
	return remove(path);
}

static bool remove_world(struct world *w)
{
	bool ok = atomic_load(&w->mistakes) == 0;

	for (int i = 0; i < RECORDS; i++) {
		if (!w->records[i].id[0])
			continue;
		fprintf(stderr, "LEFT: the plug-in still knows %.12s\n", w->records[i].id);
		ok = false;
	}
	ok = nftw(w->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS) == 0 && left == 0 && ok;
	munmap(w, sizeof(*w));
	return ok;
}

int main(int argc, char **argv)
{
	struct world *w = make_world();
	struct storm s = {.boxes = BOXES,
	    .hang_ms = HANG_MS,
	    .open = open_store,
	    .config = config,
	    .end = end_one,
	    .limits = true,
	    .impl = w};
	bool ok;

	if (!w)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	s.seconds = storm_seconds(argc, argv, SECONDS);
	ok = storm_run(&s);
	ok = remove_world(w) && ok;
	return ok ? 0 : 1;
}
