/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum verdict { GO, NO, RN, ST, NP };
#define STATES 9

struct row {
	const char *op;
	enum verdict verdict[STATES];
};

static const struct row rows[] = {
#define CTR_OP(name, word, unk, cfg, cre, run, stp, pau, exi, rem, stg) \
	{#name, {unk, cfg, cre, run, stp, pau, exi, rem, stg}},
#include "core/transitions.def"
#undef CTR_OP
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct cell {
	const struct row *row;
	int32_t state;
	char name[64];
};

static struct {
	struct cell cells[ROWS * STATES];
	struct CMUnitTest tests[ROWS * STATES];
	size_t n, next;
} matrix;

/* Nothing is moved: that it is made is what counts. */
static int attach(ctr_container_t *c, ctr_error_t **err)
{
	struct ctr_attach_opts o = {.size = sizeof(o), .flags = CTR_ATTACH_STDOUT, .stdout_fd = 2};
	ctr_attach_t *a = NULL;
	int r = ctr_container_attach(c, &o, &a, err);

	ctr_attach_unref(a);
	return r;
}

static int http_attach(ctr_container_t *c, ctr_error_t **err)
{
	struct ctr_http_opts o = {
	    .size = sizeof(o), .flags = CTR_HTTP_STDOUT | CTR_HTTP_STREAM | CTR_HTTP_NO_HEADER};
	ctr_attach_t *a = NULL;
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	r = ctr_container_http_attach(c, pair[0], &o, &a, err);
	ctr_attach_unref(a);
	close(pair[0]);
	close(pair[1]);
	return r;
}

/* A runtime without processes: the state lets it through, and that is all that can be had. */
static int without_process(int r, ctr_error_t **err)
{
	if (r != CTR_E_UNSUPPORTED)
		return r;
	ctr_error_free(*err);
	*err = NULL;
	return 0;
}

static int apply(ctr_container_t *c, const char *op, ctr_error_t **err)
{
	int32_t state;

	if (!strcmp(op, "READ"))
		return ctr_container_state(c, &state, err);
	if (!strcmp(op, "INIT"))
		return ctr_container_init(c, 0, err);
	if (!strcmp(op, "START"))
		return ctr_container_start(c, 0, err);
	if (!strcmp(op, "STOP"))
		return ctr_container_stop_with_timeout(c, 0, err);
	if (!strcmp(op, "RESTART"))
		return ctr_container_restart_with_timeout(c, 0, err);
	if (!strcmp(op, "KILL"))
		return ctr_container_kill(c, 18, err);
	if (!strcmp(op, "PAUSE"))
		return ctr_container_pause(c, err);
	if (!strcmp(op, "UNPAUSE"))
		return ctr_container_unpause(c, err);
	if (!strcmp(op, "CLEANUP"))
		return ctr_container_cleanup(c, 0, err);
	if (!strcmp(op, "CLEANUP_STOPPED"))
		return ctr_container_cleanup(c, CTR_CLEANUP_ONLY_STOPPED, err);
	if (!strcmp(op, "REMOVE"))
		return ctr_container_remove(c, 0, err);
	if (!strcmp(op, "REMOVE_FORCE"))
		return ctr_container_remove(c, CTR_REMOVE_FORCE, err);
	if (!strcmp(op, "MOUNT"))
		return ctr_container_mount(c, NULL, err);
	if (!strcmp(op, "UNMOUNT"))
		return ctr_container_unmount(c, 0, err);
	if (!strcmp(op, "HEALTHCHECK")) {
		/* The state lets it through to look, and there is none. */
		int r = ctr_container_healthcheck_run(c, 0, NULL, err);

		if (r != CTR_E_NO_HEALTHCHECK)
			return r;
		ctr_error_free(*err);
		*err = NULL;
		return 0;
	}
	if (!strcmp(op, "ATTACH"))
		return attach(c, err);
	if (!strcmp(op, "HTTP_ATTACH"))
		return http_attach(c, err);
	if (!strcmp(op, "RESIZE"))
		return ctr_container_attach_resize(c, 24, 80, err);
	if (!strcmp(op, "SYNC"))
		return ctr_container_sync(c, err);
	if (!strcmp(op, "RENAME"))
		return ctr_container_rename(c, "another-name", err);
	if (!strcmp(op, "LOGS")) {
		ctr_logs_t *l = NULL;
		int r = ctr_container_logs(c, NULL, &l, err);

		ctr_logs_free(l);
		return r;
	}
	if (!strcmp(op, "TOP")) {
		ctr_top_t *t = NULL;
		int r = ctr_container_top(c, NULL, &t, err);

		ctr_top_free(t);
		return without_process(r, err);
	}
	if (!strcmp(op, "STATS")) {
		ctr_stats_t *s = NULL;
		int r = ctr_container_stats(c, &s, err);

		ctr_stats_free(s);
		return without_process(r, err);
	}
	if (!strcmp(op, "UPDATE"))
		return ctr_container_update(c,
		    &(struct ctr_update_opts){
		        .size = sizeof(struct ctr_update_opts), .restart_policy = "no"},
		    err);
	if (!strcmp(op, "REFRESH"))
		return ctr_container_refresh(c, err);
	if (!strcmp(op, "EXEC")) {
		static const char *const command[] = {"true", NULL};
		struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
		ctr_exec_t *x = NULL;
		int r = ctr_container_exec_create(c, &o, &x, err);

		if (r >= 0)
			r = ctr_exec_start(x, NULL, NULL, err);
		ctr_exec_unref(x);
		return r;
	}
	fail_msg("no call for operation %s", op);
	return 0;
}

/* The state after an allowed operation; 0 = gone. */
static int32_t state_after(const char *op, int32_t state)
{
	if (!strcmp(op, "INIT"))
		return CTR_STATE_CREATED;
	if (!strcmp(op, "HTTP_ATTACH"))
		return state == CTR_STATE_RUNNING ? state : CTR_STATE_CREATED;
	if (!strcmp(op, "START") || !strcmp(op, "RESTART") || !strcmp(op, "UNPAUSE"))
		return CTR_STATE_RUNNING;
	if (!strcmp(op, "STOP"))
		return CTR_STATE_STOPPED;
	if (!strcmp(op, "PAUSE"))
		return CTR_STATE_PAUSED;
	if (!strncmp(op, "CLEANUP", 7))
		return state == CTR_STATE_CREATED ? CTR_STATE_CONFIGURED : CTR_STATE_EXITED;
	if (!strncmp(op, "REMOVE", 6))
		return 0;
	if (!strcmp(op, "REFRESH") && state == CTR_STATE_STOPPED)
		return CTR_STATE_EXITED;
	return state;
}

/* unmount of a container's own use is refused although the table lets it through to look. */
static int is_own_unmount(const char *op, int32_t state)
{
	return !strcmp(op, "UNMOUNT") &&
	       (state == CTR_STATE_CREATED || state == CTR_STATE_RUNNING ||
	           state == CTR_STATE_STOPPED || state == CTR_STATE_PAUSED ||
	           state == CTR_STATE_STOPPING);
}

static void check_refused(ctr_container_t *c, const struct row *row, int32_t state, int code)
{
	ctr_error_t *err = NULL;
	int r = apply(c, row->op, &err);

	if (r != code)
		fail_msg("%s in %s gives %s, not %s", row->op, ctr_state_name(state),
		    ctr_error_name(r), ctr_error_name(code));
	assert_string_equal(ctr_error_get(err, "state"), ctr_state_name(state));
	assert_non_null(ctr_error_get(err, "operation"));
	ctr_error_free(err);
	assert_state(c, state);
}

static void check_allowed(ctr_container_t *c, const struct row *row, int32_t state)
{
	ctr_error_t *why = NULL;
	int32_t after = state_after(row->op, state);
	int r = apply(c, row->op, &why);

	if (r < 0)
		fail_msg("%s in %s: %s", row->op, ctr_state_name(state), ctr_error_message(why));
	if (after)
		assert_state(c, row->verdict[state] == NP ? state : after);
	else
		FAILS(CTR_E_CTR_REMOVED, ctr_container_state(c, &state, err));
}

void matrix_check(const struct cell *cell, ctr_container_t *c)
{
	static const int codes[] = {
	    [NO] = CTR_E_CTR_STATE, [RN] = CTR_E_CTR_RUNNING, [ST] = CTR_E_CTR_STOPPED};
	enum verdict v = cell->row->verdict[cell->state];

	if (is_own_unmount(cell->row->op, cell->state))
		check_refused(c, cell->row, cell->state, CTR_E_CTR_STATE);
	else if (v == GO || v == NP)
		check_allowed(c, cell->row, cell->state);
	else
		check_refused(c, cell->row, cell->state, codes[v]);
}

static void add_cell(const struct row *row, int32_t state, void (*test)(void **state))
{
	struct cell *cell = &matrix.cells[matrix.n];

	cell->row = row;
	cell->state = state;
	snprintf(cell->name, sizeof(cell->name), "%s in %s", row->op, ctr_state_name(state));
	matrix.tests[matrix.n] = (struct CMUnitTest){.name = cell->name, .test_func = test};
	matrix.n++;
}

int matrix_run(const char *name, uint32_t reachable, void (*test)(void **state),
    int (*setup)(void **state), int (*teardown)(void **state))
{
	for (size_t i = 0; i < ROWS; i++)
		for (int32_t s = 0; s < STATES; s++)
			if (reachable & 1U << s)
				add_cell(&rows[i], s, test);
	return _cmocka_run_group_tests(name, matrix.tests, matrix.n, setup, teardown);
}

const struct cell *matrix_next(void)
{
	return &matrix.cells[matrix.next++];
}

int32_t matrix_state(const struct cell *cell)
{
	return cell->state;
}
