/* SPDX-License-Identifier: Apache-2.0 */
/* Conmon's command line and environment. Only options that the oldest supported conmon (2.1.6) knows: an unknown one makes
 * it end without an answer. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "oci/driver.h"
#include "util/cleanup.h"

struct words {
	char **v;
	bool failed;
};

static void words_free(struct words *w)
{
	ctr_strv_free(w->v);
}

static void add(struct words *w, const char *word)
{
	if (!word || !ctr__strv_add(&w->v, word))
		w->failed = true;
}

static void add_option(struct words *w, const char *name, const char *value)
{
	add(w, name);
	add(w, value);
}

/* A global option of the runtime. */
static void add_runtime_word(struct words *w, const char *word)
{
	add_option(w, "--runtime-arg", word);
}

static void add_file(struct words *w, const char *name, const char *dir, const char *file)
{
	CTR__FREE char *path = ctr__path_join(dir, file);

	add_option(w, name, path);
}

static void add_identity(struct words *w, const struct ctr__conmon *d,
    const struct ctr_oci_container *c, const char *uuid)
{
	add_option(w, "--api-version", "1"); /* a flag; without it the answer has other keys */
	add_option(w, "-c", c->id);
	add_option(w, "-u", uuid);
	add_option(w, "-n", c->name && *c->name ? c->name : c->id);
	add_option(w, "-r", d->runtime_path);
}

static void add_places(
    struct words *w, const struct ctr__conmon *d, const struct ctr_oci_container *c)
{
	CTR__FREE char *persist = ctr__path_join(d->persist_dir, c->id);

	add_option(w, "-b", c->bundle);
	add_file(w, "-p", c->bundle, CTR__CTR_PID_FILE);
	add_file(w, "--conmon-pidfile", c->bundle, CTR__CONMON_PID_FILE);
	add_option(w, "--exit-dir", d->exits_dir);
	add_option(w, "--persist-dir", persist);
	add(w, "--full-attach"); /* the attach socket is in the bundle */
}

/* `dir`: where its log goes. */
static void add_runtime_words(struct words *w, const struct ctr__conmon *d,
    const struct ctr_oci_container *c, const char *dir)
{
	add_runtime_word(w, "--root");
	add_runtime_word(w, d->oci_root);
	if (d->kind == CTR__RUNTIME_CRUN && !c->cgroup_path) {
		add_runtime_word(w, "--cgroup-manager");
		add_runtime_word(w, "disabled");
	}
	if (!d->json_errors)
		return;
	add_runtime_word(w, "--log-format=json");
	add_runtime_word(w, "--log");
	add_file(w, "--runtime-arg", dir, CTR__OCI_LOG);
}

/* Conmon reads these as signed numbers. */
static void add_number(struct words *w, const char *name, uint64_t value, uint64_t max)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)(value < max ? value : max));
	add_option(w, name, text);
}

/* What libpod calls json-file is k8s-file, too. A tag is an error but with journald. */
static void add_log(struct words *w, const struct ctr_oci_container *c)
{
	bool journal = !c->log_path && ctr__streq(c->log_driver, "journald");
	CTR__FREE char *log = c->log_path ? ctr__format("k8s-file:%s", c->log_path)
	                                  : strdup(journal ? "journald" : "none");

	add_option(w, "-l", log);
	if (c->log_size_max && c->log_path)
		add_number(w, "--log-size-max", c->log_size_max, INT64_MAX);
	if (journal && c->log_tag && *c->log_tag)
		add_option(w, "--log-tag", c->log_tag);
}

/* The log is synced by conmon at the container's end (0.2 ms); --no-sync-log would save that and lose the
 * last lines in a power failure. */
static void add_behaviour(struct words *w, const struct ctr_oci_container *c)
{
	add_option(w, "--log-level", "warning");
	add_log(w, c);
	if (c->flags & CTR_OCI_SYSTEMD_CGROUP)
		add(w, "-s");
	if (c->flags & CTR_OCI_TERMINAL)
		add(w, "-t");
	else if (c->flags & CTR_OCI_STDIN)
		add(w, "-i");
	if (c->timeout_s)
		add_number(w, "--timeout", c->timeout_s, INT32_MAX);
}

static void add_exit_command(struct words *w, const char *const *command)
{
	if (!command || !command[0])
		return;
	add_option(w, "--exit-command", command[0]);
	for (size_t i = 1; command[i]; i++)
		add_option(w, "--exit-command-arg", command[i]);
}

