/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users, and the files that are made for a container, as its processes find them; root file systems that lead out of
 * themselves. test_files_real RUNTIME.
 */
#include "real.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASSWD "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001:Bob:/home/bob:/bin/sh\n"
#define GROUP  "root:x:0:\nwheel:x:10:root,bob\naudio:x:29:bob\nbob:x:1001:\n"

static void put(const struct real *r, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->rootfs, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void put_users(const struct real *r)
{
	put(r, "etc/passwd", PASSWD);
	put(r, "etc/group", GROUP);
}

static ctr_config_builder_t *as_user(const struct real *r, const char *user, const char *script)
{
	ctr_config_builder_t *b = real_builder(r, script);

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_USER, user, err));
	return b;
}

static void assert_has(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		print_error("\"%s\" is not in:\n%s\n", piece, text);
	assert_non_null(strstr(text, piece));
}

/* ---- users ---- */

static void test_user_by_name(void **state)
{
	struct real *r = *state;

	put_users(r);
	real_says(r, as_user(r, "bob", "id -u; id -g; id -G; echo $HOME; busybox whoami; umask"),
	    "1000\n1001\n1001 10 29\n/home/bob\nbob\n0022\n");
	real_says(r, as_user(r, "bob:wheel", "id -u; id -G"), "1000\n10\n");
	real_says(r, as_user(r, "1000", "id -un; id -G"), "bob\n1001 10 29\n");
	/* Without a user it is root, with root's groups. */
	real_says(r, real_builder(r, "id -u; id -G; echo $HOME"), "0\n0 10\n/root\n");
}

static void test_number_without_entry(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b;
	char *text;

	put_users(r);
	b = as_user(r, "4000:5000",
	    "busybox whoami; id -gn; tail -n 1 /etc/passwd;"
	    "tail -n 1 /etc/group; echo $HOME; pwd");
	OK(ctr_config_builder_set_str(b, CTR_SPEC_WORKDIR, "/tmp", err));
	real_says(r, b,
	    "4000\n5000\n4000:*:4000:5000:container "
	    "user:/tmp:/bin/sh\n5000:x:5000:4000\n/\n/tmp\n");
	b = as_user(r, "4000", "tail -n 1 /etc/passwd; cat /etc/group");
	OK(ctr_config_builder_set_str(
	    b, CTR_CONFIG_PASSWD_ENTRY, "u$UID:!:$UID:$GID:$NAME:$HOME:/bin/x", err));
	real_says(r, b, "u4000:!:4000:0:container user:/:/bin/x\n" GROUP);
	/* The root file system knows nothing of it. */
	text = real_slurp("%s/etc/passwd", r->rootfs);
	assert_string_equal(text, PASSWD);
	free(text);
}

static void test_no_passwd_at_all(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_create_from(r, as_user(r, "bob", "true"));
	ctr_error_t *why = NULL;

	assert_int_equal(ctr_container_start(c, 0, &why), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(why, "field"), "user");
	assert_has(ctr_error_message(why), "\"bob\"");
	ctr_error_free(why);
	assert_state(c, CTR_STATE_CONFIGURED);
	real_remove(c, 0);
	real_says(r, as_user(r, "4000", "id -u; ls /etc/passwd 2>/dev/null || echo none"),
	    "4000\nnone\n");
}

static void test_more_groups(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = as_user(r, "bob:0", "id -G");
	ctr_container_t *c;

	put_users(r);
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_GROUPS, "wheel", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_GROUPS, "77", err));
	real_says(r, b, "0 10 77\n");
	b = as_user(r, "bob", "true");
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_GROUPS, "nobody-knows", err));
	c = real_create_from(r, b);
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	real_remove(c, 0);
}

static void test_home_and_umask_given(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = as_user(r, "bob", "echo $HOME; umask");

	put_users(r);
	OK(ctr_config_builder_add_str(b, CTR_SPEC_ENV, "HOME=/mine", err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_UMASK, "0027", err));
	real_says(r, b, "/mine\n0027\n");
}

