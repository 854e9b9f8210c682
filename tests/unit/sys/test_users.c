/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups of a root file system, well-formed and hostile. */
#include "sys_test.h"

#include "sys/users.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "bob:x:1000:1001:Bob:/home/bob:/bin/sh\n"
                             "bob:x:7:7::/second:/bin/sh\n"
                             "nohome:x:1002:5::\n"
                             "42:x:43:44::/named-by-number:\n";
static const char group[] = "root:x:0:\n"
                            "wheel:x:10:root,bob\n"
                            "audio:x:9:bobby,bob\n"
                            "again:x:10:bob\n"
                            "users:x:100:bobby\n"
                            "bob:x:1001:";

static struct ctr__users users_of(const char *p, const char *g)
{
	return (struct ctr__users){
	    .passwd = p ? strdup(p) : NULL,
	    .group = g ? strdup(g) : NULL,
	    .passwd_len = p ? strlen(p) : 0,
	    .group_len = g ? strlen(g) : 0,
	    .passwd_errno = p ? 0 : ENOENT,
	    .group_errno = g ? 0 : ENOENT,
	};
}

static void groups_text(const struct ctr__user *u, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < u->groups_n; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%u", i ? "," : "", u->groups[i]);
}

static void test_lookup(void **state)
{
	const struct {
		const char *user;
		const char *const *more;
		uint32_t uid, gid;
		const char *name, *home, *groups;
		bool gid_known;
	} rows[] = {
	    {NULL, NULL, 0, 0, "root", "/root", "10", true},
	    {"root", NULL, 0, 0, "root", "/root", "10", true},
	    {"0", NULL, 0, 0, "root", "/root", "10", true},
	    {"bob", NULL, 1000, 1001, "bob", "/home/bob", "9,10", true},
	    {"1000", NULL, 1000, 1001, "bob", "/home/bob", "9,10", true},
	    {"0001000", NULL, 1000, 1001, "bob", "/home/bob", "9,10", true},
	    {"bob:audio", NULL, 1000, 9, "bob", "/home/bob", "", true},
	    {"bob:77", NULL, 1000, 77, "bob", "/home/bob", "", false},
	    {"bob:0", LIST("wheel", "77", "77"), 1000, 0, "bob", "/home/bob", "10,77", true},
	    {"bob", LIST("5", "users"), 1000, 1001, "bob", "/home/bob", "5,9,10,100", true},
	    {"nohome", NULL, 1002, 5, "nohome", "/", "", false},
	    {"555", NULL, 555, 0, NULL, "/", "", true},
	    {"555:556", LIST("1"), 555, 556, NULL, "/", "1", false},
	    {"42", NULL, 42, 0, NULL, "/", "", true}, /* a number is never a name */
	    {"4294967294", NULL, 4294967294U, 0, NULL, "/", "", true},
	};
	struct ctr__users u = users_of(passwd, group);

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		struct ctr__user out;
		char groups[100];

		assert_int_equal(
		    ctr__users_find(&u, rows[i].user, 0, 0, rows[i].more, &out, NULL), 0);
		assert_int_equal(out.uid, rows[i].uid);
		assert_int_equal(out.gid, rows[i].gid);
		assert_int_equal(!out.name, !rows[i].name);
		if (out.name)
			assert_string_equal(out.name, rows[i].name);
		assert_string_equal(out.home, rows[i].home);
		groups_text(&out, groups, sizeof(groups));
		assert_string_equal(groups, rows[i].groups);
		assert_int_equal(out.gid_known, rows[i].gid_known);
		ctr__user_free(&out);
	}
	ctr__users_free(&u);
}

static void fails(const struct ctr__users *u, const char *user, const char *const *more,
    const char *field, const char *says)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__user out;

	assert_int_equal(ctr__users_find(u, user, 0, 0, more, &out, &err), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(err, "field"), field);
	assert_non_null(strstr(ctr_error_message(err), says));
	assert_null(out.home);
}

