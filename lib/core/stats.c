/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses, read from its cgroup and its network namespace. */
#include "core/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sys/cgroup.h"
#include "sys/cgroup_stats.h"
#include "sys/proc.h"
#include "sys/proc_info.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PERMYRIAD 10000

/* ---- the run ---- */

void ctr__run_free(struct ctr__run *r)
{
	free(r->cgroup);
	r->cgroup = NULL;
}

/* Every process is in one, where there are any. */
static int no_cgroup_found(const struct ctr_container *c, ctr_error_t **err)
{
	if (!ctr__proc_alive(c->state.pid, c->state.pid_start))
		return ctr__fail(err, CTR_E_CTR_STATE, "container %s has just ended", c->id);
	if (access("/proc/self/cgroup", F_OK) < 0)
		return 0;
	return ctr__fail_nomem(err);
}

/* Where its configuration puts it. Otherwise (systemd, or a runtime that does as it likes) where its first process is, which
 * may be in a group that it has made below its own. */
static int find_cgroup(struct ctr_container *c, char **out, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	int r;

	if (c->cfg->no_cgroups)
		return 0;
	r = ctr__paths_init(c, c->cfg, &paths, err);
	if (r < 0)
		return r;
	if (paths.cgroup && paths.cgroup[0] == '/' && ctr__cgroup_exists(paths.cgroup))
		*out = CTR__STEAL_PTR(paths.cgroup);
	else
		*out = ctr__proc_cgroup(c->state.pid);
	return *out ? 0 : no_cgroup_found(c, err);
}

int ctr__run_of(struct ctr_container *c, enum ctr__op op, struct ctr__run *out, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, op, CTR__LOOK_NOW, &g, err);

	if (r < 0)
		return r;
	out->pid = g.c->state.pid;
	out->pid_start = g.c->state.pid_start;
	out->started_ns = g.c->state.started_ns;
	if (out->pid <= 0)
		return ctr__fail(err, CTR_E_UNSUPPORTED,
		    "the OCI runtime of container %s tells of no process", g.c->id);
	return find_cgroup(g.c, &out->cgroup, err);
}

/* ---- one reading ---- */

static void set(struct ctr_stats *s, int32_t what, uint64_t value)
{
	s->value[what] = value;
	s->there[what] = true;
}

static void take(
    struct ctr_stats *s, int32_t what, const struct ctr__cgroup_use *u, enum ctr__use from)
{
	if (u->there[from])
		set(s, what, u->v[from]);
}

static void take_cpu(struct ctr_stats *s, const struct ctr__cgroup_use *u)
{
	take(s, CTR_STATS_CPU_NS, u, CTR__USE_CPU_NS);
	take(s, CTR_STATS_CPU_USER_NS, u, CTR__USE_CPU_USER_NS);
	take(s, CTR_STATS_CPU_SYSTEM_NS, u, CTR__USE_CPU_SYSTEM_NS);
	take(s, CTR_STATS_CPU_THROTTLED_NS, u, CTR__USE_CPU_THROTTLED_NS);
}

static uint64_t memory_of_machine(void)
{
	struct sysinfo si;

	return sysinfo(&si) == 0 ? (uint64_t)si.totalram * si.mem_unit : UINT64_MAX;
}

static void take_memory(struct ctr_stats *s, const struct ctr__cgroup_use *u)
{
	uint64_t all = u->v[CTR__USE_MEMORY], cache = u->v[CTR__USE_INACTIVE_FILE];
	uint64_t machine = memory_of_machine(), limit = u->v[CTR__USE_MEMORY_LIMIT];

	if (!u->there[CTR__USE_MEMORY])
		return;
	/* Two files, read one after the other. */
	set(s, CTR_STATS_MEMORY_BYTES, cache < all ? all - cache : 0);
	set(s, CTR_STATS_MEMORY_LIMIT,
	    u->there[CTR__USE_MEMORY_LIMIT] && limit < machine ? limit : machine);
	take(s, CTR_STATS_MEMORY_PEAK, u, CTR__USE_MEMORY_PEAK);
	take(s, CTR_STATS_SWAP_BYTES, u, CTR__USE_SWAP);
}

