/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a spec as far as libctr depends on it: the types of what it reads or edits. What the OCI runtime
 * alone cares about is left to it. Members that are null count as absent, as in Go.
 */
#include "spec/spec.h"

#include <limits.h>

#include "util/cleanup.h"

/* ---- what a spec looks like ---- */

struct shape;

struct member {
	const char *key;
	bool required;
	const struct shape *shape;
};

struct shape {
	enum ctr__json_type type;
	bool not_empty;               /* text, list or object                             */
	bool uint32;                  /* a number: must be an integer from 0 to 2^32 - 1  */
	const struct member *members; /* of an object, ends with key NULL                 */
	const struct shape *element;  /* of a list, or of every member of a map           */
};

static const struct shape text = {.type = CTR__JSON_STRING};
static const struct shape text_not_empty = {.type = CTR__JSON_STRING, .not_empty = true};
static const struct shape boolean = {.type = CTR__JSON_BOOL};
static const struct shape uint32_number = {.type = CTR__JSON_NUMBER, .uint32 = true};
static const struct shape any_object = {.type = CTR__JSON_OBJECT};
static const struct shape objects = {.type = CTR__JSON_ARRAY, .element = &any_object};
static const struct shape texts = {.type = CTR__JSON_ARRAY, .element = &text};
static const struct shape texts_not_empty = {
    .type = CTR__JSON_ARRAY, .not_empty = true, .element = &text};
static const struct shape text_map = {.type = CTR__JSON_OBJECT, .element = &text};
static const struct shape uint32_numbers = {.type = CTR__JSON_ARRAY, .element = &uint32_number};

static const struct member root_members[] = {
    {"path", false, &text}, {"readonly", false, &boolean}, {0}};
static const struct shape root = {.type = CTR__JSON_OBJECT, .members = root_members};

static const struct member user_members[] = {{"uid", false, &uint32_number},
    {"gid", false, &uint32_number}, {"umask", false, &uint32_number},
    {"additionalGids", false, &uint32_numbers}, {"username", false, &text}, {0}};
static const struct shape user = {.type = CTR__JSON_OBJECT, .members = user_members};

static const struct member capabilities_members[] = {{"bounding", false, &texts},
    {"effective", false, &texts}, {"permitted", false, &texts}, {"inheritable", false, &texts},
    {"ambient", false, &texts}, {0}};
static const struct shape capabilities = {
    .type = CTR__JSON_OBJECT, .members = capabilities_members};

static const struct member process_members[] = {{"args", true, &texts_not_empty},
    {"terminal", false, &boolean}, {"env", false, &texts}, {"cwd", false, &text},
    {"user", false, &user}, {"capabilities", false, &capabilities}, {"rlimits", false, &objects},
    {"noNewPrivileges", false, &boolean}, {"selinuxLabel", false, &text},
    {"apparmorProfile", false, &text}, {0}};
static const struct shape process = {.type = CTR__JSON_OBJECT, .members = process_members};

static const struct member mount_members[] = {{"destination", true, &text_not_empty},
    {"type", false, &text}, {"source", false, &text}, {"options", false, &texts}, {0}};
static const struct shape mount = {.type = CTR__JSON_OBJECT, .members = mount_members};
static const struct shape mounts = {.type = CTR__JSON_ARRAY, .element = &mount};

static const struct member hook_members[] = {
    {"path", true, &text_not_empty}, {"args", false, &texts}, {"env", false, &texts}, {0}};
static const struct shape hook = {.type = CTR__JSON_OBJECT, .members = hook_members};
static const struct shape hook_list = {.type = CTR__JSON_ARRAY, .element = &hook};
static const struct member hooks_members[] = {{"prestart", false, &hook_list},
    {"createRuntime", false, &hook_list}, {"createContainer", false, &hook_list},
    {"startContainer", false, &hook_list}, {"poststart", false, &hook_list},
    {"poststop", false, &hook_list}, {0}};
