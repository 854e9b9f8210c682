/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: annotations, and where the kernel accounts for the container. */
#include "spec/gen.h"
#include "util/cleanup.h"

#define STOP_SIGNAL_DEFAULT 15

static void want_annotation(struct ctr__gen *g, const char *key, const char *value)
{
	struct ctr__json *map = ctr__edit_want_object(&g->e, g->spec, "annotations");

	if (map && !ctr__json_get(map, key))
		ctr__edit_str(&g->e, map, key, value);
}

void ctr__gen_annotations(struct ctr__gen *g)
{
	int64_t sig = g->cfg->stop_signal ? g->cfg->stop_signal : STOP_SIGNAL_DEFAULT;
	CTR__FREE char *number = ctr__format("%lld", (long long)sig);

	if (!number) {
		g->e.failed = true;
		return;
	}
	want_annotation(g, "org.opencontainers.image.stopSignal", number);
	want_annotation(g, "io.container.manager", "libctr");
}

void ctr__gen_cgroup(struct ctr__gen *g)
{
	struct ctr__json *lnx = ctr__json_get(g->spec, "linux");

	if (g->facts->cgroup_path)
		ctr__edit_str(&g->e, ctr__gen_linux(g), "cgroupsPath", g->facts->cgroup_path);
	else if (lnx && lnx->type == CTR__JSON_OBJECT)
		ctr__json_unset(lnx, "cgroupsPath");
}