static void test_not_found(void **state)
{
	struct ctr__users u = users_of(passwd, group), none = users_of(NULL, NULL);

	(void)state;
	fails(&u, "alice", NULL, "user", "\"alice\" has no entry");
	fails(&u, "bo", NULL, "user", "no entry");
	fails(&u, "bob:nobody", NULL, "user", "\"nobody\" has no entry");
	fails(&u, "bob", LIST("nobody"), "groups", "\"nobody\" has no entry");
	fails(&u, "4294967295", NULL, "user", "no ID");
	fails(&u, "18446744073709551616", NULL, "user", "no ID");
	fails(&u, "1:99999999999", NULL, "user", "no ID");
	fails(&u, "1", LIST("99999999999"), "groups", "no ID");
	fails(&none, "bob", NULL, "user", "no /etc/passwd");
	fails(&none, "1:g", NULL, "user", "no /etc/group");
	none.passwd_errno = EINVAL;
	fails(&none, "bob", NULL, "user", "cannot be read");
	ctr__users_free(&u);
}

/* Lines that are not well-formed must not count as somebody, least of all as root. */
static void test_hostile_lines(void **state)
{
	static const char bad[] = "\n:\n:::::\n:x:0:0:::\nshort:x:5\nempty:x::0::/:\n"
	                          "minus:x:-1:0::/:\nbig:x:99999999999999999999:0::/:\n"
	                          "wrap:x:4294967296:0::/:\nlast:x:4294967295:0::/:\n"
	                          "hex:x:0x0:0::/:\nblank:x: 0:0::/:\ngid:x:1:x::/:\n"
	                          "good:x:8:9:::";
	static const char *const names[] = {
	    "short", "empty", "minus", "big", "wrap", "last", "hex", "blank", "gid"};
	static const char nul[] = "evil\0:x:0:0::/:\nevil:x:0:0\0::/:\n";
	struct ctr__users u = users_of(bad, "g:x\ng:x:\n:x:0:good\ng:x:-1:good\ng2:x:2:,,good,");
	struct ctr__user out;
	struct ctr__passwd e;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++)
		fails(&u, names[i], NULL, "user", "no entry");
	fails(&u, "good:g", NULL, "user", "no entry");
	assert_int_equal(ctr__users_find(&u, "good", 0, 0, NULL, &out, NULL), 0);
	assert_int_equal(out.uid, 8);
	assert_int_equal(out.gid, 9);
	assert_int_equal(out.groups_n, 1);
	assert_int_equal(out.groups[0], 2);
	ctr__user_free(&out);
	ctr__users_free(&u);

	u = (struct ctr__users){.passwd = (char *)(uintptr_t)nul, .passwd_len = sizeof(nul) - 1};
	assert_false(ctr__users_passwd(&u, "evil", 0, &e));
	assert_false(ctr__users_passwd(&u, NULL, 0, &e));
}

static void test_many_entries(void **state)
{
	CTR__BUF struct ctr__buf p = {0}, g = {0};
	struct ctr__users u;
	struct ctr__user out;

	(void)state;
	for (int i = 0; i < 65536; i++) {
		ctr__buf_addf(&p, "u%d:x:%d:%d::/home/u%d:/bin/sh\n", i, i, i, i);
		ctr__buf_addf(&g, "g%d:x:%d:u65535\n", 65535 - i, 65535 - i);
	}
	u = users_of(p.data, g.data);
	assert_int_equal(ctr__users_find(&u, "u65535", 0, 0, NULL, &out, NULL), 0);
	assert_int_equal(out.uid, 65535);
	assert_int_equal(out.groups_n, 65536);
	for (uint32_t i = 0; i < 65536; i++)
		assert_int_equal(out.groups[i], i);
	ctr__user_free(&out);
	ctr__users_free(&u);
}

/* ---- reading ---- */

static void read_users(const struct scratch *s, struct ctr__users *u)
{
	assert_int_equal(ctr__users_read(s->fd, u, NULL), 0);
}

