/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generating: propagation of mounts. What is mounted on a volume later shows up on the other side only if every mount
 * on the way takes part: the one that the host's directory is on, and the container's root.
 */
#include "spec/gen.h"
#include "sys/mount.h"
#include "util/cleanup.h"

enum spread { SPREAD_NONE, SPREAD_SLAVE, SPREAD_SHARED };

static enum spread spread_of(const char *option)
{
	if (ctr__streq(option, "shared") || ctr__streq(option, "rshared"))
		return SPREAD_SHARED;
	if (ctr__streq(option, "slave") || ctr__streq(option, "rslave"))
		return SPREAD_SLAVE;
	return SPREAD_NONE;
}

/* What a bind mount asks for. */
static enum spread wanted_by(const struct ctr__json *mount)
{
	bool is_bind = ctr__streq(ctr__json_str(ctr__json_get(mount, "type")), "bind");
	enum spread most = SPREAD_NONE;

	CTR__JSON_EACH (option, ctr__json_get(mount, "options")) {
		const char *s = ctr__json_str(option);
		enum spread one = spread_of(s);

		if (ctr__streq(s, "bind") || ctr__streq(s, "rbind"))
			is_bind = true;
		if (one > most)
			most = one;
	}
	return is_bind ? most : SPREAD_NONE;
}

static int refuse(struct ctr__gen *g, const char *source, const char *mount, enum spread wanted)
{
	int r = ctr__fail(g->err, CTR_E_INVALID,
	    "volume %s is to have %s propagation, but it is on the mount %s, which is %s", source,
	    wanted == SPREAD_SHARED ? "shared" : "slave", mount,
	    wanted == SPREAD_SHARED ? "not shared" : "neither shared nor a slave");

	ctr__error_detail(g->err, "path", source);
	ctr__error_detail(g->err, "field", "spec.mounts");
	return r;
}

/* Does the host's side spread what is mounted there? */
static int check_source(struct ctr__gen *g, const struct ctr__json *mount, enum spread wanted)
{
	const char *source = ctr__json_str(ctr__json_get(mount, "source"));
	struct ctr__propagation p;
	int r;

	if (!source || source[0] != '/')
		return 0; /* the runtime takes it as it likes */
	r = ctr__mount_propagation(source, &p);
	if (r < 0)
		return ctr__fail_errno(
		    g->err, -r, source, "cannot find the mount that volume %s is on", source);
	CTR__FREE char *point = p.mount;
	if (p.shared || (wanted == SPREAD_SLAVE && p.slave))
		return 0;
	return refuse(g, source, point, wanted);
}

void ctr__gen_propagation(struct ctr__gen *g)
{
	enum spread most = SPREAD_NONE, now;

	CTR__JSON_EACH (mount, ctr__json_get(g->spec, "mounts")) {
		enum spread wanted = wanted_by(mount);

		if (wanted != SPREAD_NONE && (g->code = check_source(g, mount, wanted)) < 0)
			return;
		if (wanted > most)
			most = wanted;
	}
	if (most == SPREAD_NONE)
		return;
	now = spread_of(ctr__json_str(ctr__json_path(g->spec, "linux", "rootfsPropagation", NULL)));
	if (now < most)
		ctr__edit_str(&g->e, ctr__gen_linux(g), "rootfsPropagation",
		    most == SPREAD_SHARED ? "shared" : "rslave");
}
