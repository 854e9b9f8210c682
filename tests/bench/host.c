/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own circumstances: much memory, and a process that dies with a container's lock. */
#include "sections.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "raw.h"

/* ---- start in a large process ---- */

static size_t available(void)
{
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");
	size_t kib = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemAvailable: %zu", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib << 10;
}

static void time_starts(struct world *w, ctr_config_t *cfg, int n, struct samples *s)
{
	for (int i = 0; i < n; i++) {
		ctr_container_t *c = create(w->rt, cfg);
		int64_t t = now_ns();

		OK(ctr_container_start(c, 0, &err));
		sample(s, (double)(now_ns() - t));
		OK(ctr_container_wait(c, -1, NULL, &err));
		OK(ctr_container_remove(c, 0, &err));
		ctr_container_unref(c);
	}
}

/* How long fork() holds this process up: what the library avoids. */
static double time_fork(void)
{
	int64_t t = now_ns();
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	t = now_ns() - t;
	wait_program(pid);
	return (double)t;
}

/* Pages of 4 KiB, each touched: the worst case for whoever copies page tables. */
static void *grow(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("no memory");
	madvise(p, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < bytes; i += 4096)
		p[i] = 1;
	return p;
}

void section_start(struct world *w)
{
	size_t bytes = available() >= (size_t)10 << 30 ? (size_t)8 << 30 : (size_t)2 << 30;
	struct samples small = {0}, large = {0};
	int n = rounds(20, 6);
	double fork_small, fork_large;
	ctr_config_t *cfg;
	void *memory;

	world_open(w);
	cfg = make_config(w, "/bin/true", NULL);
	time_starts(w, cfg, 2, &large);
	samples_free(&large);
	time_starts(w, cfg, n, &small);
	fork_small = time_fork();
	memory = grow(bytes);
	time_starts(w, cfg, n, &large);
	fork_large = time_fork();
	munmap(memory, bytes);
	time_starts(w, cfg, n, &small);
	emit_note((struct row){"start.big", "start in a large host (floor: in a small one)",
	              UNIT_NS, RULE_RATIO_MAX, median(&large), median(&small), 2, 0, NULL},
	    "%zu GiB touched. fork() there: %.2f ms, in the small host %.2f ms", bytes >> 30,
	    fork_large / 1e6, fork_small / 1e6);
	ctr_config_unref(cfg);
}

/* ---- a dead owner ---- */

struct next {
	pthread_t thread;
	ctr_container_t *c;
	struct raw_slot *slot;
	int64_t got;
};

static void *next_owner(void *arg)
{
	struct next *n = arg;
	int32_t state;

	if (n->c)
		OK(ctr_container_state(n->c, &state, &err));
	else
		raw_lock_wait(n->slot);
	n->got = now_ns();
	if (!n->c)
		pthread_mutex_unlock(&n->slot->mutex);
	return NULL;
}

static double kill_owner(struct next *n, struct helper *h)
{
	int64_t killed;

	helper_ask(h, 'x');
	if (pthread_create(&n->thread, NULL, next_owner, n))
		die("no thread");
	sleep_ms(3);
	killed = now_ns();
	kill(h->pid, SIGKILL);
	pthread_join(n->thread, NULL);
	helper_end(h);
	return (double)(n->got - killed);
}

void section_owner(struct world *w)
{
	char *path = text("%s/locks", w->tmpfs);
	struct next ours = {0}, theirs = {.slot = raw_locks(path, 1, true)};
	struct samples s = {0}, low = {0};
	ctr_config_t *cfg;

	world_open(w);
	cfg = make_config(w, "/bin/true", NULL);
	ours.c = create(w->rt, cfg);
	for (int i = 0; i < rounds(200, 40); i++) {
		struct helper h;

		helper_start(&h, "holder", w->root, w->run_root, ctr_container_id(ours.c));
		sample(&s, kill_owner(&ours, &h));
		helper_start(&h, "raw-holder", path, NULL, NULL);
		sample(&low, kill_owner(&theirs, &h));
	}
	emit_note((struct row){"owner.p50", "kill -9 of a lock's owner -> next owner, median",
	              UNIT_NS, RULE_MAX, median(&s), median(&low), 1e6, 0, NULL},
	    "floor: robust mutex by hand. %zu kills each", s.n);
	emit((struct row){"owner.max", "... worst", UNIT_NS, RULE_MAX, percentile(&s, 100),
	    percentile(&low, 100), 110e6, 0, NULL});
	ctr_config_unref(cfg);
	free(path);
}
