/* SPDX-License-Identifier: Apache-2.0 */
/* Checking specs: what passes, and where what is wrong is said to be. */
#include "spec_test.h"

#include "spec/spec.h"

#define GOOD "'ociVersion':'1.0.2','process':{'args':['x']}"

static void assert_fine(const char *text)
{
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of(text);

	assert_int_equal(ctr__spec_validate(d->root, NULL), 0);
}

static void assert_wrong(const char *text, const char *field)
{
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of(text);
	CTR__ERROR ctr_error_t *e = NULL;

	ASSERT_FAILS(ctr__spec_validate(d->root, err), CTR_E_INVALID, field);
	/* the message says where, too */
	assert_int_equal(ctr__spec_validate(d->root, &e), CTR_E_INVALID);
	assert_ptr_equal(strstr(ctr_error_message(e), field), ctr_error_message(e));
}

static void test_least(void **state)
{
	(void)state;
	assert_fine("{" GOOD "}");
	assert_wrong("[]", "spec");
	assert_wrong("{}", "spec.ociVersion");
	assert_wrong("{'ociVersion':'','process':{'args':['x']}}", "spec.ociVersion");
	assert_wrong("{'ociVersion':1.0}", "spec.ociVersion");
	assert_wrong("{'ociVersion':'1'}", "spec.process");
	assert_wrong("{'ociVersion':'1','process':null}", "spec.process");
	assert_wrong("{'ociVersion':'1','process':[]}", "spec.process");
	assert_wrong("{'ociVersion':'1','process':{}}", "spec.process.args");
	assert_wrong("{'ociVersion':'1','process':{'args':'x'}}", "spec.process.args");
	assert_wrong("{'ociVersion':'1','process':{'args':[]}}", "spec.process.args");
	assert_wrong("{'ociVersion':'1','process':{'args':['x',2]}}", "spec.process.args[1]");
	assert_wrong("{'ociVersion':'1','process':{'args':[null]}}", "spec.process.args[0]");
	assert_wrong("{'ociVersion':'1','process':{'args':['','x']}}", "spec.process.args[0]");
	assert_fine("{'ociVersion':'1','process':{'args':['x','']}}");
	ASSERT_FAILS(ctr__spec_validate(NULL, err), CTR_E_INVALID, "spec");
}

static void test_null_is_absent(void **state)
{
	(void)state;
	assert_fine("{" GOOD ",'root':null,'mounts':null,'linux':null,'hooks':null,"
	            "'annotations':null,'hostname':null}");
	assert_fine("{" GOOD ",'hostname':''}");
	assert_fine("{" GOOD ",'hostname':'web_1.example'}");
	assert_fine("{" GOOD ",'linux':{'namespaces':null,'cgroupsPath':null}}");
}

static void test_unknown_members_pass(void **state)
{
	(void)state;
	assert_fine("{" GOOD ",'zos':[1],'linux':{'future':{'a':1}},'mounts':[{'destination':'/x',"
	            "'uidMappings':[],'more':true}]}");
}

static void test_process(void **state)
{
	static const struct {
		const char *member, *field;
	} cases[] = {
	    {"'terminal':1", "spec.process.terminal"},
	    {"'env':{}", "spec.process.env"},
	    {"'env':['A=1',true]", "spec.process.env[1]"},
	    {"'cwd':1", "spec.process.cwd"},
	    {"'user':'root'", "spec.process.user"},
	    {"'user':{'uid':'0'}", "spec.process.user.uid"},
	    {"'user':{'uid':-1}", "spec.process.user.uid"},
	    {"'user':{'gid':4294967296}", "spec.process.user.gid"},
	    {"'user':{'gid':1.5}", "spec.process.user.gid"},
	    {"'user':{'additionalGids':[1,'x']}", "spec.process.user.additionalGids[1]"},
	    {"'capabilities':[]", "spec.process.capabilities"},
	    {"'capabilities':{'ambient':[1]}", "spec.process.capabilities.ambient[0]"},
	    {"'rlimits':[1]", "spec.process.rlimits[0]"},
	    {"'noNewPrivileges':'yes'", "spec.process.noNewPrivileges"},
	    {"'selinuxLabel':{}", "spec.process.selinuxLabel"},
	};

	(void)state;
	assert_fine("{'ociVersion':'1','process':{'args':['x'],'user':{'uid':4294967295,'gid':0},"
	            "'env':[],'capabilities':{'bounding':['CAP_KILL']}}}");
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__FREE char *text =
		    ctr__format("{'ociVersion':'1','process':{'args':['x'],%s}}", cases[i].member);
		assert_wrong(text, cases[i].field);
	}
}

