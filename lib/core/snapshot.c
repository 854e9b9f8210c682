/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of all state fields, and its JSON (libpod's keys). */
#include "core/snapshot.h"

#include <stdlib.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json.h"

void ctr__snapshot_free(struct ctr_state *s)
{
	if (!s)
		return;
	ctr__buf_free(&s->record);
	free(s->run_dir);
	free(s);
}

static void snapshot_freep(struct ctr_state **s)
{
	ctr__snapshot_free(*s);
}

int ctr__snapshot(struct ctr_container *c, struct ctr_state **out, ctr_error_t **err)
{
	CTR__CLEANUP(snapshot_freep) struct ctr_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ctr__fail_nomem(err);
	ctr__state_encode(&c->state, &s->record);
	s->run_dir = ctr__path_join(c->rt->run_dirs, c->id);
	if (s->record.failed || !s->run_dir)
		return ctr__fail_nomem(err);
	r = ctr__state_decode(s->record.data, s->record.len, &s->s, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(s);
	return 0;
}

static bool add_str(
    struct ctr__json_doc *d, struct ctr__json *o, const char *key, const char *value)
{
	return !*value || ctr__json_set(d, o, key, ctr__json_new_str(d, value));
}

static bool add_time(struct ctr__json_doc *d, struct ctr__json *o, const char *key, int64_t ns)
{
	char text[CTR__RFC3339_MAX];

	ctr__rfc3339_format(ns, text);
	return ctr__json_set(d, o, key, ctr__json_new_str(d, text));
}

static bool add_num(struct ctr__json_doc *d, struct ctr__json *o, const char *key, int64_t n)
{
	return !n || ctr__json_set(d, o, key, ctr__json_new_i64(d, n));
}

static bool add_bool(struct ctr__json_doc *d, struct ctr__json *o, const char *key, bool b)
{
	return !b || ctr__json_set(d, o, key, ctr__json_new_bool(d, b));
}

static bool add_bind_mounts(
    struct ctr__json_doc *d, struct ctr__json *o, const struct ctr__state *s)
{
	struct ctr__json *map;

	if (!s->bind_mounts_n)
		return true;
	map = ctr__json_new_object(d);
	if (!ctr__json_set(d, o, "bindMounts", map))
		return false;
	for (uint32_t i = 0; i < s->bind_mounts_n; i++) {
		if (!ctr__json_set(d, map, s->bind_mounts[2 * i],
		        ctr__json_new_str(d, s->bind_mounts[2 * i + 1])))
			return false;
	}
	return true;
}

/* What was stored is JSON text of our own. */
static bool add_stage_hooks(
    struct ctr__json_doc *d, struct ctr__json *o, const struct ctr__state *s)
{
	CTR__JSON_DOC struct ctr__json_doc *hooks = NULL;

	if (!*s->stage_hooks ||
	    ctr__json_parse(s->stage_hooks, strlen(s->stage_hooks), "hooks", &hooks, NULL) < 0)
		return !*s->stage_hooks;
	return ctr__json_set(d, o, "extensionStageHooks", ctr__json_copy(d, hooks->root));
}

/* Empty members are left out, as libpod does, except state and times. */
static bool fill(struct ctr__json_doc *d, struct ctr__json *o, const struct ctr_state *st)
{
	const struct ctr__state *s = &st->s;

	return ctr__json_set(d, o, "state", ctr__json_new_i64(d, s->state)) &&
	       add_str(d, o, "status", ctr__state_name(s->state)) &&
	       add_str(d, o, "configPath", s->config_path) &&
	       add_str(d, o, "runDir", st->run_dir) && add_bool(d, o, "mounted", s->mounted) &&
	       add_str(d, o, "mountPoint", s->mountpoint) &&
	       add_str(d, o, "realMountPoint", s->mountpoint) &&
	       add_str(d, o, "destinationRunDir", st->run_dir) &&
	       add_time(d, o, "startedTime", s->started_ns) &&
	       add_time(d, o, "finishedTime", s->finished_ns) &&
	       add_num(d, o, "exitCode", s->exit_code) && add_bool(d, o, "exited", s->exited) &&
	       add_bool(d, o, "oomKilled", s->oom_killed) && add_num(d, o, "pid", s->pid) &&
	       add_num(d, o, "conmonPid", s->conmon_pid) &&
	       add_bool(d, o, "stoppedByUser", s->stopped_by_user) &&
	       add_bool(d, o, "restartPolicyMatch", s->restart_match) &&
	       add_num(d, o, "restartCount", s->restart_count) &&
	       add_str(d, o, "error", s->error) && add_str(d, o, "netns", s->net_ns) &&
	       add_bind_mounts(d, o, s) && add_stage_hooks(d, o, s);
}

int ctr__snapshot_json(const struct ctr_state *s, char **out, size_t *len, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__json *o = d ? ctr__json_new_object(d) : NULL;

	if (!o || !fill(d, o, s))
		return ctr__fail_nomem(err);
	ctr__json_write(o, false, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	if (len)
		*len = text.len;
	*out = ctr__buf_steal(&text);
	return *out ? 0 : ctr__fail_nomem(err);
}
