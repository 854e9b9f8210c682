/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/stats.h - what runs in a container, and what that uses.
 */
#ifndef LIBCTR_STATS_H
#define LIBCTR_STATS_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- processes ---- */

/*
 * ctr_container_top: its processes, as `ps` would list them, read from /proc of the host: nothing runs in the
 * container. Allowed in: running, paused.
 *   columns  NULL = user, pid, ppid, pcpu, etime, tty, time, args; else a NULL-terminated list of
 *            args, comm, etime, group, hgroup, hpid, huser, label, nice, pcpu, pgid, pid, ppid, rss, state, stime, time,
 *            tty, user, vsz (podman's words). Users and groups are those of the container's files; h... are the host's
 *   out      owned (ctr_top_free)
 * Errors: CTR_E_INVALID (an unknown column), CTR_E_CTR_STATE, ...
 * Since: 0.1
 */
CTR_API int ctr_container_top(
    ctr_container_t *c, const char *const *columns, ctr_top_t **out, ctr_error_t **err);

/* ctr_top_columns: their number. Since: 0.1 */
CTR_API size_t ctr_top_columns(const ctr_top_t *t);

/* ctr_top_rows: number of processes. Since: 0.1 */
CTR_API size_t ctr_top_rows(const ctr_top_t *t);

/* ctr_top_title: "USER", "PID", ...; borrowed; NULL past the end. Since: 0.1 */
CTR_API const char *ctr_top_title(const ctr_top_t *t, size_t column);

/* ctr_top_cell: borrowed, UTF-8; NULL past the end. Rows are in the order of the PIDs on the host. Since: 0.1 */
CTR_API const char *ctr_top_cell(const ctr_top_t *t, size_t row, size_t column);

/* ctr_top_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_top_free(ctr_top_t *t);

/* ctr_top_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_top_freep(ctr_top_t **t);

/* ---- use of resources ---- */

/* What ctr_stats_value() can tell. Numbers are frozen. */
enum {
	CTR_STATS_TIME_NS = 1, /* when it was read, nanoseconds since 1970                */
	CTR_STATS_CPU_NS = 2,  /* time on CPUs since the start, all of it                 */
	CTR_STATS_CPU_USER_NS = 3,
	CTR_STATS_CPU_SYSTEM_NS = 4,
	CTR_STATS_CPU_THROTTLED_NS = 5,
	CTR_STATS_CPU_PERMYRIAD =
	    6, /* 10000 = one CPU all the time; since the last reading of the same stream, else since the start */
	CTR_STATS_MEMORY_BYTES = 7, /* in use, without the page cache that could be dropped    */
	CTR_STATS_MEMORY_LIMIT = 8, /* its limit, or the memory of the machine                 */
	CTR_STATS_MEMORY_PEAK = 9,
	CTR_STATS_SWAP_BYTES = 10,
	CTR_STATS_PIDS = 11,
	CTR_STATS_PIDS_LIMIT = 12, /* absent if there is none                                 */
	CTR_STATS_BLOCK_READ_BYTES = 13,
	CTR_STATS_BLOCK_WRITE_BYTES = 14,
	CTR_STATS_NET_RX_BYTES = 15, /* of all devices of its network namespace but lo          */
	CTR_STATS_NET_TX_BYTES = 16,
	CTR_STATS_NET_RX_PACKETS = 17,
	CTR_STATS_NET_TX_PACKETS = 18,
	CTR_STATS_UPTIME_NS = 19
};

/*
 * ctr_container_stats: one reading, of its cgroup (v1, hybrid or v2) and network namespace. Allowed in: running, paused.
 *   out  owned (ctr_stats_free)
 * Errors: CTR_E_CTR_STATE, CTR_E_NO_CGROUPS, ...
 * Since: 0.1
 */
CTR_API int ctr_container_stats(ctr_container_t *c, ctr_stats_t **out, ctr_error_t **err);

/* ctr_stats_value: 1 and sets `value`, or 0 if this kernel or container does not tell. Since: 0.1 */
CTR_API int ctr_stats_value(const ctr_stats_t *s, int32_t what, uint64_t *value);

/* ctr_stats_name: "cpu_ns", "memory_bytes", ...; NULL for other numbers. Static. Since: 0.1 */
CTR_API const char *ctr_stats_name(int32_t what);

/* ctr_stats_container_id: borrowed. Since: 0.1 */
CTR_API const char *ctr_stats_container_id(const ctr_stats_t *s);

/* ctr_stats_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_stats_free(ctr_stats_t *s);

/* ctr_stats_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_stats_freep(ctr_stats_t **s);

/*
 * ctr_container_stats_stream: readings at intervals.
 *   interval_ms  >= 10
 *   out          owned (ctr_stats_stream_free)
 * Since: 0.1
 */
CTR_API int ctr_container_stats_stream(
    ctr_container_t *c, int64_t interval_ms, ctr_stats_stream_t **out, ctr_error_t **err);

/* ctr_stats_stream_fd: polls readable when a reading is due. Borrowed. Since: 0.1 */
CTR_API int ctr_stats_stream_fd(const ctr_stats_stream_t *s);

/*
 * ctr_stats_stream_next: the next reading; the first one is due at once. Never waits. One thread at a time.
 *   out  owned (ctr_stats_free)
 * Returns 1; 0 = not due yet. Errors: CTR_E_CTR_STATE and CTR_E_CTR_REMOVED when the container has ended, ...
 * Since: 0.1
 */
CTR_API int ctr_stats_stream_next(ctr_stats_stream_t *s, ctr_stats_t **out, ctr_error_t **err);

/* ctr_stats_stream_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_stats_stream_free(ctr_stats_stream_t *s);

/* ctr_stats_stream_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_stats_stream_freep(ctr_stats_stream_t **s);

#ifdef __cplusplus
}
#endif
#endif