static void take_rest(struct ctr_stats *s, const struct ctr__cgroup_use *u)
{
	take(s, CTR_STATS_PIDS, u, CTR__USE_PIDS);
	take(s, CTR_STATS_PIDS_LIMIT, u, CTR__USE_PIDS_LIMIT);
	take(s, CTR_STATS_BLOCK_READ_BYTES, u, CTR__USE_BLOCK_READ);
	take(s, CTR_STATS_BLOCK_WRITE_BYTES, u, CTR__USE_BLOCK_WRITE);
}

static void take_network(struct ctr_stats *s, const struct ctr__run *run)
{
	CTR__CLOSE int proc = ctr__proc_open(run->pid);
	struct ctr__proc_net net;

	if (proc < 0 || ctr__proc_start_of(proc) != run->pid_start ||
	    ctr__proc_net_read(proc, &net) < 0)
		return;
	set(s, CTR_STATS_NET_RX_BYTES, net.rx_bytes);
	set(s, CTR_STATS_NET_TX_BYTES, net.tx_bytes);
	set(s, CTR_STATS_NET_RX_PACKETS, net.rx_packets);
	set(s, CTR_STATS_NET_TX_PACKETS, net.tx_packets);
}

static uint64_t share(uint64_t cpu_ns, int64_t time_ns)
{
	return (uint64_t)((double)cpu_ns * PERMYRIAD / (double)time_ns + 0.5);
}

static int read_use(const struct ctr__run *run, struct ctr__cgroup_use *u, ctr_error_t **err)
{
	int r = ctr__cgroup_use_read(run->cgroup, u);

	if (r == -ENOMEM)
		return ctr__fail_nomem(err);
	if (r == -ENOENT)
		return ctr__fail(err, CTR_E_CTR_STATE, "the cgroup of the container has gone");
	return r < 0 ? ctr__fail_errno(err, -r, run->cgroup, "cannot read the cgroup") : 0;
}

int ctr__stats(struct ctr_container *c, struct ctr_stats **out, ctr_error_t **err)
{
	CTR__FREE struct ctr_stats *s = calloc(1, sizeof(*s));
	CTR__RUN struct ctr__run run = {0};
	struct ctr__cgroup_use u;
	int64_t now, up;
	int r = s ? ctr__run_of(c, CTR__OP_STATS, &run, err) : ctr__fail_nomem(err);

	if (r >= 0 && !run.cgroup)
		r = ctr__fail(err, CTR_E_NO_CGROUPS, "container %s has no cgroup", c->id);
	if (r >= 0)
		r = read_use(&run, &u, err);
	if (r < 0) {
		ctr__error_detail(err, "container", c ? c->id : NULL);
		return r;
	}
	now = ctr__now_ns();
	up = now > run.started_ns ? now - run.started_ns : 1;
	memcpy(s->id, c->id, sizeof(s->id));
	set(s, CTR_STATS_TIME_NS, (uint64_t)now);
	set(s, CTR_STATS_UPTIME_NS, (uint64_t)up);
	take_cpu(s, &u);
	take_memory(s, &u);
	take_rest(s, &u);
	take_network(s, &run);
	if (s->there[CTR_STATS_CPU_NS])
		set(s, CTR_STATS_CPU_PERMYRIAD, share(s->value[CTR_STATS_CPU_NS], up));
	*out = CTR__STEAL_PTR(s);
	return 0;
}

