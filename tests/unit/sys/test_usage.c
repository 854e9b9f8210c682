/* SPDX-License-Identifier: Apache-2.0 */
/* What files of cgroups and of /proc say: of both kinds, damaged, absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/cgroup_stats.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc_info.h"
#include "util/cleanup.h"

static int make_dir(char *dir)
{
	strcpy(dir, "/tmp/libctr-usage-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put(int fd, const char *name, const char *text)
{
	assert_int_equal(ctr__write_file_at(fd, name, text, strlen(text), 0600, false), 0);
}

static void remove_dir(const char *dir)
{
	CTR__CLOSE int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(ctr__remove_tree_at(tmp, strrchr(dir, '/') + 1), 0);
}

static void is(const struct ctr__cgroup_use *u, enum ctr__use what, uint64_t value)
{
	assert_true(u->there[what]);
	assert_int_equal(u->v[what], value);
}

static void test_v2(void **state)
{
	struct ctr__cgroup_use u = {0};
	char dir[32];
	CTR__CLOSE int fd = make_dir(dir);

	(void)state;
	put(fd, "cpu.stat",
	    "usage_usec 3\nuser_usec 2\nsystem_usec 1\nnr_periods 9\nthrottled_usec 7\n");
	put(fd, "memory.current", "1000\n");
	put(fd, "memory.max", "max\n");
	put(fd, "memory.peak", "2000\n");
	put(fd, "memory.stat", "anon 5\ninactive_file 300\nactive_file 1\n");
	put(fd, "memory.swap.current", "40\n");
	put(fd, "pids.current", "4\n");
	put(fd, "pids.max", "100\n");
	put(fd, "io.stat",
	    "8:0 rbytes=10 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=20 wbytes=2\n");
	ctr__cgroup_use_add(fd, true, &u);
	is(&u, CTR__USE_CPU_NS, 3000);
	is(&u, CTR__USE_CPU_USER_NS, 2000);
	is(&u, CTR__USE_CPU_SYSTEM_NS, 1000);
	is(&u, CTR__USE_CPU_THROTTLED_NS, 7000);
	is(&u, CTR__USE_MEMORY, 1000);
	is(&u, CTR__USE_INACTIVE_FILE, 300);
	assert_false(u.there[CTR__USE_MEMORY_LIMIT]);
	is(&u, CTR__USE_MEMORY_PEAK, 2000);
	is(&u, CTR__USE_SWAP, 40);
	is(&u, CTR__USE_PIDS, 4);
	is(&u, CTR__USE_PIDS_LIMIT, 100);
	is(&u, CTR__USE_BLOCK_READ, 30);
	is(&u, CTR__USE_BLOCK_WRITE, 3);
	remove_dir(dir);
}

static void test_v1(void **state)
{
	struct ctr__cgroup_use u = {0};
	char dir[32];
	CTR__CLOSE int fd = make_dir(dir);
	uint64_t tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);

	(void)state;
	put(fd, "cpuacct.usage", "12345\n");
	put(fd, "cpuacct.stat", "user 2\nsystem 1\n");
	put(fd, "cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 7\n");
	put(fd, "memory.usage_in_bytes", "1000\n");
	put(fd, "memory.limit_in_bytes", "9223372036854771712\n");
	put(fd, "memory.max_usage_in_bytes", "2000\n");
	put(fd, "memory.stat", "inactive_file 1\ntotal_swap 40\ntotal_inactive_file 300\n");
	put(fd, "pids.current", "4\n");
	put(fd, "pids.max", "max\n");
	put(fd, "blkio.throttle.io_service_bytes",
	    "8:0 Read 10\n8:0 Write 1\n8:0 Sync 11\n8:0 Total 11\n8:16 Read 20\nTotal 31\n");
	ctr__cgroup_use_add(fd, false, &u);
	is(&u, CTR__USE_CPU_NS, 12345);
	is(&u, CTR__USE_CPU_USER_NS, 2 * tick);
	is(&u, CTR__USE_CPU_SYSTEM_NS, tick);
	is(&u, CTR__USE_CPU_THROTTLED_NS, 7);
	is(&u, CTR__USE_MEMORY, 1000);
	is(&u, CTR__USE_INACTIVE_FILE, 300);
	assert_false(u.there[CTR__USE_MEMORY_LIMIT]);
	is(&u, CTR__USE_SWAP, 40);
	assert_false(u.there[CTR__USE_PIDS_LIMIT]);
	is(&u, CTR__USE_BLOCK_READ, 30);
	is(&u, CTR__USE_BLOCK_WRITE, 1);
	remove_dir(dir);
}

static void test_nothing_and_nonsense(void **state)
{
	static const char *const names[] = {"cpu.stat", "memory.current", "memory.stat", "pids.max",
	    "io.stat", "memory.usage_in_bytes", "cpuacct.stat", "blkio.throttle.io_service_bytes"};
	struct ctr__cgroup_use u = {0};
	char dir[32];
	CTR__CLOSE int fd = make_dir(dir);

	(void)state;
	for (int v2 = 0; v2 < 2; v2++)
		ctr__cgroup_use_add(fd, v2, &u);
	for (size_t i = 0; i < CTR__USES; i++)
		assert_false(u.there[i]);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++)
		put(fd, names[i],
		    "\n -1\nusage_usec\nusage_usec x\nuser 99999999999999999999999\n"
		    "usage_usec 18446744073709551615\n8:0 rbytes= wbytes=-\n8:0 Read\n Read x\n");
	for (int v2 = 0; v2 < 2; v2++)
		ctr__cgroup_use_add(fd, v2, &u);
	assert_false(u.there[CTR__USE_CPU_NS] || u.there[CTR__USE_CPU_USER_NS] ||
	             u.there[CTR__USE_MEMORY] || u.there[CTR__USE_PIDS_LIMIT]);
	assert_int_equal(u.v[CTR__USE_BLOCK_READ], 0);
	assert_int_equal(ctr__cgroup_use_read("/no/such/group/anywhere", &u), -2 /* ENOENT */);
	remove_dir(dir);
}

