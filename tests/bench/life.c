/* SPDX-License-Identifier: Apache-2.0 */
/* Real containers: whole lives one after another and at once, and waiting for the end. */
#include "sections.h"

#include <pthread.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "podman.h"
#include "raw.h"

#define PAUSE 300 /* ms before a cold life */

/* ---- one life ---- */

enum { CREATE, START, WAIT, REMOVE, TOTAL, STEPS };
static const char *const step_names[STEPS] = {"create", "start", "wait", "remove", "total"};

struct steps {
	struct samples s[STEPS];
};

static void step(struct steps *st, int which, int64_t *t)
{
	int64_t now = now_ns();

	if (st)
		sample(&st->s[which], (double)(now - *t));
	*t = now;
}

static void our_life(ctr_runtime_t *rt, ctr_config_t *cfg, struct steps *st)
{
	int64_t begin = now_ns(), t = begin;
	ctr_container_t *c = create(rt, cfg);
	int32_t code = -1;

	step(st, CREATE, &t);
	OK(ctr_container_start(c, 0, &err));
	step(st, START, &t);
	OK(ctr_container_wait(c, -1, &code, &err));
	if (code != 0)
		die("/bin/true ended with %d", code);
	step(st, WAIT, &t);
	OK(ctr_container_remove(c, 0, &err));
	step(st, REMOVE, &t);
	step(st, TOTAL, &begin);
	ctr_container_unref(c);
}

static void bare_life(struct bare *b, bool by_fifo, struct steps *st)
{
	int64_t begin = now_ns(), t = begin;
	struct bare_ctr c;

	bare_create(b, &c);
	step(st, CREATE, &t);
	bare_start(b, &c, by_fifo);
	step(st, START, &t);
	bare_wait(b, &c);
	step(st, WAIT, &t);
	bare_delete(b, &c);
	step(st, REMOVE, &t);
	step(st, TOTAL, &begin);
}

static void describe(char *buf, size_t size, struct steps *st)
{
	size_t n = 0;

	for (int i = 0; i < TOTAL; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s %.2f", i ? ", " : "", step_names[i],
		    median(&st->s[i]) / 1e6);
}

static double podman_life(struct podman *p, struct world *w, int n, int pause)
{
	struct samples s = {0};
	double m;

	if (!podman_init(p, w))
		return 0;
	podman_time(p, "run", "/bin/true", NULL);
	for (int i = 0; i < n; i++) {
		sleep_ms(pause);
		sample(&s, podman_time(p, "run", "/bin/true", NULL));
	}
	m = median(&s);
	samples_free(&s);
	podman_end(p);
	return m;
}

static void lives(struct world *w, struct bare *b, ctr_config_t *cfg, bool cold)
{
	struct steps ours = {0}, command = {0}, fifo = {0};
	char *id = text("life.%s.%s", w->oci_name, cold ? "cold" : "hot");
	char *what =
	    text("life of /bin/true, %s, %s (podman run --rm)", w->oci_name, cold ? "cold" : "hot");
	char a[128], c[128];
	int pause = cold ? PAUSE : 0;
	struct podman p;

	if (!want(id))
		return;
	our_life(w->rt, cfg, NULL);
	bare_life(b, false, NULL);
	for (int i = 0; i < (cold ? rounds(15, 4) : rounds(40, 10)); i++) {
		sleep_ms(pause);
		our_life(w->rt, cfg, &ours);
		sleep_ms(pause);
		bare_life(b, false, &command);
		sleep_ms(pause);
		bare_life(b, true, &fifo);
	}
	describe(a, sizeof(a), &ours);
	describe(c, sizeof(c), &command);
	emit_note((struct row){id, what, UNIT_NS, RULE_RATIO_MAX, median(&ours.s[TOTAL]),
	              median(&command.s[TOTAL]), 1.15,
	              podman_life(&p, w, cold ? rounds(7, 3) : rounds(10, 3), pause), NULL},
	    "floor: bare conmon + %s. ms: libctr %s; bare %s; bare started by fifo %.2f (%.2fx)",
	    w->oci_name, a, c, median(&fifo.s[TOTAL]) / 1e6,
	    median(&ours.s[TOTAL]) / median(&fifo.s[TOTAL]));
	for (int i = 0; i < STEPS; i++) {
		samples_free(&ours.s[i]);
		samples_free(&command.s[i]);
		samples_free(&fifo.s[i]);
	}
	free(id);
	free(what);
}