static const struct shape hooks = {.type = CTR__JSON_OBJECT, .members = hooks_members};

static const struct member namespace_members[] = {
    {"type", true, &text_not_empty}, {"path", false, &text}, {0}};
static const struct shape namespace = {.type = CTR__JSON_OBJECT, .members = namespace_members};
static const struct shape namespaces = {.type = CTR__JSON_ARRAY, .element = &namespace};

static const struct member linux_members[] = {{"namespaces", false, &namespaces},
    {"cgroupsPath", false, &text}, {"resources", false, &any_object},
    {"uidMappings", false, &objects}, {"gidMappings", false, &objects},
    {"devices", false, &objects}, {"sysctl", false, &text_map}, {"seccomp", false, &any_object},
    {"maskedPaths", false, &texts}, {"readonlyPaths", false, &texts}, {"mountLabel", false, &text},
    {"rootfsPropagation", false, &text}, {0}};
static const struct shape linux_part = {.type = CTR__JSON_OBJECT, .members = linux_members};

static const struct member spec_members[] = {{"ociVersion", true, &text_not_empty},
    {"process", true, &process}, {"root", false, &root}, {"hostname", false, &text},
    {"mounts", false, &mounts}, {"hooks", false, &hooks}, {"annotations", false, &text_map},
    {"linux", false, &linux_part}, {0}};
static const struct shape whole = {.type = CTR__JSON_OBJECT, .members = spec_members};

/* ---- where we are; written out only for an error ---- */

struct where {
	const struct where *up;
	const char *key; /* NULL: an element of a list */
	size_t index;
	bool quoted; /* a key chosen by the user */
};

static void write_where(const struct where *w, struct ctr__buf *out)
{
	if (w->up)
		write_where(w->up, out);
	if (!w->key) {
		ctr__buf_addf(out, "[%zu]", w->index);
	} else if (w->quoted) {
		ctr__buf_addc(out, '[');
		ctr__json_write_string(w->key, strlen(w->key), out);
		ctr__buf_addc(out, ']');
	} else {
		ctr__buf_adds(out, w->up ? "." : "");
		ctr__buf_adds(out, w->key);
	}
}

/* `detail` says what is wrong there. */
static int wrong(const struct where *w, ctr_error_t **err, const char *detail)
{
	CTR__BUF struct ctr__buf path = {0};

	write_where(w, &path);
	if (path.failed)
		return ctr__fail_nomem(err);
	int r = ctr__fail(err, CTR_E_INVALID, "%s %s", path.data, detail);
	ctr__error_detail(err, "field", path.data);
	return r;
}

/* ---- the walk ---- */

static const char *type_words(enum ctr__json_type t)
{
	switch (t) {
	case CTR__JSON_STRING: return "must be a string";
	case CTR__JSON_BOOL: return "must be true or false";
	case CTR__JSON_NUMBER: return "must be a number";
	case CTR__JSON_ARRAY: return "must be a list";
	case CTR__JSON_OBJECT: return "must be an object";
	case CTR__JSON_NULL: break;
	}
	return "must be null";
}

static bool is_uint32(const struct ctr__json *v)
{
	uint64_t n;

	return ctr__json_u64(v, &n) && n <= UINT32_MAX;
}

static bool is_empty(const struct ctr__json *v)
{
	return v->type == CTR__JSON_STRING ? v->len == 0 : v->count == 0;
}

static int check(
    const struct shape *s, const struct ctr__json *v, const struct where *w, ctr_error_t **err);

