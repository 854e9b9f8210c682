/* SPDX-License-Identifier: Apache-2.0 */
/* The log of health checks: one JSON file, replaced as a whole, in libpod's shape. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/health.h"
#include "sys/fd.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DEFAULT_COUNT 5
#define COUNT_MAX     1000       /* of a log without limit */
#define FILE_MAX      (8U << 20) /* older entries go before it gets larger */
#define FILE_NAME     "healthcheck.log"

void ctr__health_log_free(struct ctr__health_log *l)
{
	ctr__json_doc_free(l->doc);
	l->doc = NULL;
}

/* ---- the place ---- */

struct place {
	int dir;
	char *name;
	char *dir_path;
};

static void place_free(struct place *p)
{
	ctr__cleanup_close(&p->dir);
	free(p->name);
	free(p->dir_path);
}

static bool has_own_dir(const ctr_config_t *cfg)
{
	return cfg->health_log_destination && strcmp(cfg->health_log_destination, "local") != 0;
}

/* 0, or -errno of opening the directory, or CTR_E_NOMEM. */
static int open_place(const struct ctr_container *c, struct place *p, ctr_error_t **err)
{
	bool own = has_own_dir(c->cfg);

	p->name = own ? ctr__format("%s-" FILE_NAME, c->id) : strdup(FILE_NAME);
	p->dir_path =
	    own ? strdup(c->cfg->health_log_destination) : ctr__path_join(c->rt->run_dirs, c->id);
	if (!p->name || !p->dir_path)
		return ctr__fail_nomem(err);
	p->dir = open(p->dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return ctr__fail_errno(err, errno, p->dir_path,
		    "cannot open the directory of the health log, %s", p->dir_path);
	return 0;
}

/* ---- reading ---- */

static int empty_log(struct ctr__health_log *l, ctr_error_t **err)
{
	struct ctr__json_doc *d = ctr__json_doc_new();

	ctr__health_log_free(l);
	l->doc = d;
	if (d)
		d->root = ctr__json_new_object(d);
	return d && d->root && ctr__json_want_array(d, d->root, "Log") ? 0 : ctr__fail_nomem(err);
}

static bool is_log(const struct ctr__json *root)
{
	const struct ctr__json *log = ctr__json_get(root, "Log");

	return root && root->type == CTR__JSON_OBJECT &&
	       (!log || log->type == CTR__JSON_NULL || log->type == CTR__JSON_ARRAY);
}

int ctr__health_log_read(struct ctr_container *c, struct ctr__health_log *l, ctr_error_t **err)
{
	CTR__CLEANUP(place_free) struct place p = {.dir = -1};
	CTR__FREE char *text = NULL;
	size_t len;
	int r = open_place(c, &p, NULL);

	if (r == CTR_E_NOMEM)
		return ctr__fail_nomem(err);
	if (r == 0)
		r = ctr__read_file_at(p.dir, p.name, 2 * FILE_MAX, &text, &len);
	if (r == 0)
		r = ctr__json_parse(text, len, "health log", &l->doc, NULL);
	if (r == CTR_E_NOMEM || r == -ENOMEM)
		return ctr__fail_nomem(err);
	if (r == 0 && is_log(l->doc->root))
		return 0;
	if (r != -ENOENT && p.dir >= 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "the health log %s/%s is damaged",
		    p.dir_path, p.name);
	return empty_log(l, err);
}

int64_t ctr__health_log_streak(const struct ctr__health_log *l)
{
	int64_t n;

	return ctr__json_i64(ctr__json_get(l->doc->root, "FailingStreak"), &n) && n > 0 &&
	               n < INT32_MAX
	           ? n
	           : 0;
}

/* ---- writing ---- */

static bool set_time(struct ctr__json_doc *d, struct ctr__json *o, const char *key, int64_t ns)
{
	char text[CTR__RFC3339_MAX];

	ctr__rfc3339_format(ns, text);
	return ctr__json_set(d, o, key, ctr__json_new_str(d, text));
}

static bool add_entry(
    struct ctr__json_doc *d, struct ctr__json *log, const struct ctr__health_entry *e)
{
	struct ctr__json *o = ctr__json_new_object(d);

	return o && set_time(d, o, "Start", e->start_ns) && set_time(d, o, "End", e->end_ns) &&
	       ctr__json_set(d, o, "ExitCode", ctr__json_new_i64(d, e->exit_code)) &&
	       ctr__json_set(d, o, "Output", ctr__json_new_str(d, e->output)) &&
	       ctr__json_append(d, log, o);
}

static size_t entries_wanted(const ctr_config_t *cfg)
{
	int64_t n =
	    cfg->given[CTR_CONFIG_HEALTH_MAX_LOG_COUNT] ? cfg->health_max_log_count : DEFAULT_COUNT;

	return n > 0 && n < COUNT_MAX ? (size_t)n : COUNT_MAX;
}

/* As text, short enough to be read again. */
static void compose(struct ctr__json *root, struct ctr__json *log, struct ctr__buf *out)
{
	for (;;) {
		out->len = 0;
		ctr__json_write(root, false, out);
		if (out->failed || out->len <= FILE_MAX || !log->first)
			return;
		ctr__json_remove(log, log->first);
	}
}

static bool set_verdict(struct ctr__health_log *l, int32_t health, int64_t streak)
{
	struct ctr__json_doc *d = l->doc;

	return ctr__json_set(
	           d, d->root, "Status", ctr__json_new_str(d, ctr__health_name(health))) &&
	       ctr__json_set(d, d->root, "FailingStreak", ctr__json_new_i64(d, streak));
}

int ctr__health_log_write(struct ctr_container *c, struct ctr__health_log *l, int32_t health,
    int64_t streak, const struct ctr__health_entry *e, ctr_error_t **err)
{
	CTR__CLEANUP(place_free) struct place p = {.dir = -1};
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__json *log = ctr__json_want_array(l->doc, l->doc->root, "Log");
	int r;

	if (!log || !set_verdict(l, health, streak) || (e && !add_entry(l->doc, log, e)))
		return ctr__fail_nomem(err);
	while (log->count > entries_wanted(c->cfg))
		ctr__json_remove(log, log->first);
	compose(l->doc->root, log, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	r = open_place(c, &p, err);
	if (r < 0)
		return r;
	r = ctr__write_file_at(p.dir, p.name, text.data, text.len, 0600, false);
	return r < 0 ? ctr__fail_errno(err, -r, p.dir_path, "cannot write the health log %s/%s",
	                   p.dir_path, p.name)
	             : 0;
}

int ctr__health_log_text(struct ctr_container *c, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__HEALTH_LOG struct ctr__health_log l = {0};
	int r = ctr__health_log_read(c, &l, err);

	if (r < 0)
		return r;
	if (!ctr__json_want_array(l.doc, l.doc->root, "Log") ||
	    !set_verdict(&l, c->state.health, ctr__health_log_streak(&l)))
		return ctr__fail_nomem(err);
	ctr__json_write(l.doc->root, false, out);
	return out->failed ? ctr__fail_nomem(err) : 0;
}

void ctr__health_log_reset(struct ctr_container *c)
{
	CTR__HEALTH_LOG struct ctr__health_log l = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	int r = empty_log(&l, &why);

	if (r == 0)
		r = ctr__health_log_write(c, &l, c->state.health, 0, NULL, &why);
	if (r < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "%s", ctr_error_message(why));
}

void ctr__health_log_remove(struct ctr_container *c)
{
	CTR__CLEANUP(place_free) struct place p = {.dir = -1};

	if (has_own_dir(c->cfg) && open_place(c, &p, NULL) == 0)
		(void)unlinkat(p.dir, p.name, 0);
}
