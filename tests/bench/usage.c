/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at containers from outside: their logs, their processes, what they use. */
#include "sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podman.h"

/* ---- logs ---- */

#define LINES 1000000

static void write_lines(const char *path, int n)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die("cannot write %s", path);
	for (int i = 0; i < n; i++)
		fprintf(f, "2024-02-29T23:59:%02d.%09d+05:30 stdout F line %d of many\n",
		    i / 20000 % 60, i / 50 % 1000000000, i);
	if (fclose(f) != 0)
		die("cannot write %s", path);
}

static double time_logs(ctr_container_t *c, uint64_t tail, int expected)
{
	struct ctr_logs_opts o = {
	    .size = sizeof(o), .flags = tail ? CTR_LOGS_TAIL : 0, .tail = tail};
	int64_t t = now_ns();
	ctr_logs_t *l = NULL;
	size_t len;
	int lines = 0;

	OK(ctr_container_logs(c, &o, &l, &err));
	while (ctr_logs_next(l, NULL) == CTR_LOGS_LINE) {
		keep(ctr_logs_text(l, &len));
		lines++;
	}
	ctr_logs_free(l);
	if (lines != expected)
		die("a log has %d lines, not %d", lines, expected);
	return (double)(now_ns() - t);
}

struct rival {
	double all, tail;
};

static struct rival podman_logs(struct world *w, const char *path)
{
	char *option = text("--log-opt=path=%s", path);
	const char *options[] = {"--log-driver=k8s-file", option, NULL};
	const char *argv[48];
	struct rival r = {0};
	struct podman p;
	char *id;

	if (podman_init(&p, w)) {
		podman_container(&p, argv, "create", options, "/bin/true", NULL);
		id = run_output(argv);
		id[strcspn(id, "\n")] = '\0';
		r.all = podman_command(&p, "logs", id, NULL);
		r.tail = podman_command(&p, "logs", "--tail=10", id);
		podman_command(&p, "rm", id, NULL);
		free(id);
		podman_end(&p);
	}
	free(option);
	return r;
}

void section_logs(struct world *w)
{
	struct samples ours = {0}, cat = {0}, tail = {0};
	ctr_config_t *cfg, *made;
	ctr_container_t *c;
	struct rival r;
	char *path, *dir;
	const char *argv[3] = {"/bin/cat", NULL, NULL};
	int lines = rounds(LINES, LINES);

	world_open(w);
	cfg = make_config(w, "/bin/true", NULL);
	c = create(w->rt, cfg);
	made = ctr_container_config(c);
	path = text("%s", ctr_config_log_path(made));
	dir = text("%s", path);
	*strrchr(dir, '/') = '\0';
	(void)mkdir(dir, 0700);
	write_lines(path, lines);
	argv[1] = path;
	for (int i = 0; i < rounds(9, 3); i++) {
		sample(&ours, time_logs(c, 0, lines));
		sample(&cat, time_program(argv, NULL));
		sample(&tail, time_logs(c, 10, 10));
	}
	r = podman_logs(w, path);
	if (want("logs.all"))
		emit((struct row){"logs.all", "a log of 1000000 lines (floor: cat; podman logs)",
		    UNIT_NS, RULE_NONE, median(&ours), median(&cat), 0, r.all, NULL});
	if (want("logs.tail"))
		emit((struct row){"logs.tail", "its last 10 lines (podman logs --tail)", UNIT_NS,
		    RULE_NONE, median(&tail), 0, 0, r.tail, NULL});
	samples_free(&ours);
	samples_free(&cat);
	samples_free(&tail);
	ctr_config_unref(cfg);
	ctr_config_unref(made);
	OK(ctr_container_remove(c, 0, &err));
	ctr_container_unref(c);
	free(path);
	free(dir);
}

/* ---- processes, use ---- */

static double time_top(ctr_container_t *c)
{
	int64_t t = now_ns();
	ctr_top_t *top = NULL;

	OK(ctr_container_top(c, NULL, &top, &err));
	if (ctr_top_rows(top) != 1)
		die("%zu processes, not 1", ctr_top_rows(top));
	ctr_top_free(top);
	return (double)(now_ns() - t);
}

static double time_stats(ctr_container_t *c)
{
	int64_t t = now_ns();
	ctr_stats_t *s = NULL;

	OK(ctr_container_stats(c, &s, &err));
	ctr_stats_free(s);
	return (double)(now_ns() - t);
}

static struct rival podman_usage(struct world *w)
{
	static const char *const options[] = {"-d", NULL};
	const char *argv[48];
	struct rival r = {0};
	struct podman p;
	char *id;

	if (!podman_init(&p, w))
		return r;
	podman_container(&p, argv, "run", options, "/bin/sleep", "1000");
	id = run_output(argv);
	id[strcspn(id, "\n")] = '\0';
	r.all = podman_command(&p, "top", id, NULL);
	r.tail = podman_command(&p, "stats", "--no-stream", id);
	podman_command(&p, "rm", "-f", id);
	free(id);
	podman_end(&p);
	return r;
}

void section_usage(struct world *w)
{
	struct samples top = {0}, stats = {0};
	ctr_config_t *cfg;
	ctr_container_t *c;
	struct rival r;

	world_open(w);
	cfg = make_config(w, "/bin/sleep", "1000");
	c = create(w->rt, cfg);
	OK(ctr_container_start(c, 0, &err));
	for (int i = 0; i < rounds(200, 50); i++) {
		sample(&top, time_top(c));
		sample(&stats, time_stats(c));
	}
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	r = podman_usage(w);
	if (want("top"))
		emit((struct row){"top", "the processes of a container (podman top)", UNIT_NS,
		    RULE_NONE, median(&top), 0, 0, r.all, NULL});
	if (want("stats"))
		emit((struct row){"stats", "one reading of its use (podman stats --no-stream)",
		    UNIT_NS, RULE_NONE, median(&stats), 0, 0, r.tail, NULL});
	samples_free(&top);
	samples_free(&stats);
	ctr_config_unref(cfg);
	ctr_container_unref(c);
}