void section_life(struct world *w)
{
	struct bare b;
	ctr_config_t *cfg;

	world_open(w);
	bare_init(&b, w, "bare", "/bin/true", NULL);
	cfg = make_config(w, "/bin/true", NULL);
	lives(w, &b, cfg, true);
	lives(w, &b, cfg, false);
	ctr_config_unref(cfg);
	bare_end(&b);
}

/* ---- eight at once ---- */

#define AT_ONCE 8

struct worker {
	pthread_t thread;
	struct world *w;
	ctr_config_t *cfg;
	struct bare bare;
	struct podman *podman;
	int lives;
	int what; /* 0 ours, 1 bare, 2 podman */
};

static void *work(void *arg)
{
	struct worker *k = arg;

	for (int i = 0; i < k->lives; i++) {
		if (k->what == 0)
			our_life(k->w->rt, k->cfg, NULL);
		else if (k->what == 1)
			bare_life(&k->bare, false, NULL);
		else
			podman_time(k->podman, "run", "/bin/true", NULL);
	}
	return NULL;
}

/* Lives per second. */
static double at_once(struct worker *k, int what, int n)
{
	int64_t t = now_ns();

	for (int i = 0; i < AT_ONCE; i++) {
		k[i].what = what;
		k[i].lives = n;
		if (pthread_create(&k[i].thread, NULL, work, &k[i]))
			die("no thread");
	}
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(k[i].thread, NULL);
	return AT_ONCE * n / ((double)(now_ns() - t) / 1e9);
}

void section_many(struct world *w)
{
	static struct worker k[AT_ONCE];
	struct samples ours = {0}, low = {0};
	char *id = text("many.%s", w->oci_name), *what;
	ctr_config_t *cfg;
	struct podman p;
	double rival = 0;

	world_open(w);
	cfg = make_config(w, "/bin/true", NULL);
	for (int i = 0; i < AT_ONCE; i++) {
		char *name = text("bare%d", i);

		k[i].w = w;
		k[i].cfg = cfg;
		k[i].podman = &p;
		bare_init(&k[i].bare, w, name, "/bin/true", NULL);
		free(name);
	}
	at_once(k, 0, 1);
	at_once(k, 1, 1);
	for (int i = 0; i < rounds(9, 3); i++) {
		sample(&ours, at_once(k, 0, 4));
		sample(&low, at_once(k, 1, 4));
	}
	if (podman_init(&p, w)) {
		rival = at_once(k, 2, rounds(3, 1));
		podman_end(&p);
	}
	what = text("%d lives at once on %ld CPUs, %s", AT_ONCE, sysconf(_SC_NPROCESSORS_ONLN),
	    w->oci_name);
	emit((struct row){
	    id, what, UNIT_RATE, RULE_RATIO_MIN, median(&ours), median(&low), 0.9, rival, NULL});
	free(id);
	free(what);
}

/* ---- wait ---- */

struct waiter {
	pthread_t thread;
	ctr_container_t *ours;
	struct bare *bare;
	struct bare_ctr *theirs;
	int64_t returned;
};

static void *wait_thread(void *arg)
{
	struct waiter *wt = arg;
	int32_t code;

	if (wt->ours)
		OK(ctr_container_wait(wt->ours, -1, &code, &err));
	else
		bare_wait(wt->bare, wt->theirs);
	wt->returned = now_ns();
	return NULL;
}

/* Kills a process and returns when it was dead. */
static int64_t kill_and_see(pid_t pid, int64_t *killed)
{
	struct pollfd p = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
	int64_t t;

	if (p.fd < 0)
		die("pidfd_open %d: %s", (int)pid, strerror(errno));
	*killed = now_ns();
	kill(pid, SIGKILL);
	poll(&p, 1, -1);
	t = now_ns();
	close(p.fd);
	return t;
}

