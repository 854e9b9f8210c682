/* SPDX-License-Identifier: Apache-2.0 */
/* Exec sessions: the handle, creating, finding. */
#include "core/exec.h"

#include <stdlib.h>
#include <string.h>

#include "core/opts.h"
#include "core/process.h"
#include "stream/stream.h"
#include "util/cleanup.h"

#define KNOWN_FLAGS (CTR_EXEC_TERMINAL | CTR_EXEC_PRIVILEGED | CTR_EXEC_STDIN)

const char *ctr__exec_state_name(int32_t state)
{
	static const char *const names[] = {[CTR_EXEC_STATE_UNKNOWN] = "unknown",
	    [CTR_EXEC_STATE_CREATED] = "created",
	    [CTR_EXEC_STATE_RUNNING] = "running",
	    [CTR_EXEC_STATE_STOPPED] = "stopped"};

	return state >= 0 && state < (int32_t)CTR__ARRAY_SIZE(names) ? names[state] : "bad state";
}

/* ---- the handle ---- */

struct ctr_exec *ctr__exec_ref(struct ctr_exec *x)
{
	if (x)
		atomic_fetch_add_explicit(&x->refs, 1, memory_order_relaxed);
	return x;
}

void ctr__exec_unref(struct ctr_exec *x)
{
	if (!x || atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel) != 1)
		return;
	ctr_strv_free(x->command);
	ctr__container_unref(x->c);
	free(x);
}

void ctr__exec_unrefp(struct ctr_exec **x)
{
	ctr__exec_unref(*x);
}

static int handle_new(struct ctr_container *c, const char *id, const struct ctr__packed *command,
    struct ctr_exec **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__exec_unrefp) struct ctr_exec *x = calloc(1, sizeof(*x));

	if (!x)
		return ctr__fail_nomem(err);
	atomic_init(&x->refs, 1);
	x->c = ctr__container_ref(c);
	memcpy(x->id, id, strlen(id) + 1);
	x->command = ctr__unpack(command);
	if (!x->command)
		return ctr__fail_nomem(err);
	x->command_n = ctr__strv_len((const char *const *)x->command);
	*out = CTR__STEAL_PTR(x);
	return 0;
}

/* ---- checking the options ---- */

static int refuse(ctr_error_t **err, const char *field, const char *what)
{
	ctr__fail(err, CTR_E_INVALID, "exec: %s: %s", field, what);
	ctr__error_detail(err, "field", field);
	return CTR_E_INVALID;
}

static bool all_utf8(const char *const *list)
{
	for (; list && *list; list++) {
		if (!ctr__utf8_valid(*list, strlen(*list)))
			return false;
	}
	return true;
}

static int check_texts(const struct ctr_exec_opts *o, ctr_error_t **err)
{
	const char *const user[] = {o->user, NULL};
	const char *const workdir[] = {o->workdir, NULL};
	const struct {
		const char *field;
		const char *const *list;
	} texts[] = {{"command", o->command}, {"env", o->env}, {"groups", o->groups},
	    {"exit_command", o->exit_command}, {"user", user}, {"workdir", workdir}};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(texts); i++) {
		if (!all_utf8(texts[i].list))
			return refuse(err, texts[i].field, "is not UTF-8");
	}
	return 0;
}

static int check_env(const char *const *env, ctr_error_t **err)
{
	for (; env && *env; env++) {
		if (**env == '=' || !strchr(*env, '='))
			return refuse(err, "env", "is not of the form NAME=value");
	}
	return 0;
}

static int check_exit_command(const struct ctr_exec_opts *o, ctr_error_t **err)
{
	bool has = o->exit_command && o->exit_command[0];

	if (o->exit_command_delay_s < 0 || o->exit_command_delay_s > INT32_MAX)
		return refuse(err, "exit_command_delay_s", "is out of range");
	if (o->exit_command_delay_s && !has)
		return refuse(err, "exit_command_delay_s", "there is no exit command to delay");
	if (has && o->exit_command[0][0] != '/')
		return refuse(err, "exit_command", "its program is not an absolute path");
	return 0;
}

static int check_opts(const struct ctr_exec_opts *o, ctr_error_t **err)
{
	struct ctr__detach keys;
	int r;

	if (o->flags & ~KNOWN_FLAGS)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for an exec session",
		    (unsigned long long)(o->flags & ~KNOWN_FLAGS));
	if (!o->command || !o->command[0] || !o->command[0][0])
		return refuse(err, "command", "is empty");
	r = check_texts(o, err);
	if (r >= 0)
		r = check_env(o->env, err);
	if (r >= 0 && o->workdir && *o->workdir && *o->workdir != '/')
		r = refuse(err, "workdir", "is not an absolute path");
	if (r >= 0 && o->detach_keys)
		r = ctr__detach_parse(o->detach_keys, &keys, err);
	return r < 0 ? r : check_exit_command(o, err);
}

static int check_runtime(struct ctr_container *c, const struct ctr_exec_opts *o, ctr_error_t **err)
{
	struct ctr__oci *oci;
	int r = ctr__container_oci(c, &oci, err);

	if (r < 0)
		return r;
	if (!oci->ops.exec_start || !oci->ops.exec_status || !oci->ops.exec_kill ||
	    !oci->ops.exec_remove)
		return ctr__fail(err, CTR_E_UNSUPPORTED,
		    "OCI runtime %s cannot run more processes in a container", oci->name);
	if (o->exit_command && o->exit_command[0] && !(oci->ops.caps & CTR_OCI_CAP_EXIT_COMMAND))
		return ctr__fail(
		    err, CTR_E_UNSUPPORTED, "OCI runtime %s runs no exit commands", oci->name);
	return 0;
}

