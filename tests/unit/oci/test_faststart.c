/* SPDX-License-Identifier: Apache-2.0 */
/* Starting through exec.fifo, against processes that do what the runtimes' own do at it. */
#include "oci_test.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "sys/proc.h"

/* The first process of a container, and what it tells the test. */
struct init {
	pid_t pid;
	volatile int *let_go; /* shared: it is past the point where the starter may return */
};

struct place {
	struct bench b;
	struct init init;
	char dir[400];
	char fifo[420];
};

static void place_open(struct place *p, const char *runtime)
{
	bench_open(&p->b, runtime);
	snprintf(p->dir, sizeof(p->dir), "%s/%s", p->b.d->oci_root, BENCH_ID);
	snprintf(p->fifo, sizeof(p->fifo), "%s/exec.fifo", p->dir);
	assert_int_equal(mkdir(p->dir, 0700), 0);
	assert_int_equal(mkfifo(p->fifo, 0600), 0);
	p->init.let_go =
	    mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(p->init.let_go != MAP_FAILED);
}

static void place_close(struct place *p)
{
	munmap((void *)(uintptr_t)p->init.let_go, sizeof(int));
	bench_close(&p->b);
}

/* Runs `body` as first process; returns when it has called ready(). */
static int ready_pipe[2];

static void ready(void)
{
	if (write(ready_pipe[1], "", 1) != 1)
		_exit(99);
}

static void init_start(struct place *p, void (*body)(struct place *p))
{
	char byte;

	assert_int_equal(pipe2(ready_pipe, O_CLOEXEC), 0);
	p->init.pid = fork();
	if (p->init.pid == 0) {
		alarm(60);
		body(p);
		_exit(0);
	}
	assert_int_equal(read(ready_pipe[0], &byte, 1), 1);
	close(ready_pipe[0]);
	close(ready_pipe[1]);
	p->b.c.pid = p->init.pid;
	p->b.c.pid_start = ctr__proc_start_time(p->init.pid);
}

