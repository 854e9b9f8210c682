/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a record of the store: a state, an exec session, a summary, a container. Refused, or read within their bounds;
 * and what was read comes back after encoding it again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libctr/state.h>

#include "store/codec.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void within(const char *s, const uint8_t *data, size_t size)
{
	const uint8_t *p = (const uint8_t *)s;

	require(p >= data && p < data + size && memchr(p, '\0', (size_t)(data + size - p)));
}

static void check_state(const struct ctr__state *s)
{
	CTR__BUF struct ctr__buf once = {0}, twice = {0};
	struct ctr__state again;

	require(s->state >= CTR_STATE_UNKNOWN && s->state <= CTR_STATE_STOPPING);
	require(s->pid >= 0 && s->conmon_pid >= 0);
	require(2 * s->bind_mounts_n <= CTR__ARRAY_SIZE(s->bind_mounts));
	for (uint32_t i = 0; i < 2 * s->bind_mounts_n; i++)
		require(s->bind_mounts[i] != NULL);
	ctr__state_encode(s, &once);
	require(!once.failed);
	require(ctr__state_decode(once.data, once.len, &again, NULL) == 0);
	ctr__state_encode(&again, &twice);
	require(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
}

static void fuzz_state(const uint8_t *data, size_t size)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__state s;
	int r = ctr__state_decode(data, size, &s, &err);

	if (r == 0)
		check_state(&s);
	else
		require((r == CTR_E_STORE_CORRUPT || r == CTR_E_STORE_NEWER) &&
		        ctr_error_code(err) == r);
}

static void fuzz_exec(const uint8_t *data, size_t size)
{
	CTR__BUF struct ctr__buf once = {0}, twice = {0};
	CTR__STRV char **command = NULL;
	struct ctr__exec_state x, again;
	int r = ctr__exec_state_decode(data, size, &x, NULL);

	if (r < 0) {
		require(r == CTR_E_STORE_CORRUPT || r == CTR_E_STORE_NEWER);
		return;
	}
	require(x.pid >= 0 && x.monitor_pid >= 0 && x.starter_pid >= 0);
	command = ctr__unpack(&x.command);
	require(command != NULL && command[0] != NULL);
	ctr__exec_state_encode(&x, &once);
	require(!once.failed && ctr__exec_state_decode(once.data, once.len, &again, NULL) == 0);
	ctr__exec_state_encode(&again, &twice);
	require(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
}

static void fuzz_summary(const uint8_t *data, size_t size)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__summary sum, again;
	struct ctr__origin origin, origin2;

	if (!ctr__sum_valid(data, size))
		return;
	ctr__sum_decode(data, &sum, &origin);
	within(sum.name, data, size);
	within(sum.image, data, size);
	within(sum.command, data, size);
	ctr__sum_encode(&sum, &origin, &buf);
	require(!buf.failed && ctr__sum_valid(buf.data, buf.len));
	ctr__sum_decode(buf.data, &again, &origin2);
	require(strcmp(sum.name, again.name) == 0 && strcmp(sum.image, again.image) == 0 &&
	        strcmp(sum.command, again.command) == 0);
	require(memcmp(&origin, &origin2, sizeof(origin)) == 0);
	require(sum.state == again.state && sum.pid == again.pid &&
	        sum.exit_code == again.exit_code && sum.created_ns == again.created_ns);
}

static void fuzz_container(const uint8_t *data, size_t size)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__ctr_rec rec;
	int r = ctr__ctr_rec_decode(data, size, &rec, &err);

	if (r < 0) {
		require(ctr_error_code(err) == r);
		return;
	}
	within(rec.name, data, size);
	within(rec.image, data, size);
	within(rec.command, data, size);
	require(rec.deps_len == 0 || rec.deps[rec.deps_len - 1] == '\0');
	require((const uint8_t *)rec.json + rec.json_len == data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_state(data, size);
	fuzz_exec(data, size);
	fuzz_summary(data, size);
	fuzz_container(data, size);
	return 0;
}
