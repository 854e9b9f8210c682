/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching: what is checked and connected with the lock held, before the streams go their own way. */
#include "core/attach.h"

#include "core/dependencies.h"
#include "core/logs.h"
#include "util/cleanup.h"

/* It can be used without the lock, too. */
struct call {
	struct ctr__oci *oci;
	ctr_config_t *cfg; /* ref */
	struct ctr__paths paths;
	struct ctr_oci_container view;
};

static void call_free(struct call *k)
{
	ctr__paths_free(&k->paths);
	ctr_config_unref(k->cfg);
}

static int call_prepare(struct ctr_container *c, struct call *k, ctr_error_t **err)
{
	int r = ctr__container_oci(c, &k->oci, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &k->paths, err);
	if (r < 0)
		return r;
	k->cfg = ctr_config_ref(c->cfg);
	ctr__oci_view(c, k->cfg, &k->paths, &k->view);
	return 0;
}

static int cannot(const struct ctr__oci *oci, const char *what, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_UNSUPPORTED, "OCI runtime \"%s\" cannot %s", oci->name, what);
	ctr__error_detail(err, "oci.runtime", oci->name);
	return CTR_E_UNSUPPORTED;
}

static void unrefp(struct ctr_attach **a)
{
	ctr__stream_unref(*a);
}

/* ---- the terminal's size ---- */

static int resize(const struct call *k, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	int r;

	if (!k->cfg->terminal)
		return 0;
	if (!k->oci->ops.resize)
		return cannot(k->oci, "set a terminal's size", err);
	r = k->oci->ops.resize(k->oci->impl, &k->view, rows, cols, err);
	if (r < 0)
		ctr__error_detail(err, "container", k->view.id);
	return r < 0 ? r : 0;
}

/* Without the lock: a monitor that hangs is waited for, though not for long. */
int ctr__attach_resize(struct ctr_container *c, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	CTR__CLEANUP(call_free) struct call k = {0};
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__stream_check_size(rows, cols, err);

	if (r >= 0)
		r = ctr__enter(c, CTR__OP_RESIZE, CTR__LOOK_NOW, &g, err);
	if (r >= 0)
		r = call_prepare(g.c, &k, err);
	if (r < 0)
		return r;
	ctr__leave(&g);
	return resize(&k, rows, cols, err);
}

/* ---- the relay's owner ---- */

int ctr__attach_check(void *c, ctr_error_t **err)
{
	return ctr__runtime_enter(((struct ctr_container *)c)->rt, err);
}

static int owner_resize(void *c, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	return ctr__attach_resize(c, rows, cols, err);
}

static void owner_destroy(void *c)
{
	ctr__container_unref(c);
}

/* Takes over `socket` (-1 = only what the relay has of its own). */
static int connect_relay(
    struct ctr_container *c, struct ctr_attach *a, int socket, ctr_error_t **err)
{
	const struct ctr__stream_owner owner = {
	    .arg = ctr__container_ref(c),
	    .check = ctr__attach_check,
	    .resize = owner_resize,
	    .destroy = owner_destroy,
	    .group = &c->rt->streams,
	};

	return ctr__stream_connect(a, socket, &owner, err);
}

/* ---- attaching ---- */

/* The container is created or running, its lock is held. */
static int attach_locked(struct ctr_container *c, struct ctr_attach *a, ctr_error_t **err)
{
	CTR__CLEANUP(call_free) struct call k = {0};
	uint32_t rows, cols;
	int r = call_prepare(c, &k, err);

	if (r < 0)
		return r;
	if (!k.oci->ops.attach)
		return cannot(k.oci, "attach", err);
	if (c->state.state == CTR_STATE_CREATED)
		k.view.flags |= CTR_OCI_NOT_STARTED;
	r = k.oci->ops.attach(k.oci->impl, &k.view, err);
	if (r < 0) {
		ctr__error_detail(err, "container", c->id);
		return r;
	}
	r = connect_relay(c, a, r, err);
	if (r >= 0 && ctr__stream_wanted_size(a, &rows, &cols))
		r = resize(&k, rows, cols, err);
	return r < 0 ? r : ctr__save(c, CTR_EVENT_ATTACH, err);
}

int ctr__attach(struct ctr_container *c, const struct ctr_attach_opts *o, struct ctr_attach **out,
    ctr_error_t **err)
{
	CTR__CLEANUP(unrefp) struct ctr_attach *a = NULL;
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__stream_prepare(o, NULL, &a, err);

	if (r >= 0)
		r = ctr__enter(
		    c, CTR__OP_ATTACH, CTR__LOOK_NOW | CTR__REPAIR | CTR__IN_BATCH_BUSY, &g, err);
	if (r >= 0)
		r = attach_locked(g.c, a, err);
	if (r >= 0)
		*out = CTR__STEAL_PTR(a);
	return r;
}