static int check_members(
    const struct shape *s, const struct ctr__json *v, const struct where *w, ctr_error_t **err)
{
	for (const struct member *m = s->members; m && m->key; m++) {
		const struct where here = {.up = w, .key = m->key};
		const struct ctr__json *child = ctr__json_get(v, m->key);
		bool absent = !child || child->type == CTR__JSON_NULL;
		int r = 0;

		if (!absent)
			r = check(m->shape, child, &here, err);
		else if (m->required)
			r = wrong(&here, err, "is missing");
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_elements(
    const struct shape *s, const struct ctr__json *v, const struct where *w, ctr_error_t **err)
{
	size_t i = 0;

	if (!s->element)
		return 0;
	CTR__JSON_EACH (child, v) {
		const struct where here = {
		    .up = w, .key = child->key, .index = i++, .quoted = true};
		int r = check(s->element, child, &here, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check(
    const struct shape *s, const struct ctr__json *v, const struct where *w, ctr_error_t **err)
{
	if (v->type != s->type)
		return wrong(w, err, type_words(s->type));
	if (s->not_empty && is_empty(v))
		return wrong(w, err, "must not be empty");
	if (s->uint32 && !is_uint32(v))
		return wrong(w, err, "must be an integer from 0 to 4294967295");
	int r = check_members(s, v, w, err);
	return r < 0 ? r : check_elements(s, v, w, err);
}

/* ---- what shapes cannot say ---- */

#define NAMESPACES_MAX 32 /* the kernel has 8 kinds */

/* Runtimes disagree about which of two entries counts, and libctr sets the path of only one. */
static int check_namespaces_once(
    const struct ctr__json *list, const struct where *linux_at, ctr_error_t **err)
{
	const struct where list_at = {.up = linux_at, .key = "namespaces"};
	size_t i = 0;

	if (list && list->count > NAMESPACES_MAX)
		return wrong(&list_at, err, "has too many entries");
	CTR__JSON_EACH (ns, list) {
		const char *type = ctr__json_str(ctr__json_get(ns, "type"));
		const struct where here = {.up = &list_at, .index = i++};

		for (const struct ctr__json *o = list->first; o != ns; o = o->next) {
			if (ctr__streq(ctr__json_str(ctr__json_get(o, "type")), type))
				return wrong(&here, err, "is of a type that the list already has");
		}
	}
	return 0;
}

static int check_program(
    const struct ctr__json *args, const struct where *process_at, ctr_error_t **err)
{
	const struct where args_at = {.up = process_at, .key = "args"};
	const struct where first_at = {.up = &args_at, .index = 0};

	if (args->first->len == 0)
		return wrong(&first_at, err, "must not be empty");
	return 0;
}

/* It becomes part of a line of /etc/hosts, and the kernel takes no longer one. Absent, null and empty: none. */
static int check_hostname(const struct ctr__json *spec, const struct where *top, ctr_error_t **err)
{
	const struct where here = {.up = top, .key = "hostname"};
	const struct ctr__json *name = ctr__json_get(spec, "hostname");

	if (!name || name->type != CTR__JSON_STRING)
		return 0;
	if (name->len > HOST_NAME_MAX)
		return wrong(&here, err, "is longer than 64 bytes");
	for (size_t i = 0; i < name->len; i++) {
		unsigned char c = (unsigned char)name->text[i];

		if (c <= ' ' || c == '/' || c == 0x7f)
			return wrong(&here, err, "has a blank, a slash or a control character");
	}
	return 0;
}

int ctr__spec_validate(const struct ctr__json *spec, ctr_error_t **err)
{
	const struct where top = {.key = "spec"};
	const struct where process_at = {.up = &top, .key = "process"};
	const struct where linux_at = {.up = &top, .key = "linux"};
	int r;

	if (!spec)
		return wrong(&top, err, "is missing");
	if ((r = check(&whole, spec, &top, err)) < 0 ||
	    (r = check_program(ctr__json_path(spec, "process", "args", NULL), &process_at, err)) <
	        0 ||
	    (r = check_hostname(spec, &top, err)) < 0)
		return r;
	return check_namespaces_once(
	    ctr__json_path(spec, "linux", "namespaces", NULL), &linux_at, err);
}