/* ---- creating ---- */

struct creating {
	struct ctr_container *c;
	const struct ctr_exec_opts *o;
	char id[CTR__ID_HEX + 1];
	struct ctr__buf process, command, exit_command;
};

static void creating_free(struct creating *k)
{
	ctr__buf_free(&k->process);
	ctr__buf_free(&k->command);
	ctr__buf_free(&k->exit_command);
}

/* libpod appends both IDs to the exit command. */
static int pack(struct creating *k, ctr_error_t **err)
{
	const char *const ids[] = {k->id, k->c->id, NULL};

	ctr__pack(k->o->command, &k->command);
	if (k->o->exit_command && k->o->exit_command[0]) {
		ctr__pack(k->o->exit_command, &k->exit_command);
		ctr__pack(ids, &k->exit_command);
	}
	return k->command.failed || k->exit_command.failed ? ctr__fail_nomem(err) : 0;
}

static int record(const struct creating *k, ctr_error_t **err)
{
	const struct ctr__exec_state s = {
	    .state = CTR_EXEC_STATE_CREATED,
	    .flags = k->o->flags,
	    .exit_delay_s = (uint64_t)k->o->exit_command_delay_s,
	    .user = k->o->user && *k->o->user ? k->o->user : NULL,
	    .detach_keys = k->o->detach_keys,
	    .process = k->process.data,
	    .command = {k->command.data, k->command.len},
	    .exit_command = {k->exit_command.data, k->exit_command.len},
	};
	const struct ctr__exec_save save = {
	    .ctr_id = k->c->id, .id = k->id, .state = &s, .is_new = true};

	return ctr__store_exec_save(k->c->rt->store, &save, err);
}

static int create_locked(struct ctr_container *c, const struct ctr_exec_opts *o,
    struct ctr_exec **out, ctr_error_t **err)
{
	CTR__CLEANUP(creating_free) struct creating k = {.c = c, .o = o};
	CTR__CLEANUP(ctr__exec_unrefp) struct ctr_exec *x = NULL;
	int r = check_runtime(c, o, err);

	if (r >= 0)
		r = ctr__id_random(k.id, err);
	if (r >= 0)
		r = ctr__process_for_exec(c, o, &k.process, err);
	if (r >= 0)
		r = pack(&k, err);
	/* After the commit nothing may fail. */
	if (r >= 0)
		r = handle_new(
		    c, k.id, &(struct ctr__packed){k.command.data, k.command.len}, &x, err);
	if (r >= 0)
		r = record(&k, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(x);
	return 0;
}

int ctr__exec_create(struct ctr_container *c, const struct ctr_exec_opts *opts,
    struct ctr_exec **out, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {.c = NULL};
	struct ctr_exec_opts o;
	int r = CTR__COPY_OPTS(&o, opts, "ctr_exec_opts", err);

	if (r >= 0)
		r = check_opts(&o, err);
	if (r >= 0)
		r = ctr__enter(
		    c, CTR__OP_EXEC, CTR__LOOK_NOW | CTR__REPAIR | CTR__IN_BATCH_BUSY, &g, err);
	return r < 0 ? r : create_locked(g.c, &o, out, err);
}

/* ---- finding ---- */

static int no_such(ctr_error_t **err, const char *id)
{
	return ctr__fail(err, CTR_E_NO_SUCH_EXEC, "no exec session \"%.200s\"", id);
}

static int open_locked(
    struct ctr_container *c, const char *id, struct ctr_exec **out, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__exec_state s;
	int r = ctr__store_exec_load(c->rt->store, c->id, id, &raw, err);

	if (r == 0)
		return no_such(err, id);
	if (r > 0)
		r = ctr__exec_state_decode(raw.data, raw.len, &s, err);
	return r < 0 ? r : handle_new(c, id, &s.command, out, err);
}

/* A full ID, or what only one of them begins with. */
static int resolve(char *const *ids, const char *wanted, const char **found, ctr_error_t **err)
{
	*found = NULL;
	for (; *ids; ids++) {
		if (!ctr__starts_with(*ids, wanted))
			continue;
		if (*found)
			return ctr__fail(err, CTR_E_INVALID,
			    "several exec sessions have IDs that begin with \"%.200s\"", wanted);
		*found = *ids;
	}
	return *found ? 0 : no_such(err, wanted);
}

int ctr__exec_lookup(
    struct ctr_container *c, const char *id, struct ctr_exec **out, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {.c = NULL};
	CTR__STRV char **ids = NULL;
	const char *full;
	int r;

	if (!id || !*id)
		return ctr__fail(err, CTR_E_EMPTY_ID, "the ID of an exec session is empty");
	r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, &g, err);
	if (r >= 0)
		r = ctr__store_exec_list(g.c->rt->store, g.c->id, &ids, err);
	if (r >= 0)
		r = resolve(ids, id, &full, err);
	return r < 0 ? r : open_locked(g.c, full, out, err);
}

int ctr__exec_find(struct ctr_runtime *rt, const char *id, struct ctr_exec **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *c = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	char owner[CTR__ID_MAX + 1];
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = ctr__store_exec_owner(rt->store, id, owner, err);
	if (r < 0)
		return r;
	r = ctr__container_open(rt, owner, &c, &why);
	if (r >= 0)
		r = ctr__exec_lookup(c, id, out, &why);
	/* It went with its container in between. */
	if (r == CTR_E_NO_SUCH_CTR || r == CTR_E_CTR_REMOVED)
		return no_such(err, id);
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : 0;
}

int ctr__exec_sessions(struct ctr_container *c, char ***list, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {.c = NULL};
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, &g, err);

	return r < 0 ? r : ctr__store_exec_list(g.c->rt->store, g.c->id, list, err);
}
