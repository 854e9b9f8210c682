/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of container.h that drive a container, and batch.h. */
#include "core/dependencies.h"

#include <libctr/batch.h>
#include <libctr/container.h>
#include <libctr/policy.h>

#include "core/opts.h"
#include "core/policy.h"
#include "util/cleanup.h"

/* Every operation that changes something: its flags are known, and the run root is still ours. */
static int begin(
    const ctr_container_t *c, uint64_t flags, uint64_t known, const char *what, ctr_error_t **err)
{
	int r;

	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	r = ctr__runtime_enter(c->rt, err);
	if (r < 0)
		return r;
	if (flags & ~known)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for %s",
		    (unsigned long long)(flags & ~known), what);
	return ctr__store_check(c->rt->store, err);
}

int ctr_container_init(ctr_container_t *c, uint64_t flags, ctr_error_t **err)
{
	int r = begin(c, flags, CTR_INIT_RECURSIVE, "init", err);

	if (r < 0)
		return r;
	return flags & CTR_INIT_RECURSIVE ? ctr__init_recursive(c, err) : ctr__init(c, err);
}

int ctr_container_start(ctr_container_t *c, uint64_t flags, ctr_error_t **err)
{
	int r = begin(c, flags, CTR_START_RECURSIVE, "start", err);

	if (r < 0)
		return r;
	return flags & CTR_START_RECURSIVE ? ctr__start_recursive(c, err) : ctr__start(c, err);
}

static int check_signal(int32_t sig, int32_t min, ctr_error_t **err)
{
	if (sig < min || sig > 64)
		return ctr__fail(err, CTR_E_INVALID, "there is no signal %d (1 to 64)", sig);
	return 0;
}

static int check_timeout(int64_t timeout_ms, ctr_error_t **err)
{
	if (timeout_ms < -1)
		return ctr__fail(err, CTR_E_INVALID, "timeout %lld ms is negative (-1 = no limit)",
		    (long long)timeout_ms);
	return 0;
}

/* The configuration's timeout unless another is given. */
static int64_t stop_timeout(ctr_container_t *c)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = ctr__container_config(c);

	return ctr_config_stop_timeout_ms(cfg);
}

int ctr_container_stop(ctr_container_t *c, const struct ctr_stop_opts *opts, ctr_error_t **err)
{
	struct ctr_stop_opts o;
	struct ctr__stop stop;
	int r = CTR__COPY_OPTS(&o, opts, "ctr_stop_opts", err);

	if (r >= 0)
		r = begin(c, o.flags, CTR_STOP_NOW | CTR_STOP_SERVICE, "stop", err);
	if (r >= 0)
		r = check_signal(o.signal, 0, err);
	if (r >= 0)
		r = check_timeout(o.timeout_ms, err);
	if (r >= 0 && o.reserved)
		r = ctr__fail(err, CTR_E_UNSUPPORTED, "ctr_stop_opts.reserved is not 0");
	if (r < 0)
		return r;
	stop.timeout_ms = o.timeout_ms ? o.timeout_ms : stop_timeout(c);
	if (o.flags & CTR_STOP_NOW)
		stop.timeout_ms = 0;
	stop.signal = o.signal;
	stop.by_user = !(o.flags & CTR_STOP_SERVICE);
	return ctr__stop(c, &stop, err);
}

int ctr_container_stop_with_timeout(ctr_container_t *c, int64_t timeout_ms, ctr_error_t **err)
{
	struct ctr__stop stop = {.timeout_ms = timeout_ms, .by_user = true};
	int r = begin(c, 0, 0, "stop", err);

	if (r >= 0)
		r = check_timeout(timeout_ms, err);
	return r < 0 ? r : ctr__stop(c, &stop, err);
}

int ctr_container_kill(ctr_container_t *c, int32_t sig, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "kill", err);

	if (r >= 0)
		r = check_signal(sig, 1, err);
	return r < 0 ? r : ctr__kill(c, sig, err);
}

int ctr_container_pause(ctr_container_t *c, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "pause", err);

	return r < 0 ? r : ctr__pause(c, err);
}

int ctr_container_unpause(ctr_container_t *c, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "unpause", err);

	return r < 0 ? r : ctr__unpause(c, err);
}

int ctr_container_cleanup(ctr_container_t *c, uint64_t flags, ctr_error_t **err)
{
	int r = begin(c, flags, CTR_CLEANUP_ONLY_STOPPED, "cleanup", err);

	return r < 0 ? r : ctr__cleanup(c, flags & CTR_CLEANUP_ONLY_STOPPED, err);
}

int ctr_container_remove(ctr_container_t *c, uint64_t flags, ctr_error_t **err)
{
	int r = begin(c, flags, CTR_REMOVE_FORCE | CTR_REMOVE_RECURSIVE, "remove", err);
	bool force = flags & CTR_REMOVE_FORCE;

	if (r < 0)
		return r;
	return flags & CTR_REMOVE_RECURSIVE ? ctr__remove_recursive(c, force, err)
	                                    : ctr__remove(c, force, err);
}

int ctr_container_dependents(ctr_container_t *c, char ***list, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "dependents", err);

	if (list)
		*list = NULL;
	if (r >= 0 && !list)
		r = ctr__fail(err, CTR_E_INVALID, "list is NULL");
	return r < 0 ? r : ctr__dependents(c, list, err);
}

