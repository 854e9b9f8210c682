/* SPDX-License-Identifier: Apache-2.0 */
/* Single steps of the generation: annotations, limits, hidden paths, tmpfs, propagation. */
#include "gen_test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/mount.h"
#include "sys/path.h"

#define OWN_MOUNT "'linux':{'namespaces':[{'type':'mount'}]}"

static int fails(struct run *r, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf out = {0};
	int code = ctr__spec_generate(&r->cfg, &r->facts, &out, &r->result, err);

	assert_int_equal(out.len, 0);
	return code;
}

/* ---- annotations ---- */

static void systemd_is_told_how_to_stop(void **state)
{
	struct run *r = *state;

	r->cfg.stop_signal = 3;
	r->cfg.stop_timeout = 7;
	r->facts.systemd_cgroup = true;
	r->cfg.created_ns = INT64_C(1500000000);
	set_spec(r, "{" PROCESS ",'annotations':null}");
	generate(r);
	assert_json(AT(r->doc, "annotations"),
	    "{'org.opencontainers.image.stopSignal':'3','io.container.manager':'libctr',"
	    "'io.kubernetes.cri-o.Created':'1970-01-01T00:00:01.5Z',"
	    "'org.systemd.property.KillSignal':'3',"
	    "'org.systemd.property.TimeoutStopUSec':'uint64 7000000'}");
	set_spec(r, "{" PROCESS ",'annotations':{'org.systemd.property.KillSignal':'9'}}");
	generate(r);
	assert_json(AT(r->doc, "annotations", "org.systemd.property.KillSignal"), "'9'");
	r->facts.systemd_cgroup = false;
	generate(r);
	assert_null(AT(r->doc, "annotations", "org.systemd.property.TimeoutStopUSec"));
}

static void labels_can_be_disabled(void **state)
{
	struct run *r = *state;
	const char *const opts[] = {"type:x_t", "disable", NULL};

	r->facts.process_label = "p:l";
	r->facts.mount_label = "m:l";
	r->cfg.label_opts = (struct ctr__cfg_list){opts, 2};
	generate(r);
	assert_null(AT(r->doc, "process", "selinuxLabel"));
	assert_null(AT(r->doc, "linux", "mountLabel"));
}

/* ---- limits ---- */

static void assert_rlimit(const struct ctr__json *one, const char *type, uint64_t limit)
{
	uint64_t hard, soft;

	assert_string_equal(ctr__json_str(ctr__json_get(one, "type")), type);
	assert_true(ctr__json_u64(ctr__json_get(one, "hard"), &hard));
	assert_true(ctr__json_u64(ctr__json_get(one, "soft"), &soft));
	assert_int_equal(hard, limit);
	assert_int_equal(soft, limit);
}

static void rlimits_need_no_privilege(void **state)
{
	struct run *r = *state;
	struct rlimit files, processes;
	uint64_t most = 1048576;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(getrlimit(RLIMIT_NPROC, &processes), 0);
	generate(r);
	assert_int_equal(AT(r->doc, "process", "rlimits")->count, 2);
	assert_rlimit(AT(r->doc, "process", "rlimits")->first, "RLIMIT_NOFILE",
	    files.rlim_max < most ? files.rlim_max : most);
	assert_rlimit(AT(r->doc, "process", "rlimits")->last, "RLIMIT_NPROC",
	    processes.rlim_max < most ? processes.rlim_max : most);
}

static void rlimits_of_the_user_stay(void **state)
{
	struct run *r = *state;

	set_spec(r, "{'ociVersion':'1','process':{'args':['x'],'rlimits':["
	            "{'type':'RLIMIT_NPROC','hard':5,'soft':4},{'type':'RLIMIT_CORE','hard':0,"
	            "'soft':0}]}}");
	generate(r);
	assert_int_equal(AT(r->doc, "process", "rlimits")->count, 3);
	assert_json(
	    AT(r->doc, "process", "rlimits")->first, "{'type':'RLIMIT_NPROC','hard':5,'soft':4}");
}

/* ---- hidden paths ---- */

static void powercap_is_hidden(void **state)
{
	struct run *r = *state;

	generate(r);
	assert_null(AT(r->doc, "linux", "maskedPaths"));
	set_spec(r, "{" PROCESS "," OWN_MOUNT "}");
	generate(r);
	assert_json(AT(r->doc, "linux", "maskedPaths"), "['/sys/devices/virtual/powercap']");
	set_spec(r, "{" PROCESS ",'linux':{'maskedPaths':['/a','/sys/devices/'],"
	            "'namespaces':[{'type':'mount'}]}}");
	generate(r);
	assert_json(AT(r->doc, "linux", "maskedPaths"), "['/a','/sys/devices/']");
	set_spec(r, "{" PROCESS ",'linux':{'maskedPaths':['/sys/devices/virtual/power'],"
	            "'namespaces':[{'type':'mount'}]}}");
	generate(r);
	assert_int_equal(AT(r->doc, "linux", "maskedPaths")->count, 2);
}