static void test_host_users(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b =
	    real_builder(r, "grep ^daemon: /etc/passwd; grep ^daemon: /etc/group");
	ctr_container_t *c;

	put_users(r);
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_HOST_USERS, "daemon", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_HOST_USERS, "root", err));
	real_says(r, b, "daemon:*:1:1:daemon:/usr/sbin:/bin/sh\ndaemon:x:1:daemon\n");
	b = real_builder(r, "true");
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_HOST_USERS, "nobody-of-this-name", err));
	c = real_create_from(r, b);
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	real_remove(c, 0);
}

/* ---- files ---- */

static void test_hosts(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "cat /etc/hosts; cat /etc/hostname");
	char *text;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "hosted", err));
	OK(ctr_config_builder_set_str(b, CTR_SPEC_HOSTNAME, "inside", err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_BASE_HOSTS_FILE, "none", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_HOST_ADD, "db;database:192.0.2.7", err));
	text = real_output(r, b, 0);
	assert_has(text, "192.0.2.7\tdb database\n127.0.0.1\tlocalhost\n::1\tlocalhost\n");
	assert_has(text, "127.0.0.1\tinside hosted\n");
	assert_has(text, "\ninside\n");
	free(text);
	put(r, "etc/hosts", "# mine\n192.0.2.9 of-the-image # yes\n");
	b = real_builder(r, "cat /etc/hosts");
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_BASE_HOSTS_FILE, "image", err));
	text = real_output(r, b, 0);
	assert_int_equal(strncmp(text, "192.0.2.9\tof-the-image\n127.0.0.1\tlocalhost\n", 23), 0);
	free(text);
	b = real_builder(r, "cat /etc/hosts");
	OK(ctr_config_builder_set_bool(b, CTR_CONFIG_USE_IMAGE_HOSTS, 1, err));
	real_says(r, b, "# mine\n192.0.2.9 of-the-image # yes\n");
}

static void test_resolv_conf(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "cat /etc/resolv.conf");

	/* Nobody can be asked from a network of its own that is empty. */
	real_says(r, real_builder(r, "ls -a /etc/resolv.conf 2>/dev/null || echo none"), "none\n");
	OK(ctr_config_builder_set_bool(b, CTR_SPEC_HOST_NETWORK, 1, err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DNS_SERVER, "192.0.2.53", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DNS_SEARCH, "a.example", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DNS_OPTION, "ndots:3", err));
	real_says(r, b, "search a.example\nnameserver 192.0.2.53\noptions ndots:3\n");
}

static void test_containerenv_and_secrets(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b =
	    real_builder(r, "test -f /run/.containerenv && test ! -s /run/.containerenv && echo "
	                    "empty; ls -A /run/secrets; echo $container");
	char *text;

	real_says(r, b, "empty\nlibctr\n");
	b = real_builder(r, "cat /run/.containerenv");
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "mighty", err));
	OK(ctr_config_builder_set_bool(b, CTR_CONFIG_PRIVILEGED, 1, err));
	text = real_output(r, b, 0);
	assert_has(text, "engine=\"libctr-");
	assert_has(text, "\nname=\"mighty\"\nid=\"");
	assert_has(text, "\nimage=\"\"\nimageid=\"\"\nrootless=0\n");
	free(text);
}

static void test_localtime(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b;
	ctr_container_t *c;

	if (access("/usr/share/zoneinfo/Asia/Kolkata", F_OK) == 0) {
		b = real_builder(r, "busybox head -c 4 /etc/localtime");
		OK(ctr_config_builder_set_str(b, CTR_CONFIG_TIMEZONE, "Asia/Kolkata", err));
		real_says(r, b, "TZif");
	}
	b = real_builder(r, "true");
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_TIMEZONE, "Atlantis/Capital", err));
	c = real_create_from(r, b);
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	real_remove(c, 0);
}

