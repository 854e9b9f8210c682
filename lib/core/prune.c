/* SPDX-License-Identifier: Apache-2.0 */
/* Removing all containers that do not run: libpod's "container prune". */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lifecycle.h"
#include "core/lister.h"
#include "core/prune.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PRUNE_EVERY_NS (INT64_C(60) * 1000000000)

struct prune {
	struct ctr_runtime *rt;
	char **filters; /* those of a listing */
	int64_t until_ns;
	ctr_list_t *list;
	struct ctr_pruned *result;
};

void ctr__pruned_free(struct ctr_pruned *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].id);
		free(p->v[i].message);
	}
	free(p->v);
	free(p);
}

static void prune_free(struct prune *p)
{
	ctr__strv_free(p->filters);
	ctr__list_free(p->list);
	ctr__pruned_free(p->result);
}

/* ---- which ---- */

static int add_until(struct prune *p, const char *text, ctr_error_t **err)
{
	int64_t ns;

	if (!ctr__moment_parse(text, ctr__now_ns(), false, &ns)) {
		ctr__fail(err, CTR_E_INVALID,
		    "filter \"until=%s\" is no time: RFC 3339, seconds since 1970, and durations "
		    "like "
		    "1h30m are",
		    text);
		ctr__error_detail(err, "field", "until");
		return CTR_E_INVALID;
	}
	/* All filters of other keys must match, too. */
	if (ns < p->until_ns)
		p->until_ns = ns;
	return 0;
}

static int take_filters(struct prune *p, const char *const *filters, ctr_error_t **err)
{
	for (; filters && *filters; filters++) {
		int r = 0;

		if (ctr__starts_with(*filters, "until="))
			r = add_until(p, *filters + strlen("until="), err);
		else if (!ctr__strv_add(&p->filters, *filters))
			r = ctr__fail_nomem(err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_wanted(const struct prune *p, const struct ctr__list_entry *e)
{
	switch (e->sum.state) {
	case CTR_STATE_CONFIGURED:
	case CTR_STATE_CREATED:
	case CTR_STATE_STOPPED:
	case CTR_STATE_EXITED: return e->sum.created_ns < p->until_ns;
	default: return false;
	}
}

static int collect(struct prune *p, ctr_error_t **err)
{
	struct ctr_pruned *r = calloc(1, sizeof(*r));
	struct ctr__list_entry e;

	p->result = r;
	if (r)
		r->v = calloc(ctr__list_count(p->list) + 1, sizeof(*r->v));
	if (!r || !r->v)
		return ctr__fail_nomem(err);
	for (size_t i = 0; ctr__list_at(p->list, i, &e); i++) {
		if (!is_wanted(p, &e))
			continue;
		r->v[r->n].id = strdup(e.id);
		if (!r->v[r->n++].id)
			return ctr__fail_nomem(err);
	}
	return 0;
}

/* ---- removing ---- */

/* What goes away on the disk with it: its directory, with log, artifacts and perhaps storage. */
static int64_t measure(const struct ctr_container *c)
{
	CTR__FREE char *path = ctr__path_join(c->rt->static_dirs, c->id);
	CTR__CLOSE int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	int64_t bytes = 0;

	return fd >= 0 && ctr__tree_usage(fd, &bytes) == 0 ? bytes : 0;
}

/* No more to be pruned: gone, in use again, or a pod's. */
static bool is_not_meant(int code)
{
	return code == CTR_E_NO_SUCH_CTR || code == CTR_E_CTR_REMOVED || code == CTR_E_CTR_STATE ||
	       code == CTR_E_CTR_RUNNING;
}

static int remove_one(struct ctr_runtime *rt, struct ctr__pruned *one, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *c = NULL;
	int r = ctr__container_open(rt, one->id, &c, err);

	if (r < 0)
		return r;
	if (c->cfg->pod)
		return ctr__fail(err, CTR_E_NO_SUCH_CTR, "it is in a pod");
	one->bytes = measure(c);
	return ctr__remove(c, false, err);
}

/* True if it is done with, one way or the other. */
static bool handle_one(struct ctr_runtime *rt, struct ctr__pruned *one)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = remove_one(rt, one, &why);

	free(one->message);
	one->message = NULL;
	one->code = r < 0 ? r : 0;
	if (r >= 0)
		return true;
	one->bytes = 0;
	if (is_not_meant(r)) {
		free(one->id);
		one->id = NULL;
		return true;
	}
	one->message = strdup(ctr_error_message(why));
	return false;
}

/* Those that others depend on go after these: as long as something goes, the rest is tried again. */
static void remove_all(struct prune *p)
{
	struct ctr_pruned *r = p->result;
	bool progress = true;

	for (size_t i = 0; i < r->n; i++)
		r->v[i].code = CTR_E_CTR_EXISTS;
	while (progress) {
		progress = false;
		for (size_t i = 0; i < r->n; i++) {
			if (r->v[i].id && r->v[i].code == CTR_E_CTR_EXISTS)
				progress = handle_one(p->rt, &r->v[i]) || progress;
		}
	}
}

/* Without those that were not meant. */
static void compact(struct ctr_pruned *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].id)
			r->v[n++] = r->v[i];
	}
	r->n = n;
}

static void tell(struct prune *p)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__event_new(CTR_EVENT_PRUNE, NULL, &ev, &why);

	if (r >= 0) {
		ev->object = CTR_EVENT_OBJECT_SYSTEM;
		r = ctr__store_note(p->rt->store, ev, &why);
	}
	if (r < 0)
		ctr__log(p->rt, CTR_LOG_WARNING, NULL, "the event of a prune is lost: %s",
		    ctr_error_message(why));
}

int ctr__prune(
    struct ctr_runtime *rt, const char *const *filters, struct ctr_pruned **out, ctr_error_t **err)
{
	CTR__CLEANUP(prune_free) struct prune p = {.rt = rt, .until_ns = INT64_MAX};
	int r = take_filters(&p, filters, err);

	if (r >= 0)
		r = ctr__list(rt, (const char *const *)p.filters, &p.list, err);
	if (r >= 0)
		r = collect(&p, err);
	if (r < 0)
		return r;
	remove_all(&p);
	compact(p.result);
	tell(&p);
	if (out)
		*out = CTR__STEAL_PTR(p.result);
	return 0;
}

/* ---- exit codes ---- */

void ctr__prune_exit_codes(struct ctr_runtime *rt)
{
	int64_t now = ctr__monotonic_ns();
	int64_t last = atomic_load_explicit(&rt->pruned_ns, memory_order_relaxed);

	if (last && now - last < PRUNE_EVERY_NS)
		return;
	atomic_store_explicit(&rt->pruned_ns, now, memory_order_relaxed);
	(void)ctr__store_prune_exit_codes(rt->store, CTR__KEEP_EXIT_CODES_NS, NULL);
}
