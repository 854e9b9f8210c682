/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting: "State". */
#include "core/inspect.h"

#include "util/cleanup.h"

/* ---- health: what the checks have logged, as far as it has the right shape ---- */

static void emit_check(const struct ctr__json *check, struct ctr__buf *out)
{
	int64_t code = 0;

	(void)ctr__json_i64(ctr__json_get(check, "ExitCode"), &code);
	ctr__emit_object(out, NULL);
	ctr__emit_str(out, "Start", ctr__json_str(ctr__json_get(check, "Start")));
	ctr__emit_str(out, "End", ctr__json_str(ctr__json_get(check, "End")));
	ctr__emit_i64(out, "ExitCode", code);
	ctr__emit_str(out, "Output", ctr__json_str(ctr__json_get(check, "Output")));
	ctr__emit_object_end(out);
}

static void emit_checks(const struct ctr__json *log, struct ctr__buf *out)
{
	if (!log || log->type != CTR__JSON_ARRAY || log->count == 0) {
		ctr__emit_null(out, "Log");
		return;
	}
	ctr__emit_array(out, "Log");
	CTR__JSON_EACH (check, log)
		emit_check(check, out);
	ctr__emit_array_end(out);
}

static void emit_health(const struct ctr__inspect *in, struct ctr__buf *out)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	const struct ctr__json *root = NULL;
	int64_t streak = 0;

	if (in->health_log && ctr__json_parse(in->health_log, in->health_log_len, "health log",
	                          &doc, NULL) == CTR_E_NOMEM)
		out->failed = true;
	if (doc)
		root = doc->root;
	(void)ctr__json_i64(ctr__json_get(root, "FailingStreak"), &streak);
	ctr__emit_object(out, "Health");
	ctr__emit_str(out, "Status", ctr__json_str(ctr__json_get(root, "Status")));
	ctr__emit_i64(out, "FailingStreak", streak);
	emit_checks(ctr__json_get(root, "Log"), out);
	ctr__emit_object_end(out);
}

/* ---- the whole ---- */

static void emit_condition(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__state *s = in->s;

	ctr__emit_str(out, "OciVersion", ctr__json_str(ctr__json_get(in->spec, "ociVersion")));
	ctr__emit_str(out, "Status", ctr__state_name(s->state));
	ctr__emit_bool(out, "Running", s->state == CTR_STATE_RUNNING);
	ctr__emit_bool(out, "Paused", s->state == CTR_STATE_PAUSED);
	ctr__emit_bool(out, "Restarting", false);
	ctr__emit_bool(out, "OOMKilled", s->oom_killed);
	ctr__emit_bool(out, "Dead", false);
	ctr__emit_i64(out, "Pid", s->pid);
	ctr__emit_some_i64(out, "ConmonPid", s->conmon_pid);
	ctr__emit_i64(out, "ExitCode", s->exit_code);
	ctr__emit_str(out, "Error", s->error);
}

void ctr__inspect_state(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_object(out, "State");
	emit_condition(in, out);
	ctr__emit_time(out, "StartedAt", in->s->started_ns);
	ctr__emit_time(out, "FinishedAt", in->s->finished_ns);
	emit_health(in, out);
	ctr__emit_some_str(out, "CgroupPath", in->cgroup);
	/* There are no checkpoints: Go's zero time. */
	ctr__emit_time(out, "CheckpointedAt", 0);
	ctr__emit_time(out, "RestoredAt", 0);
	ctr__emit_some_bool(out, "StoppedByUser", in->s->stopped_by_user);
	ctr__emit_object_end(out);
}