static int init_end(struct place *p)
{
	int status;

	assert_int_equal(waitpid(p->init.pid, &status, 0), p->init.pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int start(struct place *p)
{
	return ctr__oci_fast_start(p->b.d, &p->b.c, NULL);
}

static bool fifo_is_there(const struct place *p)
{
	return access(p->fifo, F_OK) == 0;
}

/* ---- runc ---- */

/* It has it from its parent, and opens it through /proc. */
static void runc_path(const struct place *p, char path[64])
{
	snprintf(path, 64, "/proc/self/fd/%d", open(p->fifo, O_PATH));
}

/* Waits at the fifo, writes, and keeps it open for a while, as until its exec. */
static void runc_init(struct place *p)
{
	char path[64];
	int fd;

	runc_path(p, path);
	ready();
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(1);
	poll(NULL, 0, 20);
	*p->init.let_go = 1;
	close(fd);
}

static void test_runc(void **state)
{
	struct place p;

	(void)state;
	place_open(&p, "runc");
	init_start(&p, runc_init);
	assert_int_equal(start(&p), 1);
	assert_int_equal(*p.init.let_go, 1);
	assert_false(fifo_is_there(&p));
	assert_int_equal(init_end(&p), 0);
	place_close(&p);
}

/* The starter may come first: create returns a moment before init reaches the fifo. */
static void late_runc_init(struct place *p)
{
	char path[64];
	int fd;

	runc_path(p, path);
	ready();
	poll(NULL, 0, 150);
	fd = open(path, O_WRONLY);
	*p->init.let_go = 1;
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(1);
}

static void test_runc_whose_process_comes_late(void **state)
{
	struct place p;

	(void)state;
	place_open(&p, "runc");
	init_start(&p, late_runc_init);
	assert_int_equal(start(&p), 1);
	assert_int_equal(*p.init.let_go, 1);
	assert_false(fifo_is_there(&p));
	assert_int_equal(init_end(&p), 0);
	place_close(&p);
}

static void dying_runc_init(struct place *p)
{
	ready();
	_exit(open(p->fifo, O_WRONLY) >= 0 ? 7 : 1);
}

static void test_runc_whose_process_dies_at_the_fifo(void **state)
{
	struct place p;

	(void)state;
	place_open(&p, "runc");
	init_start(&p, dying_runc_init);
	assert_int_equal(start(&p), 0);
	assert_true(fifo_is_there(&p)); /* the runtime's own command shall see it as it is */
	assert_int_equal(init_end(&p), 7);
	place_close(&p);
}

/* The fifo is still there, but another starter has had the byte and was killed: the process is on its way. The
 * runtime's own command would wait for ever. */
static void passing_runc_init(struct place *p)
{
	int fd = open(p->fifo, O_RDWR);

	ready();
	poll(NULL, 0, 50);
	close(fd);
	pause();
}

static void kill_init(struct place *p)
{
	assert_int_equal(kill(p->init.pid, SIGKILL), 0);
	assert_int_equal(init_end(p), -1);
}

static void test_runc_whose_byte_another_starter_had(void **state)
{
	struct place p;

	(void)state;
	place_open(&p, "runc");
	init_start(&p, passing_runc_init);
	assert_int_equal(start(&p), 1);
	assert_false(fifo_is_there(&p));
	kill_init(&p);
	place_close(&p);
}

static void idle(struct place *p)
{
	(void)p;
	ready();
	pause();
}

/* As above, and it was past the fifo before we came: nothing is ever heard there. */
static void test_past_the_fifo(const char *runtime)
{
	struct place p;

	place_open(&p, runtime);
	init_start(&p, idle);
	assert_int_equal(start(&p), 1);
	assert_false(fifo_is_there(&p));
	kill_init(&p);
	place_close(&p);
}

static void test_runc_whose_process_is_past_the_fifo(void **state)
{
	(void)state;
	test_past_the_fifo("runc");
}

/* ---- crun ---- */

static void crun_init(struct place *p)
{
	int fd = open(p->fifo, O_RDONLY | O_NONBLOCK);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char byte = 1;

	ready();
	while (poll(&poll_fd, 1, -1) < 0 || read(fd, &byte, 1) != 1)
		;
	_exit(byte == 0 ? 0 : 1);
}

static void test_crun(void **state)
{
	struct place p;

	(void)state;
	place_open(&p, "crun");
	init_start(&p, crun_init);
	assert_int_equal(start(&p), 1);
	assert_false(fifo_is_there(&p));
	assert_int_equal(init_end(&p), 0);
	place_close(&p);
}

static void test_crun_whose_process_is_past_the_fifo(void **state)
{
	(void)state;
	test_past_the_fifo("crun");
}

/* ---- left to the command ---- */

static void left_alone(struct place *p)
{
	assert_int_equal(start(p), 0);
}

static void test_what_is_left_to_the_command(void **state)
{
	static const char *const names[] = {"runc", "crun"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		struct place p;
		struct ctr_oci_container good;

		place_open(&p, names[i]);
		init_start(&p, idle);
		good = p.b.c;
		p.b.c.flags = CTR_OCI_START_HOOKS;
		left_alone(&p);
		p.b.c = good;
		p.b.c.pid = 0;
		left_alone(&p);
		p.b.c = good;
		p.b.c.pid_start = 0;
		left_alone(&p);
		p.b.c.pid_start = good.pid_start + 1;
		left_alone(&p);
		p.b.c = good;
		p.b.c.id = "unknown";
		left_alone(&p);
		assert_true(fifo_is_there(&p));
		kill_init(&p);
		p.b.c = good; /* now dead */
		left_alone(&p);
		assert_true(fifo_is_there(&p));
		place_close(&p);
	}
}

static void test_only_a_fifo_will_do(void **state)
{
	static const char *const names[] = {"runc", "crun"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		struct place p;
		char other[440];

		place_open(&p, names[i]);
		init_start(&p, idle);
		snprintf(other, sizeof(other), "%s/other", p.dir);
		assert_int_equal(rename(p.fifo, other), 0);
		left_alone(&p); /* absent: started already */
		assert_int_equal(symlink("other", p.fifo), 0);
		left_alone(&p);
		unlink(p.fifo);
		put_file(p.dir, "exec.fifo", "0");
		left_alone(&p);
		kill_init(&p);
		place_close(&p);
	}
}

static void test_an_unknown_runtime_is_started_by_its_command(void **state)
{
	struct place p;

	(void)state;
	place_open(&p, "youki");
	init_start(&p, idle);
	left_alone(&p);
	assert_true(fifo_is_there(&p));
	kill_init(&p);
	place_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_runc),
	    cmocka_unit_test(test_runc_whose_process_comes_late),
	    cmocka_unit_test(test_runc_whose_process_dies_at_the_fifo),
	    cmocka_unit_test(test_runc_whose_byte_another_starter_had),
	    cmocka_unit_test(test_runc_whose_process_is_past_the_fifo),
	    cmocka_unit_test(test_crun),
	    cmocka_unit_test(test_crun_whose_process_is_past_the_fifo),
	    cmocka_unit_test(test_what_is_left_to_the_command),
	    cmocka_unit_test(test_only_a_fifo_will_do),
	    cmocka_unit_test(test_an_unknown_runtime_is_started_by_its_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
