/* SPDX-License-Identifier: Apache-2.0 */
/* Hook directories: which files count, whom they apply to, what precreate hooks may do. */
#include "gen_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/hooks.h"
#include "sys/path.h"

#define HOOK(when, stages) \
	"{'version':'1.0.0','hook':{'path':'/bin/true'},'when':" when ",'stages':[" stages "]}"

/* ---- one document ---- */

static int check(const char *text, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of(text);

	return ctr__hook_check(d->root, "/x.json", err);
}

static void test_documents(void **state)
{
	static const struct {
		const char *text, *field;
	} bad[] = {
	    {"[]", "version"},
	    {"{}", "version"},
	    {"{'version':1}", "version"},
	    {"{'version':'1.0.0'}", "hook"},
	    {"{'version':'1.0.0','hook':[]}", "hook"},
	    {"{'version':'1.0.0','hook':{}}", "hook.path"},
	    {"{'version':'1.0.0','hook':{'path':'true'}}", "hook.path"},
	    {"{'version':'1.0.0','hook':{'path':'/bin/true','args':'x'}}", "hook.args"},
	    {"{'version':'1.0.0','hook':{'path':'/bin/true','env':[1]}}", "hook.env"},
	    {"{'version':'1.0.0','hook':{'path':'/bin/true','timeout':0}}", "hook.timeout"},
	    {"{'version':'1.0.0','hook':{'path':'/bin/true','timeout':1.5}}", "hook.timeout"},
	    {"{'version':'1.0.0','hook':{'path':'/bin/true'}}", "when"},
	    {HOOK("1", "'prestart'"), "when"},
	    {HOOK("{'always':1}", "'prestart'"), "when.always"},
	    {HOOK("{'hasBindMounts':'x'}", "'prestart'"), "when.hasBindMounts"},
	    {HOOK("{'annotations':[]}", "'prestart'"), "when.annotations"},
	    {HOOK("{'annotations':{'a':1}}", "'prestart'"), "when.annotations"},
	    {HOOK("{'annotations':{'(':'x'}}", "'prestart'"), "when.annotations"},
	    {HOOK("{'commands':['[']}", "'prestart'"), "when.commands"},
	    {HOOK("{'commands':'x'}", "'prestart'"), "when.commands"},
	    {HOOK("{}", ""), "stages"},
	    {HOOK("{}", "'poststart','never'"), "stages"},
	    {HOOK("{}", "1"), "stages"},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		ASSERT_FAILS(check(bad[i].text, err), CTR_E_INVALID, bad[i].field);
	ASSERT_FAILS(check("{'version':'2.0.0'}", err), CTR_E_UNSUPPORTED, "version");
	ASSERT_FAILS(check("{'version':'1.0.0','hook':{'path':'/nonexistent/x'},'when':{}}", err),
	    CTR_E_SYSTEM, "hook.path");
	assert_int_equal(check(HOOK("{'future':1}", "'prestart','createRuntime','createContainer',"
	                                            "'startContainer','poststart','poststop',"
	                                            "'precreate'"),
	                     NULL),
	    0);
}

/* ---- matching ---- */

static void matches(const char *when, int expected)
{
	CTR__JSON_DOC struct ctr__json_doc *annotations =
	    doc_of("{'org.x.key':'value','other':'true'}");
	CTR__FREE char *text = ctr__format(HOOK("%s", "'prestart'"), when);
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of(text);
	const struct ctr__hook_subject s = {annotations->root, "/usr/bin/sh", true};

	assert_int_equal(ctr__hook_check(d->root, "x", NULL), 0);
	assert_int_equal(ctr__hook_matches(d->root, &s, NULL), expected);
}

static void test_conditions(void **state)
{
	(void)state;
	matches("{}", 0);
	matches("{'or':true}", 0);
	matches("{'always':true}", 1);
	matches("{'always':false}", 0);
	matches("{'hasBindMounts':true}", 1);
	matches("{'hasBindMounts':false}", 0);
	matches("{'commands':['^/bin/','/sh$']}", 1);
	matches("{'commands':['^sh']}", 0);
	matches("{'commands':[]}", 0);
	matches("{'annotations':{'key':'^value$'}}", 1);
	matches("{'annotations':{'^key':'value'}}", 0);
	/* The key of one and the value of another do not make a match. */
	matches("{'annotations':{'key':'true'}}", 0);
	matches("{'annotations':{'key':'value','^other$':'.'}}", 1);
	matches("{'annotations':{'key':'value','none':'.'}}", 0);
	matches("{'annotations':{'key':'value','none':'.'},'or':true}", 1);
	matches("{'always':true,'commands':['nothing']}", 0);
	matches("{'always':true,'commands':['nothing'],'or':true}", 1);
	matches("{'always':false,'commands':['sh'],'or':true}", 1);
}

static char *long_text(size_t n)
{
	char *s = malloc(n + 1);

	assert_non_null(s);
	for (size_t i = 0; i < n; i++)
		s[i] = "nvidia"[i % 6];
	s[n] = '\0';
	return s;
}

/* The time for such a pattern grows with the square of the text, and the text may come from an image: it is neither
 * compared for hours nor passed by the hook. */
static void test_long_texts(void **state)
{
	static const char when[] =
	    "{'commands':['nvidia.*gpu'],'annotations':{'^key$':'nvidia.*gpu'},'or':true}";
	CTR__FREE char *text = ctr__format(HOOK("%s", "'prestart'"), when);
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of(text);
	CTR__FREE char *huge = long_text(4 << 20), *fits = long_text(8 << 10);
	const struct {
		const char *command, *key, *value;
		int expected;
	} rows[] = {
	    {huge, "key", "", CTR_E_INVALID},
	    {"sh", "key", huge, CTR_E_INVALID},
	    {"sh", huge, "", CTR_E_INVALID},
	    {"sh", "other", huge, 0}, /* nothing of the hook's business */
	    {fits, "key", fits, 0},
	    {"nvidia-gpu", "key", "", 1},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		CTR__JSON_DOC struct ctr__json_doc *a = doc_of("{}");
		const struct ctr__hook_subject s = {a->root, rows[i].command, false};
		CTR__ERROR ctr_error_t *err = NULL;

		assert_non_null(
		    ctr__json_set(a, a->root, rows[i].key, ctr__json_new_str(a, rows[i].value)));
		assert_int_equal(ctr__hook_matches(d->root, &s, &err), rows[i].expected);
		if (rows[i].expected < 0)
			assert_non_null(strstr(ctr_error_message(err), "too long"));
	}
}

/* ---- directories ---- */

struct dirs {
	char path[64], one[80], two[80], missing[80];
	const char *list[4];
};

static void write_file(const char *dir, const char *name, mode_t mode, const char *text)
{
	CTR__FREE char *path = ctr__path_join(dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	for (; *text; text++)
		assert_int_equal(write(fd, *text == '\'' ? "\"" : text, 1), 1);
	close(fd);
}

static void make_dirs(struct dirs *d)
{
	strcpy(d->path, "/tmp/ctr-unit-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	snprintf(d->one, sizeof(d->one), "%s/one", d->path);
	snprintf(d->two, sizeof(d->two), "%s/two", d->path);
	snprintf(d->missing, sizeof(d->missing), "%s/missing", d->path);
	assert_int_equal(mkdir(d->one, 0755), 0);
	assert_int_equal(mkdir(d->two, 0755), 0);
	d->list[0] = d->one;
	d->list[1] = d->missing;
	d->list[2] = d->two;
	d->list[3] = NULL;
}

static void remove_dirs(struct dirs *d)
{
	CTR__CLOSE int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(ctr__remove_tree_at(tmp, d->path + strlen("/tmp/")), 0);
}
#define DIRS CTR__CLEANUP(remove_dirs) struct dirs

#define ALWAYS(stage) HOOK("{'always':true}", "'" stage "'")

static void test_later_directories_win(void **state)
{
	DIRS d;
	CTR__HOOK_LIST struct ctr__hook_list list = {0}, none = {0};

	(void)state;
	make_dirs(&d);
	write_file(d.one, "b.json", 0644, ALWAYS("prestart"));
	write_file(d.one, "c.json", 0644, "not even JSON");
	write_file(d.one, "readme", 0644, "");
	write_file(d.one, ".hidden.json", 0644, "");
	write_file(d.one, ".json", 0644, "");
	write_file(d.two, "c.json", 0644, ALWAYS("poststop"));
	write_file(d.two, "a.json", 0644, HOOK("{'always':false}", "'prestart'"));
	assert_int_equal(ctr__hook_list_read(d.list, &list, NULL), 0);
	assert_int_equal(list.n, 3);
	assert_string_equal(list.v[0].name, "a.json");
	assert_string_equal(list.v[1].name, "b.json");
	assert_ptr_equal(strstr(list.v[2].path, d.two), list.v[2].path);
	assert_int_equal(ctr__hook_list_select(&list, &(struct ctr__hook_subject){0}, NULL), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.v[1].name, "c.json");
	assert_int_equal(ctr__hook_list_read(NULL, &none, NULL), 0);
	assert_int_equal(none.n, 0);
}

static void refused(struct dirs *d, const char *name)
{
	CTR__HOOK_LIST struct ctr__hook_list list = {0};
	CTR__ERROR ctr_error_t *err = NULL;
	CTR__FREE char *path = ctr__path_join(d->one, name);

	assert_true(ctr__hook_list_read(d->list, &list, &err) < 0);
	assert_string_equal(ctr_error_get(err, "path"), path);
	assert_non_null(strstr(ctr_error_message(err), name));
	assert_int_equal(list.n, 0);
	unlink(path);
	rmdir(path);
}

static void test_bad_files_are_named(void **state)
{
	DIRS d;
	CTR__FREE char *path = NULL;

	(void)state;
	make_dirs(&d);
	write_file(d.one, "1.json", 0644, "{");
	refused(&d, "1.json");
	write_file(d.one, "2.json", 0644, "");
	refused(&d, "2.json");
	path = ctr__path_join(d.one, "3.json");
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(&d, "3.json");
	path[strlen(path) - strlen("3.json")] = '4';
	assert_int_equal(mkdir(path, 0700), 0);
	refused(&d, "4.json");
	path[strlen(path) - strlen("4.json")] = '5';
	assert_int_equal(symlink("nowhere", path), 0);
	refused(&d, "5.json");
	path[strlen(path) - strlen("5.json")] = '6';
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), 0);
	assert_int_equal(truncate(path, (1 << 20) + 1), 0);
	refused(&d, "6.json");
}

/* ---- generation ---- */

/* A script, as executable file "x" of the first directory. */
static const char *script(struct dirs *d, const char *text)
{
	static char named[90];

	write_file(d->one, "x", 0755, text);
	snprintf(named, sizeof(named), "%s/x", d->one);
	return named;
}

static void precreate(struct dirs *d, const char *text, const char *more)
{
	CTR__FREE char *hook = ctr__format(
	    "{'version':'1.0.0','hook':{'path':'%s'%s},'when':{'always':true},'stages':["
	    "'precreate']}",
	    script(d, text), more);

	write_file(d->two, "p.json", 0644, hook);
}

static int fails(struct run *r, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf out = {0};
	int code = ctr__spec_generate(&r->cfg, &r->facts, &out, &r->result, err);

	assert_int_equal(out.len, 0);
	assert_null(r->result.stage_hooks);
	return code;
}

static void test_stages_go_into_the_spec(void **state)
{
	struct run *r = *state;
	DIRS d;

	make_dirs(&d);
	write_file(d.one, "1.json", 0644,
	    "{'version':'1.0.0','hook':{'path':'/bin/true','args':['true','x'],'env':['A=b'],"
	    "'timeout':3,'other':1},'when':{'annotations':{'^a$':'b'}},"
	    "'stages':['poststart','poststop','createRuntime','createContainer']}");
	write_file(d.one, "2.json", 0644, ALWAYS("poststart"));
	write_file(d.one, "3.json", 0644, HOOK("{'hasBindMounts':true}", "'prestart'"));
	r->facts.hooks_dirs = d.list;
	generate(r);
	assert_json(AT(r->doc, "hooks"), "{'poststart':[{'path':'/bin/true'}]}");
	assert_true(r->result.start_hooks);
	assert_null(r->result.stage_hooks);
	set_spec(r, "{" PROCESS ",'annotations':{'a':'b'},'hooks':{'poststop':[{'path':'/mine'}]},"
	            "'mounts':[{'destination':'/x','options':['rbind']}]}");
	generate(r);
	assert_json(AT(r->doc, "hooks", "poststop"),
	    "[{'path':'/mine'},{'path':'/bin/true','args':['true','x'],'env':['A=b'],"
	    "'timeout':3}]");
	assert_int_equal(AT(r->doc, "hooks", "poststart")->count, 2);
	assert_json(AT(r->doc, "hooks", "prestart"), "[{'path':'/bin/true'}]");
	/* What libctr itself annotates or mounts is not a condition. */
	write_file(
	    d.one, "1.json", 0644, HOOK("{'annotations':{'manager':'libctr'}}", "'createRuntime'"));
	generate(r);
	assert_null(AT(r->doc, "hooks", "createRuntime"));
}

static void test_precreate_filters(void **state)
{
	struct run *r = *state;
	DIRS d;

	make_dirs(&d);
	precreate(&d, "#!/bin/sh\nexec /bin/sed -e s/\\\"x\\\"/\\\"$W\\\"/\n", ",'env':['W=yy']");
	r->facts.hooks_dirs = d.list;
	generate(r);
	assert_json(AT(r->doc, "process", "args"), "['yy']");
	assert_non_null(strstr(r->result.stage_hooks, "{\"precreate\":[{\"path\":\"/tmp/"));
	free(r->result.stage_hooks);
	r->result.stage_hooks = NULL;
	/* Later steps see the new one, and a long spec passes. */
	CTR__FREE char *big = malloc(400000);
	assert_non_null(big);
	memset(big, 'b', 399999);
	big[399999] = '\0';
	CTR__FREE char *text = ctr__format("{" PROCESS ",'x':'%s'}", big);
	set_spec(r, text);
	generate(r);
	assert_int_equal(AT(r->doc, "x")->len, 399999);
	assert_int_equal(AT(r->doc, "process", "rlimits")->count, 2);
	free(r->result.stage_hooks);
	r->result.stage_hooks = NULL;
}

static void filter_fails(
    struct run *r, struct dirs *d, const char *text, const char *more, int code, const char *says)
{
	CTR__ERROR ctr_error_t *e = NULL;
	CTR__FREE char *path = ctr__path_join(d->one, "x");

	precreate(d, text, more);
	assert_int_equal(fails(r, &e), code);
	assert_string_equal(ctr_error_get(e, "path"), path);
	assert_non_null(strstr(ctr_error_message(e), path));
	if (!strstr(ctr_error_message(e), says))
		fail_msg("%s", ctr_error_message(e));
}

static void test_precreate_is_not_trusted(void **state)
{
	struct run *r = *state;
	DIRS d;

	make_dirs(&d);
	r->facts.hooks_dirs = d.list;
	r->facts.cgroup_path = "/c";
	filter_fails(r, &d, "#!/bin/sh\necho nonsense\n", "", CTR_E_INVALID, "line 1");
	filter_fails(r, &d, "#!/bin/sh\n", "", CTR_E_INVALID, "the spec it printed");
	filter_fails(r, &d, "#!/bin/sh\necho '{}'\n", "", CTR_E_INVALID, "spec.ociVersion");
	filter_fails(r, &d, "#!/bin/sh\necho out of order >&2\nexit 3\n", "", CTR_E_FAILED,
	    "exit status 3: out of order");
	filter_fails(r, &d, "#!/bin/sh\nkill -9 $$\n", "", CTR_E_FAILED, "signal 9");
	filter_fails(
	    r, &d, "#!/bin/sh\nexec /bin/sed s,/mnt/root,/etc,\n", "", CTR_E_INVALID, "root.path");
	filter_fails(
	    r, &d, "#!/bin/sh\nexec /bin/sed s,/c,/d,\n", "", CTR_E_INVALID, "linux.cgroupsPath");
	filter_fails(r, &d, "#!/bin/sh\nexec /usr/bin/head -c 17000000 /dev/zero\n", "",
	    CTR_E_INVALID, "more than");
	filter_fails(r, &d, "#!/bin/sh\n/bin/sleep 1000 &\nwait\n", ",'timeout':1", CTR_E_TIMEOUT,
	    "in time");
	filter_fails(r, &d, "#!/nonexistent\n", "", CTR_E_SYSTEM, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_documents),
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_long_texts),
	    cmocka_unit_test(test_later_directories_win),
	    cmocka_unit_test(test_bad_files_are_named),
	    TEST(test_stages_go_into_the_spec),
	    TEST(test_precreate_filters),
	    TEST(test_precreate_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