static void privileged_sees_everything(void **state)
{
	struct run *r = *state;

	r->cfg.privileged = true;
	generate(r);
	assert_null(AT(r->doc, "linux", "maskedPaths"));
	set_spec(r, "{" PROCESS ",'linux':{'maskedPaths':['/a'],'readonlyPaths':['/b'],"
	            "'namespaces':[{'type':'mount'}]}}");
	generate(r);
	assert_null(AT(r->doc, "linux", "maskedPaths"));
	assert_null(AT(r->doc, "linux", "readonlyPaths"));
}

/* ---- tmpfs ---- */

static void tmpfs_is_where_the_link_leads(void **state)
{
	struct run *r = *state;
	char root[] = "/tmp/ctr-unit-XXXXXX";
	CTR__CLOSE int fd = -1;

	assert_non_null(mkdtemp(root));
	fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkdirat(fd, "run", 0755), 0);
	assert_int_equal(mkdirat(fd, "var", 0755), 0);
	assert_int_equal(symlinkat("../../../run", fd, "var/run"), 0);
	assert_int_equal(symlinkat("loop", fd, "loop"), 0);
	assert_int_equal(symlinkat("/run", fd, "dev"), 0);
	r->facts.root_path = root;
	set_spec(r, "{" PROCESS ",'mounts':[{'destination':'/var/run/a/b','type':'tmpfs'},"
	            "{'destination':'/var/run','type':'tmpfs'},{'destination':'/var/run/c','type':"
	            "'bind','source':'/'},{'destination':'/dev','type':'tmpfs'}]}");
	generate(r);
	assert_json(AT(r->doc, "mounts"),
	    "[{'destination':'/run','type':'tmpfs'},{'destination':'/dev','type':'tmpfs'},"
	    "{'destination':'/run/a/b','type':'tmpfs'},"
	    "{'destination':'/var/run/c','type':'bind','source':'/'}]");
	set_spec(r, "{" PROCESS ",'mounts':[{'destination':'/loop/x','type':'tmpfs'}]}");
	ASSERT_FAILS(fails(r, err), CTR_E_SYSTEM, "spec.mounts");

	CTR__CLOSE int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ctr__remove_tree_at(tmp, root + strlen("/tmp/")), 0);
}

/* ---- propagation ---- */

#define VOLUME(option)                                                                         \
	"{" PROCESS ",'mounts':[{'destination':'/p','type':'bind','source':'/sys','options':[" \
	"'rbind','private']},{'destination':'/v','type':'bind','source':'/"                    \
	"proc','options':['rbind'"                                                             \
	",'" option "']}]}"

/* What is tried with mounts is done in a mount namespace of its own, where this thread stays. */
static void set_propagation(unsigned long flag)
{
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	if (flag)
		assert_int_equal(mount("none", "/proc", "none", flag, NULL), 0);
}

static void shared_volume_needs_a_shared_mount(void **state)
{
	struct run *r = *state;

	set_propagation(0);
	set_spec(r, VOLUME("rshared"));
	ASSERT_FAILS(fails(r, err), CTR_E_INVALID, "spec.mounts");
	set_spec(r, VOLUME("slave"));
	ASSERT_FAILS(fails(r, err), CTR_E_INVALID, "spec.mounts");
	set_spec(r, VOLUME("rprivate"));
	generate(r);
	assert_null(AT(r->doc, "linux"));
}

static void root_takes_part(void **state)
{
	struct run *r = *state;

	set_propagation(MS_SHARED);
	set_spec(r, VOLUME("shared"));
	generate(r);
	assert_json(AT(r->doc, "linux", "rootfsPropagation"), "'shared'");
	set_spec(r, VOLUME("rslave"));
	generate(r);
	assert_json(AT(r->doc, "linux", "rootfsPropagation"), "'rslave'");
	set_spec(r, VOLUME("rslave','rshared"));
	generate(r);
	assert_json(AT(r->doc, "linux", "rootfsPropagation"), "'shared'");
	/* What the user has chosen is kept if it is enough. */
	set_spec(r, "{" PROCESS ",'linux':{'rootfsPropagation':'rshared'},'mounts':[{'destination':"
	            "'/v','type':'bind','source':'/proc','options':['rslave']}]}");
	generate(r);
	assert_json(AT(r->doc, "linux", "rootfsPropagation"), "'rshared'");
}

static void volume_must_exist(void **state)
{
	CTR__ERROR ctr_error_t *e = NULL;
	struct run *r = *state;

	set_spec(r, "{" PROCESS ",'mounts':[{'destination':'/v','type':'bind','source':"
	            "'/nonexistent/x','options':['rslave']}]}");
	assert_true(fails(r, &e) < 0);
	assert_string_equal(ctr_error_get(e, "path"), "/nonexistent/x");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(systemd_is_told_how_to_stop),
	    TEST(labels_can_be_disabled),
	    TEST(rlimits_need_no_privilege),
	    TEST(rlimits_of_the_user_stay),
	    TEST(powercap_is_hidden),
	    TEST(privileged_sees_everything),
	    TEST(tmpfs_is_where_the_link_leads),
	    TEST(shared_volume_needs_a_shared_mount),
	    TEST(root_takes_part),
	    TEST(volume_must_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
