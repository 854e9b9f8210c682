/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration to the config.json of a bundle. */
#include "gen_test.h"

#include "spec/mounts.h"
#include "spec/spec.h"

#define OWN_UTS "'linux':{'namespaces':[{'type':'uts'}]}"

static void test_root(void **state)
{
	struct run *r = *state;

	generate(r);
	assert_json(AT(r->doc, "root"), "{'path':'/mnt/root'}");
	set_spec(r, "{" PROCESS ",'root':{'path':'old','readonly':false,'x':1}}");
	generate(r);
	assert_json(AT(r->doc, "root"), "{'path':'/mnt/root','readonly':false,'x':1}");
	r->cfg.read_only = true;
	generate(r);
	assert_json(AT(r->doc, "root"), "{'path':'/mnt/root','readonly':true,'x':1}");
	r->cfg.read_only = false;
	set_spec(r, "{" PROCESS ",'root':{'readonly':true}}");
	generate(r);
	assert_json(AT(r->doc, "root"), "{'readonly':true,'path':'/mnt/root'}");
}

static void test_no_new_privileges(void **state)
{
	struct run *r = *state;

	set_spec(r, "{'ociVersion':'1','process':{'args':['x'],'noNewPrivileges':true}}");
	generate(r);
	assert_json(AT(r->doc, "process", "noNewPrivileges"), "true");
	set_spec(r, "{" PROCESS "}");
	generate(r);
	assert_null(AT(r->doc, "process", "noNewPrivileges"));
	r->cfg.no_new_privs = true;
	generate(r);
	assert_json(AT(r->doc, "process", "noNewPrivileges"), "true");
}

static void give_binds(struct run *r, const struct ctr__cfg_pair *v, size_t n)
{
	r->facts.bind_mounts = v;
	r->facts.bind_mounts_n = n;
}

static const struct ctr__cfg_pair binds[] = {
    {"/dev/shm", "/run/c/shm"}, {"/etc/hosts", "/run/c/hosts"}};

static void test_bind_mounts(void **state)
{
	struct run *r = *state;

	give_binds(r, binds, 2);
	generate(r);
	assert_json(AT(r->doc, "mounts"),
	    "[{'destination':'/dev/shm','type':'bind','source':'/run/c/shm',"
	    "'options':['bind','rprivate','nosuid','noexec','nodev']},"
	    "{'destination':'/etc/hosts','type':'bind','source':'/run/c/hosts',"
	    "'options':['bind','rprivate']}]");
}

static void test_bind_mounts_read_only(void **state)
{
	struct run *r = *state;

	give_binds(r, binds, 2);
	set_spec(r, "{" PROCESS ",'root':{'readonly':true}}");
	generate(r);
	assert_json(ctr__json_get(ctr__mounts_find(AT(r->doc, "mounts"), "/dev/shm"), "options"),
	    "['bind','rprivate','nosuid','noexec','nodev']");
	assert_json(ctr__json_get(ctr__mounts_find(AT(r->doc, "mounts"), "/etc/hosts"), "options"),
	    "['bind','rprivate','ro','nosuid','noexec','nodev']");
}

static void test_user_mount_wins(void **state)
{
	struct run *r = *state;

	r->facts.root_path = "/"; /* a tmpfs is looked up there */
	give_binds(r, binds, 2);
	set_spec(r, "{" PROCESS ",'mounts':["
	            "{'destination':'/etc//hosts/','type':'bind','source':'/mine'},"
	            "{'destination':'/dev/shm','type':'tmpfs','source':'tmpfs'}]}");
	generate(r);
	assert_json(AT(r->doc, "mounts"),
	    "[{'destination':'/etc//hosts/','type':'bind','source':'/mine'},"
	    "{'destination':'/dev/shm','type':'tmpfs','source':'tmpfs'}]");
}

static void test_stock_shm_is_replaced(void **state)
{
	struct run *r = *state;

	r->facts.root_path = "/"; /* a tmpfs is looked up there */
	set_spec(r, "{" PROCESS ",'mounts':[{'destination':'/dev/shm','type':'tmpfs',"
	            "'source':'shm','options':['size=1k']}]}");
	generate(r);
	assert_json(ctr__json_get(AT(r->doc, "mounts")->first, "type"), "'tmpfs'");
	give_binds(r, binds, 1);
	generate(r);
	assert_int_equal(AT(r->doc, "mounts")->count, 1);
	assert_json(ctr__json_get(AT(r->doc, "mounts")->first, "source"), "'/run/c/shm'");
}