static void test_read(void **state)
{
	struct scratch *s = *state;
	struct ctr__users u;

	read_users(s, &u);
	assert_null(u.passwd);
	assert_int_equal(u.passwd_errno, ENOENT);
	assert_int_equal(mkdirat(s->fd, "etc", 0755), 0);
	put_file(s->fd, "etc/passwd", passwd);
	put_file(s->fd, "etc/group", "");
	read_users(s, &u);
	assert_string_equal(u.passwd, passwd);
	assert_int_equal(u.group_len, 0);
	assert_int_equal(u.group_errno, 0);
	ctr__users_free(&u);
}

/* Links lead nowhere but into the root; nothing but a regular file is opened. */
static void test_read_hostile(void **state)
{
	struct scratch *s = *state;
	struct ctr__users u;

	assert_int_equal(mkdirat(s->fd, "etc", 0755), 0);
	assert_int_equal(symlinkat("/etc/shadow", s->fd, "etc/passwd"), 0);
	assert_int_equal(symlinkat("../../../../../../etc/group", s->fd, "etc/group"), 0);
	read_users(s, &u);
	assert_null(u.passwd);
	assert_int_equal(u.passwd_errno, ENOENT);
	assert_int_equal(u.group_errno, ELOOP);

	assert_int_equal(unlinkat(s->fd, "etc/passwd", 0), 0);
	assert_int_equal(unlinkat(s->fd, "etc/group", 0), 0);
	assert_int_equal(mkfifoat(s->fd, "etc/passwd", 0644), 0);
	assert_int_equal(mkdirat(s->fd, "etc/group", 0755), 0);
	read_users(s, &u);
	assert_int_equal(u.passwd_errno, EINVAL);
	assert_int_equal(u.group_errno, EINVAL);

	assert_int_equal(unlinkat(s->fd, "etc/passwd", 0), 0);
	put_file(s->fd, "etc/passwd", "");
	{
		CTR__FREE char *path = ctr__format("%s/etc/passwd", s->path);

		assert_int_equal(truncate(path, CTR__USERS_FILE_MAX + 1), 0);
	}
	read_users(s, &u);
	assert_int_equal(u.passwd_errno, EFBIG);
}

/* More groups than any process can have. */
static void test_endless_groups(void **state)
{
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__users u = {.passwd = strdup("bob:x:1:1:::\n"), .passwd_len = 13};
	struct ctr__user user;

	(void)state;
	for (int n = 65536; n <= 65537; n++) {
		CTR__ERROR ctr_error_t *err = NULL;

		text.len = 0;
		for (int i = 0; i < n; i++)
			ctr__buf_addf(&text, "g%d:x:%d:bob\n", i, i);
		u.group = text.data;
		u.group_len = text.len;
		if (n == 65536) {
			assert_int_equal(ctr__users_find(&u, "bob", 0, 0, NULL, &user, &err), 0);
			assert_int_equal(user.groups_n, n);
			ctr__user_free(&user);
			continue;
		}
		assert_int_equal(
		    ctr__users_find(&u, "bob", 0, 0, NULL, &user, &err), CTR_E_INVALID);
		assert_non_null(strstr(ctr_error_message(err), "\"bob\" is in more groups"));
		assert_null(user.groups);
	}
	free(u.passwd);
}

/* The directory itself leads out. */
static void test_read_outside(void **state)
{
	struct scratch *s = *state;
	struct ctr__users u;

	assert_int_equal(symlinkat("..", s->fd, "etc"), 0);
	put_file(s->fd, "passwd", passwd);
	read_users(s, &u);
	assert_string_equal(u.passwd, passwd);
	assert_int_equal(u.group_errno, ENOENT);
	ctr__users_free(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lookup),
	    cmocka_unit_test(test_not_found),
	    cmocka_unit_test(test_hostile_lines),
	    cmocka_unit_test(test_many_entries),
	    cmocka_unit_test(test_endless_groups),
	    cmocka_unit_test_setup_teardown(test_read, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(test_read_hostile, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(test_read_outside, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
