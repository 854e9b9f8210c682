/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces are opened, of whom, and in which states. */
#include "fixture.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/join.h"
#include "sys/proc.h"
#include "util/cleanup.h"

/* A process in a network namespace of its own, until it is killed. */
static pid_t process_apart(void)
{
	int fds[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET | CLONE_NEWUTS) == 0 && write(fds[1], "r", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static ino_t inode(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static ctr_container_t *create_joiner(
    const struct fixture *f, ctr_container_t *donor, int32_t one, int32_t other)
{
	ctr_config_t *plain = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_set_str(b, one, ctr_container_id(donor), err));
	OK(ctr_config_builder_set_str(b, other, ctr_container_id(donor), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	return c;
}

struct pair {
	pid_t pid;
	ctr_container_t *donor, *c; /* c joins its network and its name */
};

static struct pair pair_of(struct fixture *f)
{
	struct pair p = {.pid = process_apart(), .donor = fixture_create(f, "donor")};

	fake_oci_process(f->fake, p.pid, ctr__proc_start_time(p.pid));
	OK(ctr_container_start(p.donor, 0, err));
	p.c = create_joiner(f, p.donor, CTR_CONFIG_NET_NS_CTR, CTR_CONFIG_UTS_NS_CTR);
	return p;
}

static void pair_end(struct pair *p)
{
	ctr_container_unref(p->c);
	ctr_container_unref(p->donor);
	end_process(p->pid);
}

static void opens_what_is_joined(void **state)
{
	struct pair p = pair_of(*state);
	CTR__CLEANUP(ctr__join_free) struct ctr__join j = {0};
	struct stat st;

	OK(ctr__join_open(p.c, &j, err));
	for (int32_t kind = CTR_NS_IPC; kind <= CTR_NS_CGROUP; kind++)
		assert_int_equal(j.ns[kind].path[0] != 0, kind == CTR_NS_NET || kind == CTR_NS_UTS);
	assert_int_equal(stat(j.ns[CTR_NS_NET].path, &st), 0);
	assert_int_equal(st.st_ino, inode(p.pid, "net"));
	assert_int_equal(stat(j.ns[CTR_NS_UTS].path, &st), 0);
	assert_int_equal(st.st_ino, inode(p.pid, "uts"));
	/* As the other one is called, whose spec gives it no other name. */
	assert_int_equal(strlen(j.hostname), 12);
	assert_int_equal(strncmp(j.hostname, ctr_container_id(p.donor), 12), 0);
	assert_null(j.shm);
	pair_end(&p);
}

static void set_net_ns(ctr_container_t *c, const char *path)
{
	CTR__GUARD struct ctr__guard g;

	OK(ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, err));
	g.c->state.net_ns = path;
	OK(ctr__save(g.c, 0, err));
}

/* A network that was set up for the container has a path of its own, which counts more than the process. */
static void the_network_has_a_path(void **state)
{
	struct pair p = pair_of(*state);
	struct stat st;

	set_net_ns(p.donor, "/proc/self/ns/net");
	{
		CTR__CLEANUP(ctr__join_free) struct ctr__join j = {0};

		OK(ctr__join_open(p.c, &j, err));
		assert_int_equal(stat(j.ns[CTR_NS_NET].path, &st), 0);
		assert_int_equal(st.st_ino, inode(getpid(), "net"));
		assert_int_equal(stat(j.ns[CTR_NS_UTS].path, &st), 0);
		assert_int_equal(st.st_ino, inode(p.pid, "uts"));
	}
	static const char *const wrong[] = {
	    "/proc/self/ns/uts", "/etc/passwd", "/no/such/file", "/dev/null"};
	for (size_t i = 0; i < CTR__ARRAY_SIZE(wrong); i++) {
		CTR__CLEANUP(ctr__join_free) struct ctr__join j = {0};

		set_net_ns(p.donor, wrong[i]);
		FAILS(CTR_E_SYSTEM, ctr__join_open(p.c, &j, err));
	}
	pair_end(&p);
}

/* Running and paused ones have namespaces to join. */
static void states(void **state)
{
	struct fixture *f = *state;
	struct pair p = pair_of(f);

	OK(ctr_container_pause(p.donor, err));
	{
		CTR__CLEANUP(ctr__join_free) struct ctr__join j = {0};

		OK(ctr__join_open(p.c, &j, err));
	}
	OK(ctr_container_unpause(p.donor, err));
	for (int i = 0; i < 3; i++) {
		CTR__CLEANUP(ctr__join_free) struct ctr__join j = {0};
		ctr_error_t *e = NULL;

		if (i == 0)
			OK(ctr_container_kill(p.donor, 9, err));
		if (i == 1)
			OK(ctr_container_cleanup(p.donor, 0, err));
		if (i == 2)
			OK(ctr_container_init(p.donor, 0, err));
		assert_int_equal(ctr__join_open(p.c, &j, &e), CTR_E_CTR_STATE);
		assert_string_equal(ctr_error_get(e, "dependency"), ctr_container_id(p.donor));
		assert_non_null(ctr_error_get(e, "state"));
		ctr_error_free(e);
	}
	pair_end(&p);
}

/* No descriptor outlives it. */
static void closes_all(void **state)
{
	struct pair p = pair_of(*state);
	struct ctr__join j = {0};
	int first, fd;

	OK(ctr__join_open(p.c, &j, err));
	first = j.ns[CTR_NS_NET].fd;
	fd = j.ns[CTR_NS_UTS].fd;
	ctr__join_free(&j);
	assert_int_equal(close(first), -1);
	assert_int_equal(close(fd), -1);
	pair_end(&p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(opens_what_is_joined),
	    TEST(the_network_has_a_path),
	    TEST(states),
	    TEST(closes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
