/* SPDX-License-Identifier: Apache-2.0 */
/* After a boot: what is to be started is started, dependencies first, and what is to be gone goes. */
#include <stdlib.h>

#include <libctr/policy.h>

#include "core/dependencies.h"
#include "core/health.h"
#include "core/lifecycle.h"
#include "core/policy.h"
#include "util/cleanup.h"

bool ctr__starts_on_boot(const ctr_config_t *cfg, const struct ctr__state *s)
{
	if (s->state == CTR_STATE_CONFIGURED || s->state == CTR_STATE_CREATED ||
	    s->state == CTR_STATE_REMOVING || s->state == CTR_STATE_UNKNOWN)
		return false;
	if (ctr__streq(cfg->restart_policy, "always"))
		return true;
	return ctr__streq(cfg->restart_policy, "unless-stopped") && !s->stopped_by_user;
}

/* ---- the list ---- */

struct ids {
	char **v;
	bool failed;
};

static int add_id(const char *id, void *userdata)
{
	struct ids *ids = userdata;

	ids->failed = !ctr__strv_add(&ids->v, id);
	return ids->failed;
}

static int all_ids(struct ctr_runtime *rt, char ***out, ctr_error_t **err)
{
	struct ids ids = {0};
	int r = ctr__store_each(rt->store, add_id, &ids, err);

	if (ids.failed)
		r = ctr__fail_nomem(err);
	if (r < 0) {
		ctr_strv_free(ids.v);
		return r;
	}
	*out = ids.v;
	return 0;
}

/* 1 = it is one. A container that is gone or cannot be read is none. */
static int wants_start(struct ctr_runtime *rt, const char *id, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *c = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__container_open(rt, id, &c, &why);

	if (r >= 0)
		r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, &why);
	if (r >= 0)
		return ctr__starts_on_boot(g.c->cfg, &g.c->state);
	if (r == CTR_E_NO_SUCH_CTR || r == CTR_E_CTR_REMOVED || r == CTR_E_STORE_CORRUPT)
		return 0;
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

int ctr__should_start(struct ctr_runtime *rt, char ***out, ctr_error_t **err)
{
	CTR__STRV char **all = NULL;
	CTR__STRV char **ids = NULL;
	int r = all_ids(rt, &all, err);

	for (size_t i = 0; r >= 0 && all && all[i]; i++) {
		r = wants_start(rt, all[i], err);
		if (r > 0 && !ctr__strv_add(&ids, all[i]))
			return ctr__fail_nomem(err);
	}
	if (r < 0)
		return r;
	if (!ids) {
		ids = calloc(1, sizeof(*ids));
		if (!ids)
			return ctr__fail_nomem(err);
	}
	*out = CTR__STEAL_PTR(ids);
	return 0;
}

/* ---- boot ---- */

struct boot {
	struct ctr_runtime *rt;
	char **seen; /* IDs of those that had their turn, or wait for their dependencies */
	struct ctr__buf failed; /* IDs, comma-separated */
	bool no_memory;
	int failures;
	int first; /* code of the first failure */
	int done;
};

static void boot_free(struct boot *b)
{
	ctr_strv_free(b->seen);
	ctr__buf_free(&b->failed);
}

static void note_failure(struct boot *b, const char *id, int code, const ctr_error_t *why)
{
	ctr__log(b->rt, CTR_LOG_WARNING, id, "boot: %s", ctr_error_message(why));
	ctr__buf_addf(&b->failed, "%s%s", b->failures ? "," : "", id);
	if (!b->failures++)
		b->first = code;
}

/* 1 = something was done. */
static int tidy(struct ctr_container *c, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	bool removing, wanted;
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0)
		return r;
	removing = g.c->state.state == CTR_STATE_REMOVING;
	wanted = ctr__wants_exit_command(g.c->cfg);
	ctr__health_attend(g.c);
	ctr__leave(&g);
	if (removing) {
		r = ctr__remove(c, true, err);
		return r < 0 ? r : 1;
	}
	if (!wanted)
		return 0;
	r = ctr__handle_exit(c, CTR_EXIT_NO_DELAY, err);
	return r < 0 ? r : r == CTR_EXIT_REMOVED || r == CTR_EXIT_RESTARTED;
}

static int must_start(struct ctr_container *c, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0)
		return r;
	return !ctr__state_is_live(g.c->state.state) && ctr__starts_on_boot(g.c->cfg, &g.c->state);
}

/* With what it depends on, whatever the policies of that. Somebody else may be quicker. */
static int start_if_wanted(struct ctr_container *c, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = must_start(c, err);

	if (r <= 0)
		return r;
	r = ctr__start_recursive(c, &why);
	if (r == CTR_E_CTR_RUNNING)
		return 0;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : 1;
}

static void boot_one(struct boot *b, const char *id)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *c = NULL;
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	int r, done = 0;

	if (b->no_memory || (b->seen && ctr__strv_has((const char *const *)b->seen, id)))
		return;
	b->no_memory = !ctr__strv_add(&b->seen, id);
	if (b->no_memory)
		return;
	r = ctr__container_open(b->rt, id, &c, &why);
	if (r >= 0) {
		cfg = ctr__container_config(c);
		for (size_t i = 0; i < cfg->all_deps.n; i++)
			boot_one(b, cfg->all_deps.v[i]);
		r = tidy(c, &why);
	}
	if (r >= 0) {
		done = r;
		r = start_if_wanted(c, &why);
	}
	if (r == CTR_E_CTR_REMOVED || r == CTR_E_NO_SUCH_CTR)
		r = 0;
	if (r < 0)
		note_failure(b, id, r, why);
	else
		b->done += done || r;
}

int ctr__boot(struct ctr_runtime *rt, ctr_error_t **err)
{
	CTR__CLEANUP(boot_free) struct boot b = {.rt = rt};
	CTR__STRV char **all = NULL;
	int r = all_ids(rt, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; all && all[i]; i++)
		boot_one(&b, all[i]);
	if (b.no_memory || b.failed.failed)
		return ctr__fail_nomem(err);
	if (!b.failures)
		return b.done;
	ctr__fail(err, b.first, "%d containers could not be started or removed: %s", b.failures,
	    b.failed.data);
	ctr__error_detail(err, "failed", b.failed.data);
	return b.first;
}