static void test_user_mounts_win(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "cat /etc/hosts");
	char path[200], bind[300], **list = NULL;
	ctr_container_t *c;
	int fd;

	snprintf(path, sizeof(path), "%s/own-hosts", r->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "my own\n", 7), 7);
	close(fd);
	snprintf(bind, sizeof(bind), "%s:/etc/hosts", path);
	OK(ctr_config_builder_add_str(b, CTR_SPEC_BIND, bind, err));
	c = real_create_from(r, b);
	OK(ctr_container_init(c, 0, err));
	OK(ctr_container_bind_mounts(c, &list, err));
	for (size_t i = 0; list[i]; i += 2)
		assert_string_not_equal(list[i], "/etc/hosts");
	ctr_strv_free(list);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 0);
	real_await_log(c, "my own");
	real_remove(c, 0);
}

static void test_read_only(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = as_user(r, "4000",
	    "busybox whoami; for f in /etc/hosts /etc/hostname /etc/passwd /run/secrets/x; do "
	    "(echo x >>$f) 2>/dev/null && echo written; done; ls -a /etc/mtab 2>/dev/null; true");

	put_users(r);
	OK(ctr_config_builder_set_bool(b, CTR_CONFIG_READ_ONLY, 1, err));
	real_says(r, b, "4000\n");
	/* Writable otherwise, and gone with the run. */
	real_says(r, real_builder(r, "echo 192.0.2.1 x >>/etc/hosts && echo written"), "written\n");
	real_says(r, real_builder(r, "grep -c 192.0.2.1 /etc/hosts; true"), "0\n");
}

/* ---- a network that is shared ---- */

static void test_shared_files(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, IGNORES_TERM);
	ctr_container_t *owner, *c, *d;
	char *hosts, *run_dir = NULL;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "owner", err));
	owner = real_create_from(r, b);
	OK(ctr_container_start(owner, 0, err));
	OK(ctr_container_run_dir(owner, &run_dir, err));
	b = real_builder(r, IGNORES_TERM);
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "second", err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NET_NS_CTR, ctr_container_id(owner), err));
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	/* A third one, by way of the second. */
	b = real_builder(r, "cat /etc/hosts");
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "third", err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NET_NS_CTR, ctr_container_id(c), err));
	d = real_create_from(r, b);
	OK(ctr_container_rename(c, "2nd", err));
	OK(ctr_container_start(d, 0, err));
	assert_int_equal(real_wait(d), 0);
	real_await_log(d, "127.0.0.1\t2nd");
	OK(ctr_container_rename(c, "second", err));
	real_await_log(d, "127.0.0.1\tthird");
	OK(ctr_container_cleanup(d, 0, err));
	hosts = real_slurp("%s/hosts", run_dir);
	assert_has(hosts, "\n127.0.0.1\tsecond\n");
	assert_null(strstr(hosts, "third"));
	free(hosts);
	real_remove(d, 0);
	real_remove(c, CTR_REMOVE_FORCE);
	hosts = real_slurp("%s/hosts", run_dir);
	assert_null(strstr(hosts, "second"));
	assert_has(hosts, " owner\n");
	free(hosts);
	ctr_free(run_dir);
	real_remove(owner, CTR_REMOVE_FORCE);
}

/* ---- the working directory ---- */

static ctr_container_t *in_dir(const struct real *r, const char *dir, bool make)
{
	ctr_config_builder_t *b = real_builder(r, "pwd; ls -ld . | { read a b c; echo $a; }");

	OK(ctr_config_builder_set_str(b, CTR_SPEC_WORKDIR, dir, err));
	OK(ctr_config_builder_set_bool(b, CTR_CONFIG_CREATE_WORKING_DIR, make, err));
	return real_create_from(r, b);
}

