/* SPDX-License-Identifier: Apache-2.0 */
/* Hook files: what is in one, and which containers it applies to. */
#include <errno.h>
#include <regex.h>
#include <unistd.h>

#include "spec/hooks.h"
#include "util/cleanup.h"

#define PATTERN_MAX 1024      /* bytes; regcomp() takes memory by the length */
#define TEXT_MAX    (8 << 10) /* bytes; regexec() may take the square of the length */
#define VERSION     "1.0.0"

static const char *const oci_stages[] = {"prestart", "createRuntime", "createContainer",
    "startContainer", "poststart", "poststop", NULL};

bool ctr__hook_stage_is_oci(const char *stage)
{
	return ctr__strv_has(oci_stages, stage);
}

/* ---- checking ---- */

/* The document under check. */
struct checked {
	const char *path;
	ctr_error_t **err;
};

static int wrong(const struct checked *c, const char *member, const char *what)
{
	ctr__fail(c->err, CTR_E_INVALID, "hook file %s: %s %s", c->path, member, what);
	ctr__error_detail(c->err, "path", c->path);
	ctr__error_detail(c->err, "field", member);
	return CTR_E_INVALID;
}

/* Absent is fine. */
static int check_type(const struct checked *c, const struct ctr__json *v, const char *member,
    enum ctr__json_type type)
{
	if (!v || v->type == type)
		return 0;
	switch (type) {
	case CTR__JSON_OBJECT: return wrong(c, member, "must be an object");
	case CTR__JSON_ARRAY: return wrong(c, member, "must be a list");
	case CTR__JSON_BOOL: return wrong(c, member, "must be true or false");
	default: return wrong(c, member, "must be a string");
	}
}

static int check_strings(const struct checked *c, const struct ctr__json *list, const char *member)
{
	int r = check_type(c, list, member, CTR__JSON_ARRAY);

	CTR__JSON_EACH (v, list) {
		if (r == 0 && v->type != CTR__JSON_STRING)
			r = wrong(c, member, "must be a list of strings");
	}
	return r;
}

static int check_timeout(const struct checked *c, const struct ctr__json *v)
{
	int64_t seconds;

	if (!v || (ctr__json_i64(v, &seconds) && seconds > 0 && seconds <= INT32_MAX))
		return 0;
	return wrong(c, "hook.timeout", "must be a number of seconds greater than 0");
}

static int check_program(const struct checked *c, const struct ctr__json *v)
{
	const char *path = ctr__json_str(v);

	if (!path || path[0] != '/')
		return wrong(c, "hook.path", "must be an absolute path");
	if (access(path, X_OK) == 0)
		return 0;
	int r = ctr__fail_errno(
	    c->err, errno, c->path, "hook file %s: hook.path %s cannot be executed", c->path, path);
	ctr__error_detail(c->err, "field", "hook.path");
	return r;
}

static int check_hook(const struct checked *c, const struct ctr__json *hook)
{
	int r;

	if (!hook)
		return wrong(c, "hook", "is missing");
	if ((r = check_type(c, hook, "hook", CTR__JSON_OBJECT)) < 0 ||
	    (r = check_strings(c, ctr__json_get(hook, "args"), "hook.args")) < 0 ||
	    (r = check_strings(c, ctr__json_get(hook, "env"), "hook.env")) < 0 ||
	    (r = check_timeout(c, ctr__json_get(hook, "timeout"))) < 0)
		return r;
	return check_program(c, ctr__json_get(hook, "path"));
}

/* Compiles a pattern. 0, CTR_E_NOMEM or CTR_E_INVALID. */
static int compile(regex_t *re, const char *pattern)
{
	int code;

	if (strlen(pattern) > PATTERN_MAX)
		return CTR_E_INVALID;
	code = regcomp(re, pattern, REG_EXTENDED | REG_NOSUB);
	if (code == 0)
		return 0;
	return code == REG_ESPACE ? CTR_E_NOMEM : CTR_E_INVALID;
}

static int check_pattern(const struct checked *c, const char *pattern, const char *member)
{
	regex_t re;
	int r = compile(&re, pattern);

	if (r == 0)
		regfree(&re);
	if (r == CTR_E_INVALID)
		return wrong(c, member, "has what is no extended regular expression");
	return r < 0 ? ctr__fail_nomem(c->err) : 0;
}

static int check_annotations(const struct checked *c, const struct ctr__json *map)
{
	static const char member[] = "when.annotations";
	int r = check_type(c, map, member, CTR__JSON_OBJECT);

	CTR__JSON_EACH (v, map) {
		if (r == 0 && v->type != CTR__JSON_STRING)
			r = wrong(c, member, "must map strings to strings");
		if (r == 0)
			r = check_pattern(c, v->key, member);
		if (r == 0)
			r = check_pattern(c, v->text, member);
	}
	return r;
}

static int check_commands(const struct checked *c, const struct ctr__json *list)
{
	static const char member[] = "when.commands";
	int r = check_strings(c, list, member);

	CTR__JSON_EACH (v, list) {
		if (r == 0)
			r = check_pattern(c, v->text, member);
	}
	return r;
}

