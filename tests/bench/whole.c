/* SPDX-License-Identifier: Apache-2.0 */
/* Many containers at work: a chain of dependencies, inspecting all, reading what happened. */
#include "sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podman.h"
#include "raw.h"

#define CHAIN 50

/* ---- a chain of dependencies ---- */

static ctr_config_t *sleeper(const struct world *w, const char *after)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, w->rootfs, NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sleep", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "1000", NULL);
	if (after)
		ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, after, NULL);
	OK(ctr_config_builder_build(b, &cfg, &err));
	ctr_config_builder_free(b);
	return cfg;
}

static void make_chain(struct world *w, ctr_container_t **c)
{
	for (int i = 0; i < CHAIN; i++) {
		ctr_config_t *cfg = sleeper(w, i ? ctr_container_id(c[i - 1]) : NULL);

		c[i] = create(w->rt, cfg);
		ctr_config_unref(cfg);
	}
}

static double start_chain(struct world *w)
{
	ctr_container_t *c[CHAIN];
	int64_t t;

	make_chain(w, c);
	t = now_ns();
	OK(ctr_container_start(c[CHAIN - 1], CTR_START_RECURSIVE, &err));
	t = now_ns() - t;
	for (int i = CHAIN; i-- > 0;) {
		OK(ctr_container_remove(c[i], CTR_REMOVE_FORCE, &err));
		ctr_container_unref(c[i]);
	}
	return (double)t;
}

/* The same by hand: conmon and runtime, one after another. */
static double start_bare(struct world *w)
{
	struct bare_ctr c[CHAIN];
	struct bare b;
	int64_t t;

	bare_init(&b, w, "chain", "/bin/sleep", "1000");
	t = now_ns();
	for (int i = 0; i < CHAIN; i++) {
		bare_create(&b, &c[i]);
		bare_start(&b, &c[i], false);
	}
	t = now_ns() - t;
	for (int i = 0; i < CHAIN; i++) {
		bare_kill(&c[i]);
		bare_wait(&b, &c[i]);
		bare_delete(&b, &c[i]);
	}
	bare_end(&b);
	return (double)t;
}

static double start_podman(struct world *w)
{
	double sum = 0;
	struct podman p;

	if (!podman_init(&p, w))
		return 0;
	for (int i = 0; i < CHAIN; i++) {
		char *name = text("--name=chain%d", i);
		const char *const options[] = {name, NULL};
		const char *argv[48];

		podman_container(&p, argv, "create", options, "/bin/sleep", "1000");
		time_program(argv, NULL);
		sum += podman_command(&p, "start", name + strlen("--name="), NULL);
		free(name);
	}
	podman_command(&p, "kill", "--all", NULL);
	podman_command(&p, "rm", "--all", "--force");
	podman_end(&p);
	return sum;
}

void section_chain(struct world *w)
{
	struct samples ours = {0}, low = {0};

	world_open(w);
	for (int i = 0; i < rounds(5, 2); i++) {
		sample(&ours, start_chain(w));
		sample(&low, start_bare(w));
	}
	emit((struct row){"chain", "start of a chain of 50 (podman start, one after the other)",
	    UNIT_NS, RULE_NONE, median(&ours), median(&low), 0, start_podman(w),
	    "floor: bare conmon + runtime, one after the other"});
	samples_free(&ours);
	samples_free(&low);
}

/* ---- inspect ---- */

static double inspect_all(ctr_runtime_t *rt, size_t *bytes)
{
	ctr_list_t *list = NULL;
	int64_t t = now_ns();

	*bytes = 0;
	OK(ctr_runtime_list(rt, NULL, 0, &list, &err));
	for (size_t i = 0; i < ctr_list_count(list); i++) {
		ctr_container_t *c = NULL;
		char *json = NULL;
		size_t len;

		OK(ctr_container_get(rt, ctr_list_id(list, i), &c, &err));
		OK(ctr_container_inspect(c, 0, &json, &len, &err));
		*bytes += len;
		ctr_free(json);
		ctr_container_unref(c);
	}
	ctr_list_free(list);
	return (double)(now_ns() - t);
}