const char *ctr__stats_name(int32_t what)
{
	static const char *const names[CTR__STATS_MAX] = {
	    [CTR_STATS_TIME_NS] = "time_ns",
	    [CTR_STATS_CPU_NS] = "cpu_ns",
	    [CTR_STATS_CPU_USER_NS] = "cpu_user_ns",
	    [CTR_STATS_CPU_SYSTEM_NS] = "cpu_system_ns",
	    [CTR_STATS_CPU_THROTTLED_NS] = "cpu_throttled_ns",
	    [CTR_STATS_CPU_PERMYRIAD] = "cpu_permyriad",
	    [CTR_STATS_MEMORY_BYTES] = "memory_bytes",
	    [CTR_STATS_MEMORY_LIMIT] = "memory_limit",
	    [CTR_STATS_MEMORY_PEAK] = "memory_peak",
	    [CTR_STATS_SWAP_BYTES] = "swap_bytes",
	    [CTR_STATS_PIDS] = "pids",
	    [CTR_STATS_PIDS_LIMIT] = "pids_limit",
	    [CTR_STATS_BLOCK_READ_BYTES] = "block_read_bytes",
	    [CTR_STATS_BLOCK_WRITE_BYTES] = "block_write_bytes",
	    [CTR_STATS_NET_RX_BYTES] = "net_rx_bytes",
	    [CTR_STATS_NET_TX_BYTES] = "net_tx_bytes",
	    [CTR_STATS_NET_RX_PACKETS] = "net_rx_packets",
	    [CTR_STATS_NET_TX_PACKETS] = "net_tx_packets",
	    [CTR_STATS_UPTIME_NS] = "uptime_ns",
	};

	return what > 0 && what < CTR__STATS_MAX ? names[what] : NULL;
}

/* ---- readings at intervals ---- */

struct ctr_stats_stream {
	struct ctr_container *c; /* ref */
	int timer;
	/* Of the last reading; cpu_ns is UINT64_MAX before the first. */
	uint64_t cpu_ns;
	int64_t monotonic_ns;
};

void ctr__stats_stream_free(struct ctr_stats_stream *s)
{
	if (!s)
		return;
	ctr__cleanup_close(&s->timer);
	ctr__container_unref(s->c);
	free(s);
}

static void stream_freep(struct ctr_stats_stream **s)
{
	ctr__stats_stream_free(*s);
}

static int start_timer(struct ctr_stats_stream *s, int64_t interval_ms, ctr_error_t **err)
{
	struct itimerspec t = {
	    .it_value = {0, 1}, .it_interval = {interval_ms / 1000, interval_ms % 1000 * 1000000}};

	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->timer < 0 || timerfd_settime(s->timer, 0, &t, NULL) < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot make a timer");
	return 0;
}

int ctr__stats_stream_open(
    struct ctr_container *c, int64_t interval_ms, struct ctr_stats_stream **out, ctr_error_t **err)
{
	CTR__CLEANUP(stream_freep) struct ctr_stats_stream *s = NULL;
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_STATS, CTR__LOOK_NOW | CTR__IN_BATCH_BUSY, &g, err);

	if (r >= 0 && g.c->cfg->no_cgroups)
		r = ctr__fail(err, CTR_E_NO_CGROUPS, "container %s has no cgroup", g.c->cfg->name);
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ctr__fail_nomem(err);
	s->timer = -1;
	s->c = ctr__container_ref(g.c);
	s->cpu_ns = UINT64_MAX;
	r = start_timer(s, interval_ms, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(s);
	return 0;
}

int ctr__stats_stream_fd(const struct ctr_stats_stream *s)
{
	return s->timer;
}

/* The share of the time since the last reading. After a restart the counter begins anew. */
static void set_share(struct ctr_stats_stream *s, struct ctr_stats *now)
{
	int64_t time = ctr__monotonic_ns();
	uint64_t cpu = now->value[CTR_STATS_CPU_NS];

	if (!now->there[CTR_STATS_CPU_NS])
		return;
	if (s->cpu_ns <= cpu && time > s->monotonic_ns)
		set(now, CTR_STATS_CPU_PERMYRIAD, share(cpu - s->cpu_ns, time - s->monotonic_ns));
	s->cpu_ns = cpu;
	s->monotonic_ns = time;
}

int ctr__stats_stream_next(struct ctr_stats_stream *s, struct ctr_stats **out, ctr_error_t **err)
{
	uint64_t times;
	int r = ctr__runtime_enter(s->c->rt, err);

	if (r < 0)
		return r;
	if (read(s->timer, &times, sizeof(times)) < 0)
		return errno == EAGAIN || errno == EINTR
		           ? 0
		           : ctr__fail_errno(err, errno, NULL, "cannot read the timer");
	r = ctr__stats(s->c, out, err);
	if (r < 0)
		return r;
	set_share(s, *out);
	return 1;
}