static void test_mounts_are_sorted(void **state)
{
	struct run *r = *state;

	give_binds(r, binds, 2);
	set_spec(r, "{" PROCESS ",'mounts':[{'destination':'/etc/hosts/deep'},"
	            "{'destination':'/etc'},{'destination':'/'}]}");
	generate(r);
	const struct ctr__json *m = AT(r->doc, "mounts")->first;
	static const char *const order[] = {
	    "'/'", "'/etc'", "'/dev/shm'", "'/etc/hosts'", "'/etc/hosts/deep'"};
	for (size_t i = 0; i < CTR__ARRAY_SIZE(order); i++, m = m->next)
		assert_json(ctr__json_get(m, "destination"), order[i]);
	assert_null(m);
}

static void test_cgroup(void **state)
{
	struct run *r = *state;

	r->facts.cgroup_path = "/parent/libpod-1";
	generate(r);
	assert_json(AT(r->doc, "linux"), "{'cgroupsPath':'/parent/libpod-1'}");
	set_spec(r, "{" PROCESS ",'linux':{'cgroupsPath':'mine','x':1}}");
	generate(r);
	assert_json(AT(r->doc, "linux"), "{'cgroupsPath':'/parent/libpod-1','x':1}");
	r->facts.cgroup_path = NULL;
	generate(r);
	assert_json(AT(r->doc, "linux"), "{'x':1}");
	set_spec(r, "{" PROCESS "}");
	generate(r);
	assert_null(AT(r->doc, "linux"));
}

static void test_joined_namespaces(void **state)
{
	struct run *r = *state;

	set_spec(r, "{" PROCESS ",'linux':{'namespaces':[{'type':'pid','x':1},"
	            "{'type':'network','path':'/old'},{'type':'ipc'}]}}");
	r->facts.ns_paths[CTR_NS_PID] = "/proc/1/ns/pid";
	r->facts.ns_paths[CTR_NS_NET] = "/proc/1/ns/net";
	r->facts.ns_paths[CTR_NS_MOUNT] = "/proc/1/ns/mnt";
	r->facts.ns_paths[CTR_NS_CGROUP] = "/proc/1/ns/cgroup";
	generate(r);
	assert_json(AT(r->doc, "linux", "namespaces"),
	    "[{'type':'pid','x':1,'path':'/proc/1/ns/pid'},"
	    "{'type':'network','path':'/proc/1/ns/net'},{'type':'ipc'},"
	    "{'type':'mount','path':'/proc/1/ns/mnt'},"
	    "{'type':'cgroup','path':'/proc/1/ns/cgroup'}]");
	assert_null(AT(r->doc, "linux", "uidMappings"));
	assert_false(r->result.own_pid_ns);
}

static void test_namespaces_without_linux(void **state)
{
	struct run *r = *state;

	r->facts.ns_paths[CTR_NS_IPC] = "/i";
	r->facts.ns_paths[CTR_NS_UTS] = "/u";
	generate(r);
	assert_json(AT(r->doc, "linux"),
	    "{'namespaces':[{'type':'ipc','path':'/i'},{'type':'uts','path':'/u'}]}");
}

static void test_joined_user_namespace(void **state)
{
	struct run *r = *state;

	r->facts.ns_paths[CTR_NS_USER] = "/u";
	set_spec(r, "{" PROCESS ",'linux':{'gidMappings':[{'size':5}]}}");
	generate(r);
	assert_json(AT(r->doc, "linux", "uidMappings"), "[{'containerID':0,'hostID':0,'size':1}]");
	assert_json(AT(r->doc, "linux", "gidMappings"), "[{'size':5}]");
}

/* What the namespace has counts, not what the configuration says. */
static void test_mappings_of_the_joined_user_namespace(void **state)
{
	static const struct ctr__id_range uids[] = {{0, 100000, 65536}, {70000, 5, 1}};
	static const struct ctr__id_range gids[] = {{0, 0, 4294967295U}};
	struct run *r = *state;

	r->facts.ns_paths[CTR_NS_USER] = "/u";
	r->facts.joined_uids = (struct ctr__spec_ids){uids, 2};
	r->facts.joined_gids = (struct ctr__spec_ids){gids, 1};
	set_spec(r, "{" PROCESS ",'linux':{'gidMappings':[{'size':5}]}}");
	generate(r);
	assert_json(AT(r->doc, "linux", "uidMappings"),
	    "[{'containerID':0,'hostID':100000,'size':65536},"
	    "{'containerID':70000,'hostID':5,'size':1}]");
	assert_json(
	    AT(r->doc, "linux", "gidMappings"), "[{'containerID':0,'hostID':0,'size':4294967295}]");
}