/* Podman with as many containers as the options say: ns for each. */
static double inspect_podman(struct world *w)
{
	struct samples s = {0};
	struct podman p;
	double m;

	if (!podman_init(&p, w))
		return 0;
	for (int i = 0; i < opt.podman_containers; i++)
		podman_time(&p, "create", "/bin/true", NULL);
	for (int i = 0; i < rounds(5, 2); i++) {
		char *ids = podman_output(&p, (const char *const[]){"ps", "-aq", NULL});
		size_t n = 0, most = (size_t)opt.podman_containers + 2;
		const char **words = calloc(most + 1, sizeof(*words));

		if (!words)
			die("no memory");
		words[n++] = "inspect";
		for (char *id = strtok(ids, "\n"); id && n < most; id = strtok(NULL, "\n"))
			words[n++] = id;
		int64_t t = now_ns();
		free(podman_output(&p, words));
		sample(&s, (double)(now_ns() - t));
		free(words);
		free(ids);
	}
	podman_end(&p);
	m = median(&s) / opt.podman_containers;
	samples_free(&s);
	return m;
}

void section_inspect(struct world *w)
{
	struct samples s = {0};
	size_t bytes = 0;

	world_open(w);
	create_many(w->rt, w, MANY);
	for (int i = 0; i < rounds(21, 5); i++)
		sample(&s, inspect_all(w->rt, &bytes));
	emit_note((struct row){"inspect", "inspect of 1,000 containers, each", UNIT_NS, RULE_NONE,
	              median(&s) / MANY, 0, 0, inspect_podman(w), NULL},
	    "with opening a handle; %zu bytes of JSON each. podman inspect of %d at once",
	    bytes / MANY, opt.podman_containers);
	samples_free(&s);
}

/* ---- events ---- */

/* Changes that cost little besides their event. */
static double write_events(ctr_container_t *c, int n)
{
	int64_t t = now_ns();

	for (int i = 0; i < n; i += 2) {
		OK(ctr_container_mount(c, NULL, &err));
		OK(ctr_container_unmount(c, 0, &err));
	}
	return n / ((double)(now_ns() - t) / 1e9);
}

static double read_events(ctr_runtime_t *rt, int n)
{
	ctr_event_t *ev = NULL;
	int64_t t;
	int found = 0, r;

	OK(ctr_runtime_events_rewind(rt, 0, &err));
	t = now_ns();
	for (;;) {
		ctr_error_t *err = NULL;

		r = ctr_runtime_next_event(rt, &ev, &err);
		check(r, "next event", err);
		if (r == 0)
			break;
		found++;
		ctr_event_unref(ev);
	}
	t = now_ns() - t;
	if (found < n)
		die("%d events were read, not %d", found, n);
	return found / ((double)t / 1e9);
}

void section_events(struct world *w)
{
	const int n = 4000;
	struct samples in = {0}, out = {0};
	ctr_config_t *cfg = make_config(w, "/bin/true", NULL);
	ctr_container_t *c;

	world_open(w);
	c = create(w->rt, cfg);
	for (int i = 0; i < rounds(11, 3); i++) {
		sample(&in, write_events(c, n));
		sample(&out, read_events(w->rt, n));
	}
	emit((struct row){"events.write", "changes with an event, one container, one thread",
	    UNIT_RATE, RULE_NONE, median(&in), 0, 0, 0, "mount and unmount of a root directory"});
	emit((struct row){
	    "events.read", "events read", UNIT_RATE, RULE_NONE, median(&out), 0, 0, 0, NULL});
	ctr_container_unref(c);
	ctr_config_unref(cfg);
	samples_free(&in);
	samples_free(&out);
}
