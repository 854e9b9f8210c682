/* SPDX-License-Identifier: Apache-2.0 */
/* Several processes at once, and processes that are killed anywhere. */
#include "store_test.h"

#include <time.h>

/* ---- adding, removing and listing at once ---- */

static int add_and_list(struct fx *f, int who)
{
	for (int i = 0; i < 150; i++) {
		char id[16], found[CTR__ID_MAX + 1];
		ctr_list_t *list = NULL;
		size_t seen = 0;
		struct ctr__list_entry e;

		snprintf(id, sizeof(id), "p%d-%03d", who, i);
		if (try_add(f, id, NULL, "", NULL, NULL) < 0)
			return 1;
		/* What this process has done, it sees. */
		if (ctr__store_lookup(f->s, id, found, NULL) < 0 || strcmp(found, id) != 0)
			return 2;
		if (ctr__store_list(f->s, NULL, &list, NULL) < 0)
			return 3;
		for (size_t k = 0; ctr__list_at(list, k, &e); k++)
			seen += e.id[1] == id[1];
		ctr__list_free(list);
		if (seen != (size_t)(i + 1 - i / 3))
			return 4;
		if (i % 3 == 2 && ctr__store_remove(f->s, id, NULL, NULL) < 0)
			return 5;
	}
	ctr__store_unref(f->s);
	return 0;
}

static void processes_add_and_list(void **state)
{
	struct fx *f = *state;
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = child(f, add_and_list, i);
	for (int i = 0; i < 3; i++)
		child_ends(pids[i], 0);
	fx_open(f);
	assert_int_equal(check_consistent(f), 300);
}

/* One name, many takers. */
static int take_name(struct fx *f, int who)
{
	int got = 0;

	for (int i = 0; i < 50; i++) {
		char id[16], name[16];
		int r;

		snprintf(id, sizeof(id), "p%d-%03d", who, i);
		snprintf(name, sizeof(name), "name%d", i);
		r = try_add(f, id, name, "", NULL, NULL);
		if (r < 0 && r != CTR_E_CTR_EXISTS)
			return 100;
		got += r == 0;
	}
	return got;
}

static void a_name_is_given_once(void **state)
{
	struct fx *f = *state;
	pid_t pids[3];
	int got = 0;

	for (int i = 0; i < 3; i++)
		pids[i] = child(f, take_name, i);
	for (int i = 0; i < 3; i++) {
		int st;

		assert_int_equal(waitpid(pids[i], &st, 0), pids[i]);
		assert_true(WIFEXITED(st) && WEXITSTATUS(st) <= 50);
		got += WEXITSTATUS(st);
	}
	assert_int_equal(got, 50);
	fx_open(f);
	assert_int_equal(check_consistent(f), 50);
}

/* All start at once on nothing. */
static int just_open(struct fx *f, int who)
{
	char id[16];

	snprintf(id, sizeof(id), "p%d", who);
	return try_add(f, id, NULL, "", NULL, NULL) < 0;
}

static void processes_start_at_once(void **state)
{
	struct fx *f = *state;
	pid_t pids[6];

	for (int i = 0; i < 6; i++)
		pids[i] = child(f, just_open, i);
	for (int i = 0; i < 6; i++)
		child_ends(pids[i], 0);
	fx_open(f);
	assert_int_equal(check_consistent(f), 6);
}

/* ---- kill -9 ---- */

/* Adds, saves, rewrites and removes until it is killed. */
static int churn(struct fx *f, int seed)
{
	unsigned int random = (unsigned int)seed * 7919U + 1;

	for (;;) {
		char id[16];
		int r = 0;

		random = random * 1103515245U + 12345U;
		snprintf(id, sizeof(id), "c%u", random >> 16 & 15);
		switch (random >> 24 & 3) {
		case 0:
		case 1:
			r = try_add(f, id, random & 1 << 20 ? id : NULL,
			    random & 1 << 21 ? ",\"labels\":{\"a\":\"b\"}" : "", NULL, NULL);
			break;
		case 2: r = ctr__store_remove(f->s, id, NULL, NULL); break;
		default:
			r = try_rewrite(f, id, random & 1 << 20 ? id : NULL, "", NULL, NULL);
			break;
		}
		if (r < 0 && r != CTR_E_CTR_EXISTS && r != CTR_E_NO_SUCH_CTR)
			return 1;
	}
}