static void test_working_directory(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = in_dir(r, "/not/there", false);
	ctr_error_t *why = NULL;
	mode_t mask = umask(077);

	assert_int_equal(ctr_container_start(c, 0, &why), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(why, "field"), "spec.process.cwd");
	assert_has(ctr_error_message(why), "\"/not/there\" does not exist");
	ctr_error_free(why);
	assert_state(c, CTR_STATE_CONFIGURED);
	real_remove(c, 0);
	c = in_dir(r, "/bin/busybox", true);
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	real_remove(c, 0);
	c = in_dir(r, "/new/and/deep", true);
	OK(ctr_container_start(c, 0, err));
	umask(mask);
	assert_int_equal(real_wait(c), 0);
	real_await_log(c, "/new/and/deep");
	real_await_log(c, "drwxr-xr-x");
	real_remove(c, 0);
}

/* ---- root file systems that lead out ---- */

/* Everything below a directory of the host, by name, size and time. */
static void fingerprint(int dir, char *out, size_t size)
{
	DIR *d = fdopendir(dup(dir));
	size_t len = 0;
	struct dirent *e;

	out[0] = '\0';
	assert_non_null(d);
	rewinddir(d);
	while ((e = readdir(d))) {
		struct stat st;

		assert_int_equal(fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
		if (strcmp(e->d_name, "..") != 0)
			len += (size_t)snprintf(out + len, size - len, "%s %lld %lld\n", e->d_name,
			    (long long)st.st_size, (long long)st.st_mtim.tv_nsec);
		assert_true(len < size);
	}
	closedir(d);
}

struct hostile {
	const char *what;
	const char *link; /* in the root, to `target`; the name may be there already */
	const char *target;
	const char *user, *workdir;
	int32_t code; /* 0: runs, and says "ran" */
};

static void assert_contained(const struct real *r, const struct hostile *h, int outside)
{
	ctr_config_builder_t *b = real_builder(r, "echo ran");
	char before[2000], after[2000];
	ctr_container_t *c;
	int result;

	print_message("%s\n", h->what);
	if (h->user)
		OK(ctr_config_builder_set_str(b, CTR_CONFIG_USER, h->user, err));
	if (h->workdir)
		OK(ctr_config_builder_set_str(b, CTR_SPEC_WORKDIR, h->workdir, err));
	OK(ctr_config_builder_set_bool(b, CTR_CONFIG_CREATE_WORKING_DIR, 1, err));
	fingerprint(outside, before, sizeof(before));
	c = real_create_from(r, b);
	result = ctr_container_start(c, 0, NULL);
	assert_int_equal(result, h->code);
	if (result == 0) {
		assert_int_equal(real_wait(c), 0);
		real_await_log(c, "ran");
	}
	real_remove(c, 0);
	fingerprint(outside, after, sizeof(after));
	assert_string_equal(before, after);
}

static void test_hostile_roots(void **state)
{
	struct real *r = *state;
	char outside[200], path[300];
	const struct hostile rows[] = {
	    {"passwd is a link to a file outside", "etc/passwd", outside, "evil", NULL,
	        CTR_E_INVALID},
	    {"passwd is a link up and out", "etc/passwd", "../../outside/passwd", "evil", NULL,
	        CTR_E_INVALID},
	    {"working directory is a link out", "w", outside, NULL, "/w/new", CTR_E_INVALID},
	    {"working directory is a link up", "w", "../../../../outside", NULL, "/w/new",
	        CTR_E_INVALID},
	    {"hosts is a link out", "etc/hosts", "../../outside/hosts", NULL, NULL, 0},
	    {"mtab is a link out", "etc/mtab", "../../outside/mtab", NULL, NULL, 0},
	};
	int fd;

	snprintf(outside, sizeof(outside), "%s/outside", r->dir);
	assert_int_equal(mkdir(outside, 0755), 0);
	fd = open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/passwd", outside);
	{
		FILE *f = fopen(path, "we");

		fputs("evil:x:0:0::/:/bin/sh\n", f);
		fclose(f);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->rootfs, rows[i].link);
		(void)unlink(path);
		assert_int_equal(symlink(rows[i].target, path), 0);
		assert_contained(r, &rows[i], fd);
		/* What the runtime made of it for its mounts is inside. */
		(void)unlink(path);
	}
	close(fd);
}

