/* SPDX-License-Identifier: Apache-2.0 */
/* Labels as text: user:role:type[:level], where the level may hold colons. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/selinux.h"
#include "util/cleanup.h"
#include "util/str.h"

#define VALUE_MAX 255

static const char *const parts[] = {"user", "role", "type", "level", "filetype"};

static int bad_option(const char *opt, const char *what, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_INVALID, "label option \"%.*s\" %s", VALUE_MAX, opt, what);
	ctr__error_detail(err, "field", "labelopts");
	return CTR_E_INVALID;
}

static bool is_switch(const char *opt)
{
	return strcmp(opt, "disable") == 0 || strcmp(opt, "nested") == 0;
}

/* Is `opt` "<part>:..."? Then its value. */
static const char *value_of(const char *opt, const char *part)
{
	size_t len = strlen(part);

	return strncmp(opt, part, len) == 0 && opt[len] == ':' ? opt + len + 1 : NULL;
}

/* A level is "s0:c1,c2" or "s0-s0:c0.c1023"; everything else is a name. */
static bool is_value(const char *s, bool level)
{
	if (!*s || strlen(s) > VALUE_MAX)
		return false;
	for (; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr("_-.", *s) || (level && strchr(":,", *s)))
			continue;
		return false;
	}
	return true;
}

int ctr__selinux_check_opts(const char *const *opts, ctr_error_t **err)
{
	for (; opts && *opts; opts++) {
		const char *value = NULL;
		bool level = false;

		if (is_switch(*opts))
			continue;
		for (size_t i = 0; !value && i < CTR__ARRAY_SIZE(parts); i++) {
			value = value_of(*opts, parts[i]);
			level = strcmp(parts[i], "level") == 0;
		}
		if (!value)
			return bad_option(*opts,
			    "is not disable, nested, user:U, role:R, type:T, level:L or filetype:T",
			    err);
		if (!is_value(value, level))
			return bad_option(*opts, "has no proper value", err);
	}
	return 0;
}

bool ctr__selinux_opts_disable(const char *const *opts)
{
	return ctr__strv_has(opts, "disable");
}

/* The last option counts. */
static const char *option(const char *const *opts, const char *part)
{
	const char *found = NULL;

	for (; opts && *opts; opts++) {
		const char *value = value_of(*opts, part);

		found = value ? value : found;
	}
	return found;
}

/* The value of a line `key = "value"`; malloc'ed, NULL if there is none. */
static char *lookup(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *l = text; l && *l; l = strchr(l, '\n')) {
		l += strspn(l, " \t\n");
		const char *p = l + len;

		if (strncmp(l, key, len) != 0 || *(p += strspn(p, " \t")) != '=')
			continue;
		p += 1 + strspn(p + 1, " \t");
		if (*p != '"')
			continue;
		return strndup(p + 1, strcspn(p + 1, "\"\n"));
	}
	return NULL;
}

/* user:role:type:level taken apart in place; the level is NULL if the policy has none. */
static bool split(char *context, char *out[4])
{
	char *rest = context;

	for (int i = 0; i < 3; i++) {
		out[i] = strsep(&rest, ":");
		if (!out[i] || !*out[i])
			return false;
	}
	out[3] = rest;
	return true;
}

/* The policy's level with our categories, unless one is asked for. */
static char *new_level(const char *policy, const char *wanted, unsigned int a, unsigned int b)
{
	if (wanted)
		return strdup(wanted);
	return ctr__format(
	    "%.*s:c%u,c%u", (int)strcspn(policy, ":-"), policy, a < b ? a : b, a < b ? b : a);
}

static int bad_policy(const char *key, ctr_error_t **err)
{
	return ctr__fail(
	    err, CTR_E_SYSTEM, "the SELinux policy's lxc_contexts has no usable \"%s\"", key);
}

/* One context with what is asked for put into it; `level` goes where the policy has one. */
static int compose_one(const char *contexts, const char *key, const char *const wanted[3],
    const char *level, char **out, ctr_error_t **err)
{
	CTR__FREE char *context = lookup(contexts, key);
	char *field[4];

	if (!context || !split(context, field))
		return bad_policy(key, err);
	for (int i = 0; i < 3; i++)
		field[i] = wanted[i] ? (char *)(uintptr_t)wanted[i] : field[i];
	if (field[3] && level)
		*out = ctr__format("%s:%s:%s:%s", field[0], field[1], field[2], level);
	else
		*out = ctr__format("%s:%s:%s", field[0], field[1], field[2]);
	return *out ? 0 : ctr__fail_nomem(err);
}

int ctr__selinux_compose(const char *contexts, const char *const *opts, unsigned int category_a,
    unsigned int category_b, char **process, char **file, ctr_error_t **err)
{
	const char *const of_process[3] = {
	    option(opts, "user"), option(opts, "role"), option(opts, "type")};
	const char *const of_file[3] = {NULL, NULL, option(opts, "filetype")};
	CTR__FREE char *base = lookup(contexts, "process");
	CTR__FREE char *level = NULL;
	CTR__FREE char *p = NULL;
	char *field[4];
	int r;

	*process = *file = NULL;
	if (!base || !split(base, field))
		return bad_policy("process", err);
	if (field[3] &&
	    !(level = new_level(field[3], option(opts, "level"), category_a, category_b)))
		return ctr__fail_nomem(err);
	r = compose_one(contexts, "process", of_process, level, &p, err);
	if (r >= 0)
		r = compose_one(contexts, "file", of_file, level, file, err);
	if (r >= 0)
		*process = CTR__STEAL_PTR(p);
	return r;
}
