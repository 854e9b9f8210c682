/* SPDX-License-Identifier: Apache-2.0 */
/* One more process in a running container: one after another, and twenty at once. */
#include "sections.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "podman.h"
#include "raw.h"

#define PAUSE   300 /* ms before a cold one */
#define AT_ONCE 20

struct place {
	ctr_container_t *c; /* ours */
	struct bare bare;
	struct bare_ctr b;
	struct podman podman; /* no program: none */
};

static void our_exec(struct place *p)
{
	static const char *const command[] = {"/bin/true", NULL};
	const struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
	int32_t code = -1;

	OK(ctr_container_exec(p->c, &o, NULL, &code, &err));
	if (code)
		die("/bin/true ended with %d", (int)code);
}

static void bare_one(struct place *p)
{
	bare_exec(&p->bare, &p->b);
}

static double timed(struct place *p, void (*fn)(struct place *p), int pause)
{
	int64_t t;

	sleep_ms(pause);
	t = now_ns();
	fn(p);
	return (double)(now_ns() - t);
}

/* ---- the places ---- */

static void podman_make(struct place *p, struct world *w)
{
	static const char *const detached[] = {"-d", "--name=w", NULL};
	const char *argv[48];

	if (!podman_init(&p->podman, w))
		return;
	podman_container(&p->podman, argv, "run", detached, "/bin/sleep", "600");
	time_program(argv, NULL);
}

static void place_make(struct place *p, struct world *w)
{
	ctr_config_t *cfg = make_config(w, "/bin/sleep", "600");

	p->c = create(w->rt, cfg);
	OK(ctr_container_start(p->c, 0, &err));
	ctr_config_unref(cfg);
	bare_init(&p->bare, w, "bare", "/bin/sleep", "600");
	bare_create(&p->bare, &p->b);
	bare_start(&p->bare, &p->b, true);
	podman_make(p, w);
}

static void place_end(struct place *p)
{
	OK(ctr_container_remove(p->c, CTR_REMOVE_FORCE, &err));
	ctr_container_unref(p->c);
	bare_kill(&p->b);
	bare_wait(&p->bare, &p->b);
	bare_delete(&p->bare, &p->b);
	bare_end(&p->bare);
	if (p->podman.program)
		podman_command(&p->podman, "rm", "-f", "w");
	podman_end(&p->podman);
}

/* ---- one after another ---- */

static double podman_exec(struct place *p, int n, int pause)
{
	struct samples s = {0};
	double m;

	for (int i = 0; p->podman.program && i < n; i++) {
		sleep_ms(pause);
		sample(&s, podman_command(&p->podman, "exec", "w", "/bin/true"));
	}
	m = median(&s);
	samples_free(&s);
	return m;
}

static void one_by_one(struct place *p, struct world *w, bool cold)
{
	struct samples ours = {0}, low = {0};
	char *id = text("exec.%s.%s", w->oci_name, cold ? "cold" : "hot");
	char *what = text("exec of /bin/true, %s, %s", w->oci_name, cold ? "cold" : "hot");
	int pause = cold ? PAUSE : 0;

	if (want(id)) {
		for (int i = 0; i < (cold ? rounds(15, 6) : rounds(60, 20)); i++) {
			sample(&ours, timed(p, our_exec, pause));
			sample(&low, timed(p, bare_one, pause));
		}
		emit((struct row){id, what, UNIT_NS, RULE_RATIO_MAX, median(&ours), median(&low),
		    1.15, podman_exec(p, rounds(10, 3), pause), NULL});
	}
	samples_free(&ours);
	samples_free(&low);
	free(id);
	free(what);
}

/* ---- at once ---- */

struct worker {
	struct place *p;
	void (*fn)(struct place *p);
	pthread_t thread;
};

static void *work(void *arg)
{
	struct worker *k = arg;

	k->fn(k->p);
	return NULL;
}

/* Milliseconds until all have ended, in ns. */
static double at_once(struct place *p, void (*fn)(struct place *p))
{
	struct worker k[AT_ONCE];
	int64_t t = now_ns();

	for (int i = 0; i < AT_ONCE; i++) {
		k[i] = (struct worker){.p = p, .fn = fn};
		if (pthread_create(&k[i].thread, NULL, work, &k[i]))
			die("no thread");
	}
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(k[i].thread, NULL);
	return (double)(now_ns() - t);
}

static void podman_one(struct place *p)
{
	podman_command(&p->podman, "exec", "w", "/bin/true");
}

static void together(struct place *p, struct world *w)
{
	struct samples ours = {0}, low = {0};
	char *id = text("exec.%s.many", w->oci_name);
	char *what = text("%d execs at once, until all have ended, %s", AT_ONCE, w->oci_name);

	if (want(id)) {
		for (int i = 0; i < rounds(9, 3); i++) {
			sample(&ours, at_once(p, our_exec));
			sample(&low, at_once(p, bare_one));
		}
		emit((struct row){id, what, UNIT_NS, RULE_RATIO_MAX, median(&ours), median(&low),
		    1.15, p->podman.program ? at_once(p, podman_one) : 0, NULL});
	}
	samples_free(&ours);
	samples_free(&low);
	free(id);
	free(what);
}

void section_exec(struct world *w)
{
	struct place p = {.c = NULL};

	world_open(w);
	place_make(&p, w);
	our_exec(&p);
	bare_one(&p);
	one_by_one(&p, w, true);
	one_by_one(&p, w, false);
	together(&p, w);
	place_end(&p);
}