static void test_rest(void **state)
{
	static const struct {
		const char *member, *field;
	} cases[] = {
	    {"'root':'/x'", "spec.root"},
	    {"'root':{'path':1}", "spec.root.path"},
	    {"'root':{'readonly':'true'}", "spec.root.readonly"},
	    {"'hostname':1", "spec.hostname"},
	    {"'hostname':'a b'", "spec.hostname"},
	    {"'hostname':'a\\n192.0.2.1 b'", "spec.hostname"},
	    {"'hostname':'a/b'", "spec.hostname"},
	    {"'hostname':'0123456789012345678901234567890123456789012345678901234567890123x'",
	        "spec.hostname"},
	    {"'mounts':{}", "spec.mounts"},
	    {"'mounts':['x']", "spec.mounts[0]"},
	    {"'mounts':[{'destination':'/a'},{}]", "spec.mounts[1].destination"},
	    {"'mounts':[{'destination':''}]", "spec.mounts[0].destination"},
	    {"'mounts':[{'destination':'/a','type':1}]", "spec.mounts[0].type"},
	    {"'mounts':[{'destination':'/a','options':['ro',1]}]", "spec.mounts[0].options[1]"},
	    {"'hooks':[]", "spec.hooks"},
	    {"'hooks':{'poststart':{}}", "spec.hooks.poststart"},
	    {"'hooks':{'startContainer':[{}]}", "spec.hooks.startContainer[0].path"},
	    {"'annotations':{'a b':1}", "spec.annotations[\"a b\"]"},
	    {"'linux':{'namespaces':{}}", "spec.linux.namespaces"},
	    {"'linux':{'namespaces':[{}]}", "spec.linux.namespaces[0].type"},
	    {"'linux':{'namespaces':[{'type':'pid','path':1}]}", "spec.linux.namespaces[0].path"},
	    {"'linux':{'cgroupsPath':[]}", "spec.linux.cgroupsPath"},
	    {"'linux':{'resources':[]}", "spec.linux.resources"},
	    {"'linux':{'mountLabel':0}", "spec.linux.mountLabel"},
	    {"'linux':{'maskedPaths':[0]}", "spec.linux.maskedPaths[0]"},
	    {"'linux':{'uidMappings':[0]}", "spec.linux.uidMappings[0]"},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__FREE char *text = ctr__format("{" GOOD ",%s}", cases[i].member);
		assert_wrong(text, cases[i].field);
	}
}

static void test_namespaces_are_unique(void **state)
{
	CTR__BUF struct ctr__buf many = {0};

	(void)state;
	assert_fine("{" GOOD ",'linux':{'namespaces':[{'type':'pid'},{'type':'time'}]}}");
	assert_wrong("{" GOOD ",'linux':{'namespaces':[{'type':'pid'},{'type':'uts'},"
	             "{'type':'pid','path':'/x'}]}}",
	    "spec.linux.namespaces[2]");
	ctr__buf_adds(&many, "{" GOOD ",'linux':{'namespaces':[{'type':'pid'}");
	for (int i = 0; i < 100; i++)
		ctr__buf_addf(&many, ",{'type':'x%d'}", i);
	ctr__buf_adds(&many, "]}}");
	assert_wrong(many.data, "spec.linux.namespaces");
}

static void test_keys_cannot_break_the_message(void **state)
{
	static const char text[] = "{\"ociVersion\":\"1\",\"process\":{\"args\":[\"x\"]},"
	                           "\"annotations\":{\"a\\n\\\"b\":1}}";
	CTR__JSON_DOC struct ctr__json_doc *d = NULL;
	CTR__ERROR ctr_error_t *e = NULL;

	(void)state;
	assert_int_equal(ctr__json_parse(text, sizeof(text) - 1, "test", &d, NULL), 0);
	assert_int_equal(ctr__spec_validate(d->root, &e), CTR_E_INVALID);
	assert_null(strchr(ctr_error_message(e), '\n'));
	assert_string_equal(ctr_error_get(e, "field"), "spec.annotations[\"a\\n\\\"b\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_least),
	    cmocka_unit_test(test_null_is_absent),
	    cmocka_unit_test(test_unknown_members_pass),
	    cmocka_unit_test(test_process),
	    cmocka_unit_test(test_rest),
	    cmocka_unit_test(test_namespaces_are_unique),
	    cmocka_unit_test(test_keys_cannot_break_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
