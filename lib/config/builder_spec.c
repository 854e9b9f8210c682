/* SPDX-License-Identifier: Apache-2.0 */
/* From a builder's fields and shorthands to a spec. */
#include "config/builder_spec.h"

#include "spec/spec.h"
#include "spec/wish.h"
#include "util/cleanup.h"

#define MAX_USER_ID (UINT32_MAX - 1) /* the last number means "none" to the kernel */

#define CTR_SHORTHAND(name, kind, member)                                                \
	{CTR_SPEC_##name, CTR__CFG_##kind, offsetof(struct ctr__cfg_shorthands, member), \
	    "CTR_SPEC_" #name, #name},
const struct ctr__cfg_field ctr__cfg_shorthand_fields[] = {
#include "config/shorthands.def"
};
#undef CTR_SHORTHAND

const size_t ctr__cfg_shorthand_fields_n = CTR__ARRAY_SIZE(ctr__cfg_shorthand_fields);

static int decode_shorthands(struct ctr__arena *a, const struct ctr__json *object,
    struct ctr__cfg_shorthands *out, ctr_error_t **err)
{
	for (size_t i = 0; i < ctr__cfg_shorthand_fields_n; i++) {
		const struct ctr__cfg_field *f = &ctr__cfg_shorthand_fields[i];
		const struct ctr__json *v = ctr__json_get(object, f->key);
		bool present;
		int r =
		    v ? ctr__cfg_decode_value(a, f, v, (char *)out + f->offset, &present, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int join_arguments(
    struct ctr__arena *a, const ctr_config_t *cfg, const char *const **out, ctr_error_t **err)
{
	const struct ctr__cfg_list *lists[] = {&cfg->entrypoint, &cfg->command};
	const size_t most = cfg->entrypoint.n + cfg->command.n;
	const char **args;
	size_t n = 0;

	if (most == 0)
		return ctr__cfg_bad(err, CTR_E_INVALID, "command",
		    "is empty, and so is entrypoint: there is nothing to run");
	if (!(args = ctr__arena_alloc(a, (most + 1) * sizeof(*args))))
		return ctr__fail_nomem(err);
	for (size_t l = 0; l < CTR__ARRAY_SIZE(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			args[n++] = lists[l]->v[i];
	*out = args;
	return 0;
}

static int check_host_network(const ctr_config_t *cfg, bool host_network, ctr_error_t **err)
{
	static const char field[] = "CTR_SPEC_HOST_NETWORK";

	if (host_network && cfg->create_net_ns)
		return ctr__cfg_bad(err, CTR_E_INVALID, field, "true excludes createNetNS true");
	if (host_network && cfg->net_ns_ctr)
		return ctr__cfg_bad(err, CTR_E_INVALID, field, "true excludes netNsCtr %s",
		    CTR__CFG_SHOW(cfg->net_ns_ctr));
	return 0;
}

static void make_wish(const ctr_config_t *cfg, const struct ctr__cfg_shorthands *s,
    const char *const *args, struct ctr__spec_wish *w)
{
	*w = (struct ctr__spec_wish){
	    .args = args,
	    .env = s->env.v,
	    .binds = s->binds.v,
	    .cap_add = s->cap_add.v,
	    .cap_drop = s->cap_drop.v,
	    .annotations = &s->annotations,
	    .workdir = s->workdir,
	    .hostname = s->hostname,
	    .memory = s->memory,
	    .pids = s->pids,
	    .cpu_quota = s->cpu_quota,
	    .terminal = s->terminal,
	    .host_network = s->host_network,
	    .privileged = cfg->privileged,
	    .read_only = cfg->read_only,
	    .no_new_privs = cfg->no_new_privs,
	    .no_cgroups = cfg->no_cgroups,
	    .join_ipc = cfg->ipc_ns_ctr,
	    .join_mount = cfg->mount_ns_ctr,
	    .join_net = cfg->net_ns_ctr,
	    .join_pid = cfg->pid_ns_ctr,
	    .join_user = cfg->user_ns_ctr,
	    .join_uts = cfg->uts_ns_ctr,
	    .join_cgroup = cfg->cgroup_ns_ctr,
	};
}

/* ---- users: what is a number already; names are looked up in the root file system, at init ---- */

/* *numeric false: a name. */
static int parse_user_id(
    const char *field, const char *s, bool *numeric, uint64_t *out, ctr_error_t **err)
{
	*out = 0;
	*numeric = strcmp(s, "root") == 0 || ctr__parse_u64(s, MAX_USER_ID, out);
	if (!*numeric && s[0] && s[strspn(s, "0123456789")] == '\0')
		return ctr__cfg_bad(err, CTR_E_INVALID, field, "%s is no ID: at most %u",
		    CTR__CFG_SHOW(s), MAX_USER_ID);
	return 0;
}

static int split_user(
    const char *text, bool *numeric, uint64_t *uid, uint64_t *gid, ctr_error_t **err)
{
	const char *colon = strchr(text, ':');
	CTR__FREE char *user = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	bool group = true;

	if (!user)
		return ctr__fail_nomem(err);
	if (!user[0] || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return ctr__cfg_bad_value(err, "user", text, "is not \"user\" or \"user:group\"");
	*gid = 0;
	int r = parse_user_id("user", user, numeric, uid, err);

	if (r == 0 && colon)
		r = parse_user_id("user", colon + 1, &group, gid, err);
	*numeric = *numeric && group;
	return r;
}

static int set_groups(
    const ctr_config_t *cfg, struct ctr__json_doc *d, struct ctr__json *user, ctr_error_t **err)
{
	for (size_t i = 0; i < cfg->groups.n; i++) {
		struct ctr__json *list;
		bool numeric;
		uint64_t gid;
		int r = parse_user_id("groups", cfg->groups.v[i], &numeric, &gid, err);

		if (r < 0)
			return r;
		if (!numeric)
			continue;
		list = ctr__json_want_array(d, user, "additionalGids");
		if (!list || !ctr__json_append(d, list, ctr__json_new_u64(d, gid)))
			return ctr__fail_nomem(err);
	}
	return 0;
}

static int set_user(
    const ctr_config_t *cfg, struct ctr__json_doc *d, struct ctr__json *spec, ctr_error_t **err)
{
	uint64_t uid = 0, gid = 0;
	bool numeric = true;
	int r = cfg->user ? split_user(cfg->user, &numeric, &uid, &gid, err) : 0;

	if (r < 0 || (!cfg->user && cfg->groups.n == 0))
		return r;
	struct ctr__json *process = ctr__json_want_object(d, spec, "process");
	struct ctr__json *user = process ? ctr__json_want_object(d, process, "user") : NULL;

	if (!user)
		return ctr__fail_nomem(err);
	if (numeric && (!ctr__json_set(d, user, "uid", ctr__json_new_u64(d, uid)) ||
	                   !ctr__json_set(d, user, "gid", ctr__json_new_u64(d, gid))))
		return ctr__fail_nomem(err);
	return set_groups(cfg, d, user, err);
}

int ctr__cfg_make_spec(const struct ctr__json *fields, const struct ctr__json *shorthands,
    struct ctr__json_doc *d, struct ctr__json **out, ctr_error_t **err)
{
	CTR__ARENA struct ctr__arena arena = {0};
	CTR__CONFIG ctr_config_t *cfg = NULL;
	struct ctr__cfg_shorthands s = {0};
	struct ctr__spec_wish wish;
	const char *const *args = NULL;
	int r = ctr__cfg_decode(fields, &cfg, err);

	if (r == 0)
		r = decode_shorthands(&arena, shorthands, &s, err);
	if (r == 0)
		r = join_arguments(&arena, cfg, &args, err);
	if (r == 0)
		r = check_host_network(cfg, s.host_network, err);
	if (r < 0)
		return r;
	make_wish(cfg, &s, args, &wish);
	r = ctr__spec_default(&wish, d, out, err);
	return r < 0 ? r : set_user(cfg, d, *out, err);
}

/* ---- user volumes: a bind mount that is asked for is one ---- */

static bool lists(const struct ctr__json *list, const char *text)
{
	CTR__JSON_EACH (e, list) {
		if (ctr__streq(ctr__json_str(e), text))
			return true;
	}
	return false;
}

int ctr__cfg_note_binds(
    const struct ctr__json *shorthands, struct ctr__json_doc *d, ctr_error_t **err)
{
	const struct ctr__json *binds = ctr__json_get(shorthands, "CTR_SPEC_BIND");
	struct ctr__json *volumes;

	if (!binds || binds->count == 0)
		return 0;
	volumes = ctr__json_want_array(d, d->root, "userVolumes");
	if (!volumes)
		return ctr__fail_nomem(err);
	CTR__JSON_EACH (text, binds) {
		CTR__WISH_BIND struct ctr__wish_bind bind = {0};
		int r = ctr__wish_bind_parse(text->text, &bind, err);

		if (r < 0)
			return r;
		if (!lists(volumes, bind.dest) &&
		    !ctr__json_append(d, volumes, ctr__json_new_str(d, bind.dest)))
			return ctr__fail_nomem(err);
	}
	return 0;
}