int ctr_container_restart(
    ctr_container_t *c, const struct ctr_restart_opts *opts, ctr_error_t **err)
{
	struct ctr_restart_opts o;
	struct ctr__stop stop = {0};
	int r = CTR__COPY_OPTS(&o, opts, "ctr_restart_opts", err);

	if (r >= 0)
		r = begin(c, o.flags, CTR_RESTART_NOW | CTR_RESTART_ONLY_RUNNING, "restart", err);
	if (r >= 0)
		r = check_timeout(o.timeout_ms, err);
	if (r < 0)
		return r;
	if (!(o.flags & CTR_RESTART_NOW))
		stop.timeout_ms = o.timeout_ms ? o.timeout_ms : stop_timeout(c);
	return ctr__restart(c, &stop, o.flags & CTR_RESTART_ONLY_RUNNING, err);
}

int ctr_container_restart_with_timeout(ctr_container_t *c, int64_t timeout_ms, ctr_error_t **err)
{
	struct ctr__stop stop = {.timeout_ms = timeout_ms};
	int r = begin(c, 0, 0, "restart", err);

	if (r >= 0)
		r = check_timeout(timeout_ms, err);
	return r < 0 ? r : ctr__restart(c, &stop, false, err);
}

int ctr_container_handle_exit(ctr_container_t *c, uint64_t flags, ctr_error_t **err)
{
	int r = begin(c, flags, CTR_EXIT_NO_DELAY, "handling an exit", err);

	return r < 0 ? r : ctr__handle_exit(c, flags, err);
}

int ctr_container_wait(ctr_container_t *c, int64_t timeout_ms, int32_t *code, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "wait", err);

	if (r >= 0)
		r = check_timeout(timeout_ms, err);
	return r < 0 ? r : ctr__wait(c, timeout_ms, code, err);
}

int ctr_container_wait_with_interval(
    ctr_container_t *c, int64_t interval_ms, int32_t *code, ctr_error_t **err)
{
	static const char *const end[] = {"exited", NULL};
	struct ctr__wait_for w = {
	    .conditions = end,
	    .timeout_ms = -1,
	    .interval_ms = interval_ms > 0 ? interval_ms : CTR__ASK_EVERY_MS,
	    .cancel_fd = -1,
	};
	int r = begin(c, 0, 0, "wait", err);

	return r < 0 ? r : ctr__wait_for(c, &w, code, err);
}

static int check_wait(const struct ctr_wait_opts *o, ctr_error_t **err)
{
	int r = check_timeout(o->timeout_ms, err);

	if (r >= 0 && o->interval_ms < 0)
		r = ctr__fail(
		    err, CTR_E_INVALID, "interval %lld ms is negative", (long long)o->interval_ms);
	if (r >= 0 && o->cancel_fd < -1)
		r = ctr__fail(err, CTR_E_INVALID, "cancel_fd %d is no descriptor", o->cancel_fd);
	if (r >= 0 && o->reserved)
		r = ctr__fail(err, CTR_E_UNSUPPORTED, "ctr_wait_opts.reserved is not 0");
	return r;
}

int ctr_container_wait_for(
    ctr_container_t *c, const struct ctr_wait_opts *opts, int32_t *code, ctr_error_t **err)
{
	struct ctr_wait_opts o;
	struct ctr__wait_for w;
	int r = CTR__COPY_OPTS(&o, opts, "ctr_wait_opts", err);

	if (r >= 0)
		r = begin(c, o.flags, CTR_WAIT_LOOK, "wait", err);
	if (r >= 0)
		r = check_wait(&o, err);
	if (r < 0)
		return r;
	w.conditions = o.conditions;
	w.timeout_ms = o.timeout_ms > 0 ? o.timeout_ms : -1;
	if (o.flags & CTR_WAIT_LOOK)
		w.timeout_ms = 0;
	w.interval_ms = o.interval_ms ? o.interval_ms : CTR__ASK_EVERY_MS;
	w.cancel_fd = o.cancel_fd > 0 ? o.cancel_fd : -1;
	return ctr__wait_for(c, &w, code, err);
}

int ctr_container_wait_fd(ctr_container_t *c, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "wait", err);

	return r < 0 ? r : ctr__wait_fd(c, err);
}

int ctr_container_sync(ctr_container_t *c, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "sync", err);

	return r < 0 ? r : ctr__sync(c, err);
}

int ctr_container_mount(ctr_container_t *c, char **path, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "mount", err);

	if (path)
		*path = NULL;
	return r < 0 ? r : ctr__mount(c, path, err);
}

int ctr_container_unmount(ctr_container_t *c, uint64_t flags, ctr_error_t **err)
{
	int r = begin(c, flags, CTR_UNMOUNT_FORCE, "unmount", err);

	return r < 0 ? r : ctr__unmount(c, flags & CTR_UNMOUNT_FORCE, err);
}

int ctr_container_batch(ctr_container_t *c, ctr_batch_fn fn, void *userdata, ctr_error_t **err)
{
	int r = begin(c, 0, 0, "batch", err);

	if (r >= 0 && !fn)
		r = ctr__fail(err, CTR_E_INVALID, "fn is NULL");
	return r < 0 ? r : ctr__batch(c, fn, userdata, err);
}