static int check_when(const struct checked *c, const struct ctr__json *when)
{
	int r;

	if (!when)
		return wrong(c, "when", "is missing");
	if ((r = check_type(c, when, "when", CTR__JSON_OBJECT)) < 0 ||
	    (r = check_type(c, ctr__json_get(when, "always"), "when.always", CTR__JSON_BOOL)) < 0 ||
	    (r = check_type(c, ctr__json_get(when, "or"), "when.or", CTR__JSON_BOOL)) < 0 ||
	    (r = check_type(c, ctr__json_get(when, "hasBindMounts"), "when.hasBindMounts",
	         CTR__JSON_BOOL)) < 0 ||
	    (r = check_annotations(c, ctr__json_get(when, "annotations"))) < 0)
		return r;
	return check_commands(c, ctr__json_get(when, "commands"));
}

static int check_stages(const struct checked *c, const struct ctr__json *list)
{
	int r;

	if (!list)
		return wrong(c, "stages", "is missing");
	r = check_strings(c, list, "stages");
	if (r == 0 && list->count == 0)
		r = wrong(c, "stages", "is empty");
	CTR__JSON_EACH (v, list) {
		if (r == 0 && !ctr__hook_stage_is_oci(v->text) && strcmp(v->text, "precreate") != 0)
			r = wrong(c, "stages", "has an unknown stage");
	}
	return r;
}

int ctr__hook_check(const struct ctr__json *hook, const char *path, ctr_error_t **err)
{
	const struct checked c = {path, err};
	const char *version = ctr__json_str(ctr__json_get(hook, "version"));
	int r;

	if (hook->type != CTR__JSON_OBJECT || !version)
		return wrong(&c, "version", "is missing");
	if (strcmp(version, VERSION) != 0) {
		r = ctr__fail(err, CTR_E_UNSUPPORTED,
		    "hook file %s: version is not " VERSION ", the one that is known", path);
		ctr__error_detail(err, "path", path);
		ctr__error_detail(err, "field", "version");
		return r;
	}
	if ((r = check_hook(&c, ctr__json_get(hook, "hook"))) < 0 ||
	    (r = check_when(&c, ctr__json_get(hook, "when"))) < 0)
		return r;
	return check_stages(&c, ctr__json_get(hook, "stages"));
}

/* ---- matching ---- */

static void free_pattern(regex_t *re)
{
	regfree(re);
}

/* 1, 0, CTR_E_NOMEM, or CTR_E_INVALID: whoever chose the text must not be able to get around a hook, nor to keep us
 * busy for hours. */
static int matches(const regex_t *re, const char *text)
{
	int code;

	if (strlen(text) > TEXT_MAX)
		return CTR_E_INVALID;
	code = regexec(re, text, 0, NULL, 0);
	return code == REG_ESPACE ? CTR_E_NOMEM : code == 0;
}

/* Compiles what was found to be a pattern when the file was read. */
static int compile_checked(regex_t *re, const char *pattern)
{
	return compile(re, pattern) < 0 ? CTR_E_NOMEM : 0;
}

/* Is there an annotation whose key and value match? */
static int annotation_matches(const struct ctr__json *pattern, const struct ctr__json *annotations)
{
	regex_t re_key, re_value;

	if (compile_checked(&re_key, pattern->key) < 0)
		return CTR_E_NOMEM;
	CTR__CLEANUP(free_pattern) regex_t key = re_key;
	if (compile_checked(&re_value, pattern->text) < 0)
		return CTR_E_NOMEM;
	CTR__CLEANUP(free_pattern) regex_t value = re_value;
	CTR__JSON_EACH (a, annotations) {
		const char *text = ctr__json_str(a);
		int r = text ? matches(&key, a->key) : 0;

		if (r == 1)
			r = matches(&value, text);
		if (r != 0)
			return r;
	}
	return 0;
}

static int command_matches(const struct ctr__json *patterns, const char *command)
{
	CTR__JSON_EACH (p, patterns) {
		regex_t re;
		int r;

		if (!command)
			return 0;
		if (compile_checked(&re, p->text) < 0)
			return CTR_E_NOMEM;
		r = matches(&re, command);
		regfree(&re);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Conditions met and not met so far. */
struct tally {
	size_t met, unmet;
};

static int count(struct tally *t, int r)
{
	t->met += r == 1;
	t->unmet += r == 0;
	return r < 0 ? r : 0;
}

static int count_all(
    const struct ctr__json *when, const struct ctr__hook_subject *s, struct tally *t)
{
	const struct ctr__json *always = ctr__json_get(when, "always");
	const struct ctr__json *binds = ctr__json_get(when, "hasBindMounts");
	const struct ctr__json *commands = ctr__json_get(when, "commands");
	int r = 0;

	if (always)
		(void)count(t, always->boolean);
	if (binds)
		(void)count(t, binds->boolean && s->has_bind_mounts);
	CTR__JSON_EACH (p, ctr__json_get(when, "annotations")) {
		if (r == 0)
			r = count(t, annotation_matches(p, s->annotations));
	}
	if (r == 0 && commands && commands->count > 0)
		r = count(t, command_matches(commands, s->command));
	return r;
}

int ctr__hook_matches(
    const struct ctr__json *hook, const struct ctr__hook_subject *s, ctr_error_t **err)
{
	const struct ctr__json *when = ctr__json_get(hook, "when");
	struct tally t = {0};
	int r = count_all(when, s, &t);

	if (r == CTR_E_INVALID)
		return ctr__fail(err, CTR_E_INVALID,
		    "the container's command or one of its annotations has more than %d bytes, "
		    "which is too long to compare it with the patterns of hook files",
		    TEXT_MAX);
	if (r < 0)
		return ctr__fail_nomem(err);
	/* Without any condition it applies to nothing. */
	return t.met > 0 && (t.unmet == 0 || ctr__json_bool(ctr__json_get(when, "or")));
}