static void test_joined_user_namespace_is_the_hosts(void **state)
{
	struct run *r = *state;

	r->facts.host_user_ns = true;
	set_spec(r, "{" PROCESS ",'linux':{'uidMappings':[{'size':5}],'gidMappings':[],"
	            "'namespaces':[{'type':'ipc'},{'type':'user'}]}}");
	generate(r);
	assert_json(AT(r->doc, "linux"), "{'namespaces':[{'type':'ipc'}]}");
	set_spec(r, "{" PROCESS "}");
	generate(r);
	assert_null(AT(r->doc, "linux"));
}

static void test_hostname_in_own_namespace(void **state)
{
	struct run *r = *state;

	r->facts.hostname = "abc123";
	set_spec(r, "{" PROCESS "," OWN_UTS "}");
	generate(r);
	assert_json(AT(r->doc, "hostname"), "'abc123'");
	assert_json(AT(r->doc, "process", "env"), "['HOSTNAME=abc123']");
	set_spec(r, "{" PROCESS ",'hostname':'web'," OWN_UTS "}");
	generate(r);
	assert_json(AT(r->doc, "hostname"), "'web'");
	assert_json(AT(r->doc, "process", "env"), "['HOSTNAME=web']");
	set_spec(r, "{'ociVersion':'1','hostname':'','process':{'args':['x'],'env':["
	            "'A=1','HOSTNAME=']},'linux':{'namespaces':[{'type':'uts','path':''}]}}");
	generate(r);
	assert_json(AT(r->doc, "hostname"), "'abc123'");
	assert_json(AT(r->doc, "process", "env"), "['A=1','HOSTNAME=']");
}

static void test_no_hostname_known(void **state)
{
	struct run *r = *state;

	set_spec(r, "{" PROCESS "," OWN_UTS "}");
	generate(r);
	assert_null(AT(r->doc, "hostname"));
	assert_null(AT(r->doc, "process", "env"));
}

static void test_hostname_in_joined_namespace(void **state)
{
	struct run *r = *state;

	r->facts.hostname = "abc123";
	r->facts.ns_paths[CTR_NS_UTS] = "/proc/1/ns/uts";
	set_spec(r, "{" PROCESS ",'hostname':'web'," OWN_UTS "}");
	generate(r);
	assert_null(AT(r->doc, "hostname"));
	assert_null(AT(r->doc, "process", "env"));
	r->facts.joined_hostname = "donor";
	generate(r);
	assert_null(AT(r->doc, "hostname"));
	assert_json(AT(r->doc, "process", "env"), "['HOSTNAME=donor']");
}

static void test_hostname_of_another_container(void **state)
{
	struct run *r = *state;

	r->facts.hostname = "abc123";
	r->facts.joined_hostname = "other";
	r->facts.ns_paths[CTR_NS_UTS] = "/proc/1/ns/uts";
	set_spec(r, "{" PROCESS "," OWN_UTS "}");
	generate(r);
	assert_null(AT(r->doc, "hostname"));
	assert_json(AT(r->doc, "process", "env"), "['HOSTNAME=other']");
}

/* ---- the user ---- */

static const uint32_t some_groups[] = {5, 7, 9};

static void test_user_by_name(void **state)
{
	struct run *r = *state;
	struct ctr__spec_user u = {.by_name = true,
	    .uid = 1000,
	    .gid = 7,
	    .groups = some_groups,
	    .groups_n = 3,
	    .home = "/h"};

	r->facts.user = &u;
	r->facts.ns_paths[CTR_NS_UTS] = "/u"; /* no HOSTNAME */
	generate(r);
	assert_json(AT(r->doc, "process", "user"),
	    "{'uid':1000,'gid':7,'additionalGids':[5,7,9],'umask':18}");
	assert_json(AT(r->doc, "process", "env"), "['HOME=/h']");
	/* Its own group is always one of them. */
	u.groups_n = 0;
	set_spec(r, "{'ociVersion':'1','process':{'args':['x'],'env':['HOME='],"
	            "'user':{'uid':3,'gid':4,'additionalGids':[9,1],'umask':63}}}");
	generate(r);
	assert_json(AT(r->doc, "process", "user"),
	    "{'uid':1000,'gid':7,'additionalGids':[9,1,7],'umask':63}");
	assert_json(AT(r->doc, "process", "env"), "['HOME=']");
}

