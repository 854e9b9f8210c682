/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: resource limits of the process. */
#include <errno.h>
#include <sys/resource.h>

#include "spec/gen.h"
#include "spec/host.h"

#define RLIMIT_WANTED 1048576

static bool has_rlimit(const struct ctr__json *list, const char *type)
{
	CTR__JSON_EACH (one, list) {
		if (ctr__streq(ctr__json_str(ctr__json_get(one, "type")), type))
			return true;
	}
	return false;
}

static void want_rlimit(struct ctr__gen *g, struct ctr__json *list, const char *type, int resource)
{
	struct rlimit ours;

	if (!list || has_rlimit(list, type))
		return;
	if (getrlimit((__rlimit_resource_t)resource, &ours) < 0) {
		g->code =
		    ctr__fail_errno(g->err, errno, NULL, "cannot read our own resource limits");
		return;
	}
	uint64_t limit = ctr__host_clamp_rlimit(&ours, RLIMIT_WANTED);
	struct ctr__json *one = ctr__edit_add_object(&g->e, list);

	ctr__edit_str(&g->e, one, "type", type);
	ctr__edit_u64(&g->e, one, "hard", limit);
	ctr__edit_u64(&g->e, one, "soft", limit);
}

/* The limits of whoever starts it, not of whoever made the configuration, are those that can be kept. */
void ctr__gen_rlimits(struct ctr__gen *g)
{
	struct ctr__json *list = ctr__edit_want_array(&g->e, g->process, "rlimits");

	want_rlimit(g, list, "RLIMIT_NOFILE", RLIMIT_NOFILE);
	want_rlimit(g, list, "RLIMIT_NPROC", RLIMIT_NPROC);
}