/* ---- with a start ---- */

struct start {
	const struct ctr_attach_opts *o;
	struct ctr_attach *a;
};

static int start_created(struct ctr_container *c, void *arg, ctr_error_t **err)
{
	struct start *s = arg;
	int r = s->a ? 0 : ctr__stream_prepare(s->o, NULL, &s->a, err);

	return r < 0 ? r : attach_locked(c, s->a, err);
}

/* Before anything waits for the monitor: nobody reads what it may have to say. */
static void start_failed(void *arg)
{
	struct start *s = arg;

	ctr__stream_unref(s->a);
	s->a = NULL;
}

static void start_end(struct start *s)
{
	ctr__stream_unref(s->a);
}

/* What is wrong with the options is said before anything is started. */
static int start_one(struct ctr_container *c, void *arg, ctr_error_t **err)
{
	struct start *s = arg;
	const struct ctr__start_hook hook = {
	    .created = start_created, .failed = start_failed, .arg = s};
	CTR__GUARD struct ctr__guard g = {0};
	int r = s->a ? 0 : ctr__stream_prepare(s->o, NULL, &s->a, err);

	if (r >= 0)
		r = ctr__enter(c, CTR__OP_START, CTR__LOOK_NOW | CTR__REPAIR, &g, err);
	return r < 0 ? r : ctr__start_hooked_locked(g.c, CTR__BY_HAND, &hook, err);
}

static int start_all(struct ctr_container *c, struct start *s, ctr_error_t **err)
{
	int r = ctr__stream_prepare(s->o, NULL, &s->a, err);

	return r < 0 ? r
	             : ctr__after_dependencies(
	                   c, &(struct ctr__last_step){CTR__OP_START, start_one, s}, err);
}

int ctr__start_and_attach(struct ctr_container *c, bool recursive, const struct ctr_attach_opts *o,
    struct ctr_attach **out, ctr_error_t **err)
{
	CTR__CLEANUP(start_end) struct start s = {.o = o};
	struct ctr_container *core;
	int r = ctr__enter_check(c, CTR__IN_BATCH_BUSY, &core, err);

	if (r >= 0)
		r = recursive ? start_all(core, &s, err) : start_one(core, &s, err);
	if (r >= 0)
		*out = CTR__STEAL_PTR(s.a);
	return r;
}

/* ---- over a hijacked connection ---- */

static int http_stream_locked(struct ctr_container *c, struct ctr_attach *a, ctr_error_t **err)
{
	int r = 0;

	if (c->state.state != CTR_STATE_CREATED && c->state.state != CTR_STATE_RUNNING)
		r = ctr__init_locked(c, err);
	return r < 0 ? r : attach_locked(c, a, err);
}

static int http_connect(
    struct ctr_container *c, struct ctr_attach *a, bool stream, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__enter(c, stream ? CTR__OP_HTTP_ATTACH : CTR__OP_LOGS,
	    stream ? CTR__LOOK_NOW | CTR__REPAIR : CTR__LOOK_GATED, &g, err);

	if (r < 0)
		return r;
	return stream ? http_stream_locked(g.c, a, err) : connect_relay(g.c, a, -1, err);
}

static int http_prepare(struct ctr_container *c, int fd, const struct ctr_http_opts *o,
    struct ctr_attach **a, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = ctr__container_config(c);
	const struct ctr__stream_http h = {
	    .fd = fd,
	    .flags = o->flags,
	    .detach_keys = o->detach_keys,
	    .initial = o->initial,
	    .initial_len = o->initial_len,
	    .terminal = cfg->terminal,
	};

	return ctr__stream_prepare_http(&h, a, err);
}

/* What is printed before the log has been read to its end may come twice, but nothing is missing: the streams are connected
 * before. Streams that are not wanted are dropped later. */
static int http_add_log(struct ctr_container *c, struct ctr_attach *a, ctr_error_t **err)
{
	struct ctr__stream_source source;
	int r = ctr__logs_source(c, 0, &source, err);

	if (r >= 0)
		ctr__stream_set_source(a, &source);
	return r;
}

int ctr__http_attach(struct ctr_container *c, int fd, const struct ctr_http_opts *o,
    struct ctr_attach **out, ctr_error_t **err)
{
	CTR__CLEANUP(unrefp) struct ctr_attach *a = NULL;
	struct ctr_container *core;
	int r = ctr__enter_check(c, CTR__IN_BATCH_BUSY, &core, err);

	if (r >= 0)
		r = http_prepare(core, fd, o, &a, err);
	if (r >= 0 && (o->flags & CTR_HTTP_LOGS))
		r = http_add_log(core, a, err);
	if (r >= 0)
		r = http_connect(core, a, o->flags & CTR_HTTP_STREAM, err);
	if (r >= 0)
		*out = CTR__STEAL_PTR(a);
	return r;
}