static void test_user_of_the_spec(void **state)
{
	struct run *r = *state;
	struct ctr__spec_user u = {
	    .uid = 0, .gid = 0, .groups = some_groups, .groups_n = 3, .home = "/root"};

	r->facts.user = &u;
	r->facts.ns_paths[CTR_NS_UTS] = "/u"; /* no HOSTNAME */
	r->cfg.umask = "0077";
	set_spec(r, "{'ociVersion':'1','process':{'args':['x'],'env':['A=1'],'terminal':true,"
	            "'user':{'uid':3,'gid':4,'additionalGids':[9],'umask':2}}}");
	generate(r);
	assert_json(
	    AT(r->doc, "process", "user"), "{'uid':3,'gid':4,'additionalGids':[9,5,7],'umask':63}");
	assert_json(AT(r->doc, "process", "env"), "['A=1','HOME=/root','TERM=xterm']");
}

static void test_hostname_of_the_host(void **state)
{
	struct run *r = *state;
	char name[256] = "";

	r->facts.hostname = "abc123";
	set_spec(r, "{" PROCESS ",'hostname':'web'}");
	generate(r);
	assert_null(AT(r->doc, "hostname"));
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	CTR__FREE char *expected = ctr__format("['HOSTNAME=%s']", name);
	assert_json(AT(r->doc, "process", "env"), expected);
}

static void test_annotations(void **state)
{
	struct run *r = *state;

	generate(r);
	assert_json(AT(r->doc, "annotations"),
	    "{'org.opencontainers.image.stopSignal':'15','io.container.manager':'libctr'}");
	r->cfg.stop_signal = 2;
	set_spec(r, "{" PROCESS ",'annotations':{'a':'b','io.container.manager':'me'}}");
	generate(r);
	assert_json(AT(r->doc, "annotations"),
	    "{'a':'b','io.container.manager':'me','org.opencontainers.image.stopSignal':'2'}");
}

static void test_labels(void **state)
{
	struct run *r = *state;

	generate(r);
	assert_null(AT(r->doc, "process", "selinuxLabel"));
	r->facts.process_label = "p:l";
	r->facts.mount_label = "m:l";
	generate(r);
	assert_json(AT(r->doc, "process", "selinuxLabel"), "'p:l'");
	assert_json(AT(r->doc, "linux", "mountLabel"), "'m:l'");
	set_spec(r, "{'ociVersion':'1','process':{'args':['x'],'selinuxLabel':'mine'},"
	            "'linux':{'mountLabel':''}}");
	generate(r);
	assert_json(AT(r->doc, "process", "selinuxLabel"), "'mine'");
	assert_json(AT(r->doc, "linux", "mountLabel"), "'m:l'");
}

static void test_result(void **state)
{
	struct run *r = *state;

	generate(r);
	assert_false(r->result.terminal);
	assert_false(r->result.start_hooks);
	assert_false(r->result.own_pid_ns);
	set_spec(r, "{'ociVersion':'1','process':{'args':['x'],'terminal':true},"
	            "'hooks':{'poststart':[],'prestart':[{'path':'/h'}]},"
	            "'linux':{'namespaces':[{'type':'pid'}]}}");
	generate(r);
	assert_true(r->result.terminal);
	assert_false(r->result.start_hooks);
	assert_true(r->result.own_pid_ns);
	set_spec(r, "{" PROCESS ",'hooks':{'poststart':[{'path':'/h'}]},"
	            "'linux':{'namespaces':[{'type':'pid','path':'/x'}]}}");
	generate(r);
	assert_true(r->result.start_hooks);
	assert_false(r->result.own_pid_ns);
	set_spec(r, "{" PROCESS ",'hooks':{'startContainer':[{'path':'/h'}]}}");
	generate(r);
	assert_true(r->result.start_hooks);
}