static void test_network(void **state)
{
	char text[] = "Inter-|   Receive\n face |bytes\n"
	              "    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n"
	              "  eth0:100 2 0 0 0 0 0 0 50 1 0 0 0 0 0 0\n"
	              "a:b: 1000 20 0 0 0 0 0 0 500 10 0 0 0 0 0 0\n"
	              "broken: 1 2\nlo2: x\n";
	struct ctr__proc_net net;

	(void)state;
	ctr__proc_net_parse(text, &net);
	assert_int_equal(net.rx_bytes, 1100);
	assert_int_equal(net.rx_packets, 22);
	assert_int_equal(net.tx_bytes, 550);
	assert_int_equal(net.tx_packets, 11);
}

/* A process with a name that looks like the end of the field. */
static void test_process(void **state)
{
	CTR__CLOSE int self = -1;
	struct ctr__proc_info p;
	int ready[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "a) Z 1 (b");
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	self = ctr__proc_open(pid);
	assert_true(self >= 0);
	assert_int_equal(ctr__proc_info_read(self, &p), 0);
	assert_string_equal(p.comm, "a) Z 1 (b");
	assert_int_equal(p.pid, pid);
	assert_int_equal(p.ppid, getpid());
	assert_true(p.state == 'S' || p.state == 'R');
	assert_int_equal(p.uid, getuid());
	assert_int_equal(p.inside_uid, getuid());
	assert_true(p.start > 0 && ctr__proc_start_of(self) == p.start);
	assert_true(p.cmdline_len > 0);
	/* No more is kept than there is. */
	assert_true(malloc_usable_size(p.cmdline) < p.cmdline_len + 64);
	ctr__proc_info_free(&p);
	/* It ends, and its number is free: the descriptor stays that of the dead one. */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(ctr__proc_info_read(self, &p) < 0);
	assert_int_equal(ctr__proc_open(pid), -3 /* ESRCH */);
	close(ready[0]);
	close(ready[1]);
}

static void test_relatives(void **state)
{
	CTR__FREE pid_t *pids = NULL;
	pid_t child = fork();
	size_t n = 0;
	bool me = false, it = false, init = false;

	(void)state;
	if (child == 0) {
		pause();
		_exit(0);
	}
	/* Its PID namespace is ours, so it is what descends from it. */
	assert_int_equal(ctr__proc_relatives(getpid(), &pids, &n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || pids[i - 1] < pids[i]);
		me = me || pids[i] == getpid();
		it = it || pids[i] == child;
		init = init || pids[i] == 1;
	}
	assert_true(me && it && !init);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_v2),
	    cmocka_unit_test(test_v1),
	    cmocka_unit_test(test_nothing_and_nonsense),
	    cmocka_unit_test(test_network),
	    cmocka_unit_test(test_process),
	    cmocka_unit_test(test_relatives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