static int collect_slot(const char *id, void *userdata)
{
	void **args = userdata;
	struct fx *f = args[0];
	unsigned char *used = args[1];
	CTR__BUF struct ctr__buf json = {0};
	uint32_t slot;
	uint64_t gen;

	OK(ctr__store_get_config(f->s, id, &json, &slot, &gen, err));
	assert_true(slot < 4096);
	assert_false(used[slot]);
	used[slot] = 1;
	return 0;
}

/* A listing is right at once, without any repair. */
static void check_listing(struct fx *f)
{
	ctr_list_t *list = NULL;
	struct ctr__list_entry e;

	OK(ctr__store_list(f->s, NULL, &list, err));
	assert_int_equal(ctr__list_count(list), count(f));
	for (size_t i = 0; ctr__list_at(list, i, &e); i++) {
		CTR__BUF struct ctr__buf json = {0};
		CFG ctr_config_t *cfg = NULL;
		uint32_t slot;
		uint64_t gen;

		OK(ctr__store_get_config(f->s, e.id, &json, &slot, &gen, err));
		OK(ctr__config_parse(json.data, json.len, &cfg, err));
		assert_string_equal(e.sum.name, cfg->name ? cfg->name : "");
	}
	ctr__list_free(list);
}

static void killed_processes_leave_no_damage(void **state)
{
	struct fx *f = *state;
	unsigned int random = 12345;
	int repaired = 0;

	fx_open(f);
	for (int round = 0; round < 120; round++) {
		unsigned char used[4096] = {0};
		void *args[] = {f, used};
		struct timespec pause = {0, 0};
		struct fx *g = calloc(1, sizeof(*g));
		struct ctr__read rd = {0};
		uint64_t made_for;
		pid_t pid;
		int st;

		assert_non_null(g);
		*g = *f;
		pid = child(g, churn, round);
		random = random * 1103515245U + 12345U;
		pause.tv_nsec = (long)(random >> 8) % 6000000;
		nanosleep(&pause, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &st, 0), pid);
		assert_true(WIFSIGNALED(st));
		free(g);

		check_listing(f);
		OK(ctr__read_begin(&f->s->run_env, &rd, err));
		assert_int_equal(ctr__root_txnid_get(&f->s->run_env, rd.txn, &made_for), 0);
		ctr__read_end(&rd);
		OK(ctr__read_begin(&f->s->root_env, &rd, err));
		repaired += made_for != mdb_txn_id(rd.txn);
		ctr__read_end(&rd);
		/* The next one to change something mends, or the next to open. */
		if (round % 2) {
			(void)ctr__store_remove(f->s, "c0", NULL, NULL);
			(void)try_add(f, "c0", NULL, "", NULL, NULL);
		} else {
			fx_reopen(f);
		}
		assert_false(ctr__store_fresh_boot(f->s) && round > 0 && round % 2 == 0);
		check_consistent(f);
		OK(ctr__store_each(f->s, collect_slot, args, err));
	}
	print_message("%d of 120 kills were between the two commits\n", repaired);
}

/* Killed while it makes the store. */
static int open_only(struct fx *f)
{
	char trash[256];

	snprintf(trash, sizeof(trash), "%s/trash", f->dir);
	for (;;) {
		if (ctr__store_open(f->root, f->run, &f->s, NULL) < 0)
			return 1;
		ctr__store_unref(f->s);
		/* At once, so that a kill does not leave half of it. */
		if (rename(f->run, trash) < 0)
			return 2;
		remove_dir(trash);
	}
}

static void killed_starts_are_started_again(void **state)
{
	struct fx *f = *state;
	unsigned int random = 99;

	for (int round = 0; round < 60; round++) {
		struct timespec pause = {0, 0};
		pid_t pid;
		int st;

		fflush(NULL);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(open_only(f));
		random = random * 1103515245U + 12345U;
		pause.tv_nsec = (long)(random >> 8) % 4000000;
		nanosleep(&pause, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &st, 0), pid);
		assert_true(WIFSIGNALED(st));
		fx_open(f);
		check_consistent(f);
		fx_close(f);
		if (file_exists(f->dir, "trash")) {
			char trash[256];

			snprintf(trash, sizeof(trash), "%s/trash", f->dir);
			remove_dir(trash);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST_CLOSED(processes_add_and_list),
	    TEST_CLOSED(a_name_is_given_once),
	    TEST_CLOSED(processes_start_at_once),
	    TEST_CLOSED(killed_processes_leave_no_damage),
	    TEST_CLOSED(killed_starts_are_started_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