static void test_unknown_members_survive(void **state)
{
	struct run *r = *state;

	set_spec(r, "{'future':{'b':1.50e3,'a':[null]},'ociVersion':'9.9','process':"
	            "{'zeta':1,'args':['x'],'ioPriority':{'class':'IOPRIO_CLASS_IDLE'},"
	            "'rlimits':[{'type':'RLIMIT_NOFILE'},{'type':'RLIMIT_NPROC'}]},"
	            "'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'},"
	            "'namespaces':[{'type':'uts'},{'type':'time'}],'timeOffsets':{}},"
	            "'solaris':{}}");
	r->facts.hostname = "h";
	generate(r);
	assert_json(r->doc->root,
	    "{'future':{'b':1.50e3,'a':[null]},'ociVersion':'9.9','process':"
	    "{'zeta':1,'args':['x'],'ioPriority':{'class':'IOPRIO_CLASS_IDLE'},"
	    "'rlimits':[{'type':'RLIMIT_NOFILE'},{'type':'RLIMIT_NPROC'}],"
	    "'env':['HOSTNAME=h']},"
	    "'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'},"
	    "'namespaces':[{'type':'uts'},{'type':'time'}],'timeOffsets':{}},"
	    "'solaris':{},'root':{'path':'/mnt/root'},'hostname':'h','annotations':"
	    "{'org.opencontainers.image.stopSignal':'15','io.container.manager':'libctr'}}");
}

static void test_null_members(void **state)
{
	struct run *r = *state;

	give_binds(r, binds, 1);
	r->facts.cgroup_path = "/c";
	r->facts.ns_paths[CTR_NS_NET] = "/n";
	set_spec(r, "{" PROCESS ",'root':null,'mounts':null,'linux':null,'annotations':null,"
	            "'hooks':null,'hostname':null}");
	generate(r);
	assert_json(AT(r->doc, "root"), "{'path':'/mnt/root'}");
	assert_int_equal(AT(r->doc, "mounts")->count, 1);
	assert_json(AT(r->doc, "linux"),
	    "{'namespaces':[{'type':'network','path':'/n'}],'cgroupsPath':'/c'}");
}

/* What comes back from a store may be anything. */
static void test_bad_specs(void **state)
{
	struct run *r = *state;
	CTR__BUF struct ctr__buf out = {0};

	set_spec(r, "{" PROCESS ",'mounts':{}}");
	ASSERT_FAILS(ctr__spec_generate(&r->cfg, &r->facts, &out, &r->result, err), CTR_E_INVALID,
	    "spec.mounts");
	set_spec(r, "{'ociVersion':");
	assert_int_equal(
	    ctr__spec_generate(&r->cfg, &r->facts, &out, &r->result, NULL), CTR_E_INVALID);
	r->cfg.spec.text = NULL;
	ASSERT_FAILS(
	    ctr__spec_generate(&r->cfg, &r->facts, &out, &r->result, err), CTR_E_INVALID, "spec");
	assert_int_equal(out.len, 0);
}

static void test_no_root(void **state)
{
	struct run *r = *state;
	CTR__BUF struct ctr__buf out = {0};

	r->facts.root_path = NULL;
	assert_int_equal(
	    ctr__spec_generate(&r->cfg, &r->facts, &out, &r->result, NULL), CTR_E_INTERNAL);
}

static void test_configuration_stays(void **state)
{
	struct run *r = *state;
	CTR__FREE char *before = strdup(r->spec);

	give_binds(r, binds, 2);
	generate(r);
	assert_string_equal(r->spec, before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_root),
	    TEST(test_no_new_privileges),
	    TEST(test_bind_mounts),
	    TEST(test_bind_mounts_read_only),
	    TEST(test_user_mount_wins),
	    TEST(test_stock_shm_is_replaced),
	    TEST(test_mounts_are_sorted),
	    TEST(test_cgroup),
	    TEST(test_joined_namespaces),
	    TEST(test_namespaces_without_linux),
	    TEST(test_joined_user_namespace),
	    TEST(test_mappings_of_the_joined_user_namespace),
	    TEST(test_joined_user_namespace_is_the_hosts),
	    TEST(test_hostname_in_own_namespace),
	    TEST(test_no_hostname_known),
	    TEST(test_hostname_in_joined_namespace),
	    TEST(test_hostname_of_another_container),
	    TEST(test_user_by_name),
	    TEST(test_user_of_the_spec),
	    TEST(test_hostname_of_the_host),
	    TEST(test_annotations),
	    TEST(test_labels),
	    TEST(test_result),
	    TEST(test_unknown_members_survive),
	    TEST(test_null_members),
	    TEST(test_bad_specs),
	    TEST(test_no_root),
	    TEST(test_configuration_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