struct delays {
	struct samples from_exit, from_kill;
};

static void measure_wait(struct waiter *wt, pid_t pid, struct delays *d)
{
	int64_t killed, dead;

	if (pthread_create(&wt->thread, NULL, wait_thread, wt))
		die("no thread");
	sleep_ms(5);
	dead = kill_and_see(pid, &killed);
	pthread_join(wt->thread, NULL);
	sample(&d->from_exit, (double)(wt->returned - dead));
	sample(&d->from_kill, (double)(wt->returned - killed));
}

static void our_wait(struct world *w, ctr_config_t *cfg, struct delays *d)
{
	struct waiter wt = {.ours = create(w->rt, cfg)};
	int32_t pid;

	OK(ctr_container_start(wt.ours, 0, &err));
	OK(ctr_container_pid(wt.ours, &pid, &err));
	measure_wait(&wt, pid, d);
	OK(ctr_container_remove(wt.ours, 0, &err));
	ctr_container_unref(wt.ours);
}

static void their_wait(struct bare *b, struct delays *d)
{
	struct bare_ctr c;
	struct waiter wt = {.bare = b, .theirs = &c};

	bare_create(b, &c);
	bare_start(b, &c, true);
	measure_wait(&wt, c.pid, d);
	bare_delete(b, &c);
}

static double podman_wait(struct world *w)
{
	static const char *const detached[] = {"--detach", "--name=w", NULL};
	const char *argv[48], *inspect[] = {"inspect", "--format={{.State.Pid}}", "w", NULL};
	struct samples s = {0};
	struct podman p;
	double m;

	if (!podman_init(&p, w))
		return 0;
	for (int i = 0; i < rounds(9, 3); i++) {
		const char *wait[48];
		int64_t killed, dead;
		size_t n = 0;
		char *pid;
		pid_t waiting;

		podman_container(&p, argv, "run", detached, "/bin/sleep", "600");
		time_program(argv, NULL);
		pid = podman_output(&p, inspect);
		for (n = 0; p.global[n]; n++)
			wait[n] = p.global[n];
		wait[n++] = "wait";
		wait[n++] = "w";
		wait[n] = NULL;
		waiting = start_program(wait, -1, -1);
		sleep_ms(150 + i * 29);
		dead = kill_and_see((pid_t)atoi(pid), &killed);
		wait_program(waiting);
		sample(&s, (double)(now_ns() - dead));
		podman_command(&p, "rm", "-f", "w");
		free(pid);
	}
	m = median(&s);
	samples_free(&s);
	podman_end(&p);
	return m;
}

void section_wait(struct world *w)
{
	struct delays ours = {0}, low = {0};
	char *p50 = text("wait.%s.p50", w->oci_name), *p99 = text("wait.%s.p99", w->oci_name);
	char *what = text("process's exit -> wait returns, %s, median", w->oci_name);
	ctr_config_t *cfg;
	struct bare b;

	world_open(w);
	bare_init(&b, w, "bare", "/bin/sleep", "600");
	cfg = make_config(w, "/bin/sleep", "600");
	for (int i = 0; i < rounds(101, 21); i++) {
		our_wait(w, cfg, &ours);
		their_wait(&b, &low);
	}
	emit_note((struct row){p50, what, UNIT_NS, RULE_MAX, median(&ours.from_exit),
	              median(&low.from_exit), 1.5e6, podman_wait(w), NULL},
	    "floor: conmon by hand, inotify on its exit file. From the kill: %.2f ms, floor's %.2f",
	    median(&ours.from_kill) / 1e6, median(&low.from_kill) / 1e6);
	emit((struct row){p99, "... 99th percentile", UNIT_NS, RULE_NONE,
	    percentile(&ours.from_exit, 99), percentile(&low.from_exit, 99), 0, 0, NULL});
	ctr_config_unref(cfg);
	bare_end(&b);
	free(p50);
	free(p99);
	free(what);
}
