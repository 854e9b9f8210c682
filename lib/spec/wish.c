/* SPDX-License-Identifier: Apache-2.0 */
/* Checking what a default spec is wished to be. */
#include "spec/wish.h"

#include <limits.h>
#include <stdlib.h>

#include "spec/mounts.h"
#include "util/cleanup.h"

#define INVALID(err, field, ...)                                          \
	({                                                                \
		int code_ = ctr__fail((err), CTR_E_INVALID, __VA_ARGS__); \
		ctr__error_detail((err), "field", (field));               \
		code_;                                                    \
	})

static int check_text(const char *s, const char *field, ctr_error_t **err)
{
	if (s && !ctr__utf8_valid(s, strlen(s)))
		return INVALID(err, field, "%s is not valid UTF-8", field);
	return 0;
}

static int check_texts(const char *const *v, const char *field, ctr_error_t **err)
{
	for (; v && *v; v++) {
		int r = check_text(*v, field, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_args(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	if (!w->args || !w->args[0])
		return INVALID(err, "command", "no command and no entry point given");
	if (!w->args[0][0])
		return INVALID(err, "command", "the program to run is an empty string");
	return check_texts(w->args, "command", err);
}

static int check_env(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	for (const char *const *v = w->env; v && *v; v++) {
		const char *eq = strchr(*v, '=');

		if (!eq || eq == *v)
			return INVALID(err, "CTR_SPEC_ENV",
			    "environment variable \"%s\" is not of the form NAME=value", *v);
	}
	return check_texts(w->env, "CTR_SPEC_ENV", err);
}

static int check_workdir(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	if (w->workdir && w->workdir[0] != '/')
		return INVALID(err, "CTR_SPEC_WORKDIR",
		    "working directory \"%s\" is not an absolute path", w->workdir);
	return check_text(w->workdir, "CTR_SPEC_WORKDIR", err);
}

/* The kernel takes any bytes up to its limit; what would break /etc/hosts or a shell prompt is refused. */
static int check_hostname(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	const char *h = w->hostname;

	if (!h)
		return 0;
	if (w->join_uts)
		return INVALID(err, "CTR_SPEC_HOSTNAME",
		    "a hostname cannot be set in a UTS namespace of another container");
	if (!*h || strlen(h) > HOST_NAME_MAX)
		return INVALID(err, "CTR_SPEC_HOSTNAME",
		    "hostname \"%s\" is not 1 to %d bytes long", h, HOST_NAME_MAX);
	for (; *h; h++) {
		if ((unsigned char)*h <= ' ' || *h == '/' || *h == 0x7f)
			return INVALID(err, "CTR_SPEC_HOSTNAME",
			    "the hostname has a blank, a slash or a control character");
	}
	return check_text(w->hostname, "CTR_SPEC_HOSTNAME", err);
}

static int check_annotations(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	size_t n = w->annotations ? w->annotations->n : 0;

	for (size_t i = 0; i < n; i++) {
		const struct ctr__cfg_pair *p = &w->annotations->v[i];
		int r;

		if (!p->key || !*p->key || !p->value)
			return INVALID(
			    err, "CTR_SPEC_ANNOTATION", "an annotation has no name or no value");
		if ((r = check_text(p->key, "CTR_SPEC_ANNOTATION", err)) < 0 ||
		    (r = check_text(p->value, "CTR_SPEC_ANNOTATION", err)) < 0)
			return r;
	}
	return 0;
}

static int check_limits(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	const struct {
		const char *field;
		int64_t value, least;
	} limits[] = {
	    {"CTR_SPEC_MEMORY", w->memory, 0},
	    {"CTR_SPEC_PIDS", w->pids, -1},
	    {"CTR_SPEC_CPU_QUOTA", w->cpu_quota, 0},
	};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(limits); i++) {
		if (limits[i].value < limits[i].least)
			return INVALID(err, limits[i].field, "%s is %lld, less than %lld",
			    limits[i].field, (long long)limits[i].value,
			    (long long)limits[i].least);
		if (w->no_cgroups && limits[i].value > 0)
			return INVALID(err, limits[i].field,
			    "%s needs a cgroup, but the container is to have none",
			    limits[i].field);
	}
	return 0;
}

static int check_binds(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	for (const char *const *v = w->binds; v && *v; v++) {
		CTR__WISH_BIND struct ctr__wish_bind b = {0};
		int r = ctr__wish_bind_parse(*v, &b, err);

		for (const char *const *o = w->binds; r == 0 && o < v; o++) {
			CTR__WISH_BIND struct ctr__wish_bind earlier = {0};

			r = ctr__wish_bind_parse(*o, &earlier, err);
			if (r == 0 && ctr__mounts_same_dest(earlier.dest, b.dest))
				r = INVALID(err, "CTR_SPEC_BIND",
				    "two bind mounts have the destination \"%s\"", b.dest);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int ctr__wish_check(const struct ctr__spec_wish *w, ctr_error_t **err)
{
	static int (*const checks[])(const struct ctr__spec_wish *, ctr_error_t **) = {check_args,
	    check_env, check_workdir, check_hostname, check_annotations, check_limits, check_binds};

	if (w->host_network && w->join_net)
		return INVALID(err, "CTR_SPEC_HOST_NETWORK",
		    "the host's network and the network of another container exclude each other");
	for (size_t i = 0; i < CTR__ARRAY_SIZE(checks); i++) {
		int r = checks[i](w, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void ctr__wish_bind_clear(struct ctr__wish_bind *b)
{
	free(b->source);
	free(b->dest);
	*b = (struct ctr__wish_bind){0};
}

static int bind_check_paths(const char *text, const struct ctr__wish_bind *b, ctr_error_t **err)
{
	if (b->source[0] != '/')
		return INVALID(err, "CTR_SPEC_BIND",
		    "bind mount \"%s\": the host's path is not absolute", text);
	if (b->dest[0] != '/')
		return INVALID(err, "CTR_SPEC_BIND",
		    "bind mount \"%s\": the container's path is not absolute", text);
	if (ctr__mounts_same_dest(b->dest, "/"))
		return INVALID(err, "CTR_SPEC_BIND",
		    "bind mount \"%s\": the container's root cannot be mounted over", text);
	return check_text(text, "CTR_SPEC_BIND", err);
}

int ctr__wish_bind_parse(const char *text, struct ctr__wish_bind *out, ctr_error_t **err)
{
	CTR__WISH_BIND struct ctr__wish_bind b = {0};
	const char *colon = strchr(text, ':');
	const char *options = colon ? strchr(colon + 1, ':') : NULL;

	if (!colon)
		return INVALID(err, "CTR_SPEC_BIND",
		    "bind mount \"%s\" is not of the form /host:/container[:ro]", text);
	b.read_only = options && strcmp(options, ":ro") == 0;
	if (options && !b.read_only && strcmp(options, ":rw") != 0)
		return INVALID(err, "CTR_SPEC_BIND",
		    "bind mount \"%s\": the option is neither \"ro\" nor \"rw\"", text);

	b.source = strndup(text, (size_t)(colon - text));
	b.dest = options ? strndup(colon + 1, (size_t)(options - colon - 1)) : strdup(colon + 1);
	if (!b.source || !b.dest)
		return ctr__fail_nomem(err);
	int r = bind_check_paths(text, &b, err);
	if (r < 0)
		return r;
	*out = b;
	b = (struct ctr__wish_bind){0};
	return 0;
}
