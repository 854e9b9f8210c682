/* SPDX-License-Identifier: Apache-2.0 */
/* A session as JSON, with libpod's keys. */
#include "core/exec.h"

#include "util/cleanup.h"
#include "util/json_emit.h"

static void emit_process(
    const struct ctr_exec *x, const struct ctr__exec_state *s, struct ctr__buf *out)
{
	ctr__emit_object(out, "ProcessConfig");
	ctr__emit_array(out, "arguments");
	for (size_t i = 1; i < x->command_n; i++)
		ctr__emit_str(out, NULL, x->command[i]);
	ctr__emit_array_end(out);
	ctr__emit_str(out, "entrypoint", x->command[0]);
	ctr__emit_bool(out, "privileged", s->flags & CTR_EXEC_PRIVILEGED);
	ctr__emit_bool(out, "tty", s->flags & CTR_EXEC_TERMINAL);
	ctr__emit_str(out, "user", s->user);
	ctr__emit_object_end(out);
}

int ctr__exec_inspect(struct ctr_exec *x, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = ctr__session_enter(x, CTR__OP_READ, CTR__LOOK_GATED, &s, err);

	if (r < 0)
		return r;
	ctr__emit_object(out, NULL);
	ctr__emit_bool(out, "CanRemove", s.s.state == CTR_EXEC_STATE_STOPPED);
	ctr__emit_str(out, "ContainerID", x->c->id);
	ctr__emit_str(out, "DetachKeys", s.s.detach_keys);
	ctr__emit_i64(out, "ExitCode", s.s.exit_code);
	ctr__emit_str(out, "ID", x->id);
	ctr__emit_bool(out, "OpenStderr", s.s.opened & CTR_ATTACH_STDERR);
	ctr__emit_bool(out, "OpenStdin", s.s.flags & CTR_EXEC_STDIN);
	ctr__emit_bool(out, "OpenStdout", s.s.opened & CTR_ATTACH_STDOUT);
	ctr__emit_bool(out, "Running", s.s.state == CTR_EXEC_STATE_RUNNING);
	ctr__emit_i64(out, "Pid", s.s.pid);
	emit_process(x, &s.s, out);
	ctr__emit_object_end(out);
	return out->failed ? ctr__fail_nomem(err) : 0;
}