/* Neither waits nor reads what is no file. */
static void test_no_regular_files(void **state)
{
	struct real *r = *state;
	char path[300];
	ctr_container_t *c;

	snprintf(path, sizeof(path), "%s/etc/passwd", r->rootfs);
	assert_int_equal(mkfifo(path, 0644), 0);
	c = real_create_from(r, as_user(r, "bob", "true"));
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	real_remove(c, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	/* Numbers need no look-up, but the OCI runtime opens the file. */
	c = real_create_from(r, as_user(r, "7", "true"));
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	real_remove(c, 0);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/etc/group", r->rootfs);
	assert_int_equal(mkfifo(path, 0644), 0);
	c = real_create(r, "true");
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	real_remove(c, 0);
}

/* The directory of all these files leads up, to the root itself. */
static void test_etc_leads_up(void **state)
{
	struct real *r = *state;
	char path[300], *text;

	snprintf(path, sizeof(path), "%s/etc", r->rootfs);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("..", path), 0);
	put(r, "passwd", "bob:x:12:13::/b:/bin/sh\n");
	snprintf(path, sizeof(path), "%s/passwd", r->dir);
	{
		FILE *f = fopen(path, "we");

		fputs("bob:x:0:0::/:/bin/sh\n", f);
		fclose(f);
	}
	real_says(r, as_user(r, "bob", "id -u; echo $HOME"), "12\n/b\n");
	assert_int_equal(unlink(path), 0);
	text = real_slurp("%s/hosts", r->dir);
	assert_string_equal(text, "");
	free(text);
	snprintf(path, sizeof(path), "%s/mtab", r->dir);
	assert_int_equal(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void test_mtab(void **state)
{
	struct real *r = *state;

	real_says(
	    r, real_builder(r, "readlink /etc/mtab; grep -c ' / ' /etc/mtab"), "/proc/mounts\n1\n");
	real_says(r, real_builder(r, "readlink /etc/mtab"), "/proc/mounts\n");
}

/* ---- nothing is left ---- */

/* A host that dies at any time between init and the end: the next one cleans up. */
static void die_after_start(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_get(r->rt, arg, &c, err));
	OK(ctr_container_init(c, 0, err));
	kill(getpid(), 9);
}

static void test_killed_host(void **state)
{
	struct real *r = *state;
	ctr_container_t *owner = real_start(r, IGNORES_TERM), *c;
	ctr_config_builder_t *b = real_builder(r, "true");
	char *run_dir = NULL, *owner_dir = NULL, *hosts, id[80];
	int status;
	pid_t pid;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "guest", err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_NET_NS_CTR, ctr_container_id(owner), err));
	c = real_create_from(r, b);
	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	OK(ctr_container_run_dir(c, &run_dir, err));
	OK(ctr_container_run_dir(owner, &owner_dir, err));
	pid = real_fork(r, die_after_start, id);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	hosts = real_slurp("%s/hosts", owner_dir);
	assert_has(hosts, "127.0.0.1\tguest\n");
	free(hosts);
	real_remove(c, CTR_REMOVE_FORCE);
	assert_int_equal(access(run_dir, F_OK), -1);
	hosts = real_slurp("%s/hosts", owner_dir);
	assert_null(strstr(hosts, "guest"));
	free(hosts);
	ctr_free(run_dir);
	ctr_free(owner_dir);
	real_remove(owner, CTR_REMOVE_FORCE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_user_by_name),
	    TEST(test_number_without_entry),
	    TEST(test_no_passwd_at_all),
	    TEST(test_more_groups),
	    TEST(test_home_and_umask_given),
	    TEST(test_host_users),
	    TEST(test_hosts),
	    TEST(test_resolv_conf),
	    TEST(test_containerenv_and_secrets),
	    TEST(test_localtime),
	    TEST(test_user_mounts_win),
	    TEST(test_read_only),
	    TEST(test_shared_files),
	    TEST(test_working_directory),
	    TEST(test_hostile_roots),
	    TEST(test_no_regular_files),
	    TEST(test_etc_leads_up),
	    TEST(test_mtab),
	    TEST(test_killed_host),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