int ctr__conmon_command_line(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, char ***out, ctr_error_t **err)
{
	CTR__CLEANUP(words_free) struct words w = {0};

	add(&w, d->conmon_path);
	add_identity(&w, d, c, c->id);
	add_places(&w, d, c);
	add_runtime_words(&w, d, c, c->bundle);
	add_behaviour(&w, c);
	add_exit_command(&w, c->exit_command);
	if (w.failed)
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(w.v);
	return 0;
}

static char *temporaries_env(const char *dir)
{
	return ctr__format("_LIBCONTAINER_STATEDIR=%s", dir);
}

char *ctr__oci_temporaries_env(const struct ctr_oci_container *c)
{
	return temporaries_env(c->bundle);
}

static void add_socket(struct words *w, const char *name, size_t fd)
{
	CTR__FREE char *word = ctr__format("%s=%zu", name, fd);

	add(w, word);
}

struct surroundings {
	const char *dir; /* for temporary files */
	size_t fds_n;    /* descriptors for the runtime: they come before the sockets */
	bool terminal, streams;
};

/* conmon-term.XXXXXX, too, is made in the bundle rather than in /tmp. A socket's path is short, hence the
 * detour. */
static int make_environment(const struct surroundings *e, char ***out, ctr_error_t **err)
{
	static const char *const common[] = {CTR__OCI_ENV};
	CTR__CLEANUP(words_free) struct words w = {0};
	CTR__FREE char *temporaries = temporaries_env(e->dir);
	size_t next = 3 + e->fds_n;

	for (size_t i = 0; i < CTR__ARRAY_SIZE(common); i++)
		add(&w, common[i]);
	add_socket(&w, "_OCI_SYNCPIPE", next++);
	add_socket(&w, "_OCI_STARTPIPE", next++);
	if (e->streams)
		add_socket(&w, "_OCI_ATTACHPIPE", next);
	add(&w, temporaries);
	if (e->terminal)
		add(&w, "TMPDIR=/proc/self/cwd");
	if (w.failed)
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(w.v);
	return 0;
}

int ctr__conmon_environment(const struct ctr_oci_container *c, char ***out, ctr_error_t **err)
{
	const struct surroundings e = {.dir = c->bundle, .terminal = c->flags & CTR_OCI_TERMINAL};

	return make_environment(&e, out, err);
}

/* ---- one more process ---- */

static void add_session_places(
    struct words *w, const struct ctr_oci_container *c, const struct ctr_oci_exec *x)
{
	CTR__FREE char *persist = ctr__format("%s/persist/%s", x->dir, c->id);

	add_option(w, "-b", x->dir);
	add_file(w, "-p", x->dir, CTR__SESSION_PID_FILE);
	add_file(w, "--conmon-pidfile", x->dir, CTR__CONMON_PID_FILE);
	add_file(w, "--exit-dir", x->dir, CTR__SESSION_EXIT_DIR);
	add_option(w, "--persist-dir", persist);
	add(w, "--full-attach");
}

static void add_session_behaviour(struct words *w, const struct ctr_oci_exec *x)
{
	add_option(w, "--log-level", "warning");
	add_option(w, "-l", "none");
	if (x->flags & CTR_OCI_EXEC_TERMINAL)
		add(w, "-t");
	if (x->flags & CTR_OCI_EXEC_STDIN)
		add(w, "-i");
	add(w, "-e");
	if (x->flags & CTR_OCI_EXEC_STREAMS)
		add(w, "--exec-attach");
	add_file(w, "--exec-process-spec", x->dir, CTR__SESSION_PROCESS);
	if (x->fds_n) {
		add_option(w, "--runtime-opt", "--preserve-fds");
		add_number(w, "--runtime-opt", x->fds_n, INT32_MAX);
	}
	add_exit_command(w, x->exit_command);
	if (x->exit_command && x->exit_delay_s)
		add_number(w, "--exit-delay", x->exit_delay_s, INT32_MAX);
}

int ctr__conmon_session_command_line(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, char ***out, ctr_error_t **err)
{
	CTR__CLEANUP(words_free) struct words w = {0};

	add(&w, d->conmon_path);
	add_identity(&w, d, c, x->id);
	add_session_places(&w, c, x);
	add_runtime_words(&w, d, c, x->dir);
	add_session_behaviour(&w, x);
	if (w.failed)
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(w.v);
	return 0;
}

int ctr__conmon_session_environment(const struct ctr_oci_exec *x, char ***out, ctr_error_t **err)
{
	const struct surroundings e = {.dir = x->dir,
	    .fds_n = x->fds_n,
	    .terminal = x->flags & CTR_OCI_EXEC_TERMINAL,
	    .streams = x->flags & CTR_OCI_EXEC_STREAMS};

	return make_environment(&e, out, err);
}
