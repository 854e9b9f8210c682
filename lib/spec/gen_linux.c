/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: annotations, where the kernel accounts for the container, what of it is hidden. */
#include <inttypes.h>

#include "spec/gen.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define STOP_SIGNAL_DEFAULT 15
#define US_PER_S            INT64_C(1000000)
#define POWERCAP            "/sys/devices/virtual/powercap"

/* ---- annotations ---- */

/* What the user has written stays. */
static void want_annotation(struct ctr__gen *g, const char *key, const char *value)
{
	struct ctr__json *map = ctr__edit_want_object(&g->e, g->spec, "annotations");

	if (map && !ctr__json_get(map, key))
		ctr__edit_str(&g->e, map, key, value);
}

static void want_number(struct ctr__gen *g, const char *key, const char *type, int64_t value)
{
	CTR__FREE char *text = ctr__format("%s%" PRId64, type, value);

	if (text)
		want_annotation(g, key, text);
	else
		g->e.failed = true;
}

/* Text of GVariants, by which OCI runtimes set properties of the scope. */
static void edit_systemd_properties(struct ctr__gen *g, int64_t stop_signal)
{
	int64_t timeout = g->cfg->stop_timeout;

	want_number(g, "org.systemd.property.KillSignal", "", stop_signal);
	if (timeout <= INT64_MAX / US_PER_S)
		want_number(
		    g, "org.systemd.property.TimeoutStopUSec", "uint64 ", timeout * US_PER_S);
}

void ctr__gen_annotations(struct ctr__gen *g)
{
	int64_t sig = g->cfg->stop_signal ? g->cfg->stop_signal : STOP_SIGNAL_DEFAULT;
	char created[CTR__RFC3339_MAX];

	want_number(g, "org.opencontainers.image.stopSignal", "", sig);
	want_annotation(g, "io.container.manager", "libctr");
	if (g->cfg->created_ns) {
		ctr__rfc3339_format(g->cfg->created_ns, created);
		want_annotation(g, "io.kubernetes.cri-o.Created", created);
	}
	if (g->facts->systemd_cgroup)
		edit_systemd_properties(g, sig);
}

/* ---- cgroup ---- */

void ctr__gen_cgroup(struct ctr__gen *g)
{
	struct ctr__json *lnx = ctr__json_get(g->spec, "linux");

	if (g->facts->cgroup_path)
		ctr__edit_str(&g->e, ctr__gen_linux(g), "cgroupsPath", g->facts->cgroup_path);
	else if (lnx && lnx->type == CTR__JSON_OBJECT)
		ctr__json_unset(lnx, "cgroupsPath");
}

/* ---- hidden paths ---- */

static bool covers(const char *path, const char *of)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	return strncmp(path, of, len) == 0 && (of[len] == '/' || of[len] == '\0');
}

static bool hides(const struct ctr__json *list, const char *path)
{
	CTR__JSON_EACH (v, list) {
		const char *s = ctr__json_str(v);

		if (s && covers(s, path))
			return true;
	}
	return false;
}

/*
 * How much energy the host uses tells what its other processes compute, so a container that is not privileged
 * does not see it, whoever wrote its spec. Only a mount namespace of its own can hide anything.
 */
void ctr__gen_hidden_paths(struct ctr__gen *g)
{
	struct ctr__json *lnx = ctr__json_get(g->spec, "linux");
	struct ctr__json *list;

	if (g->cfg->privileged) {
		if (lnx && lnx->type == CTR__JSON_OBJECT) {
			ctr__json_unset(lnx, "maskedPaths");
			ctr__json_unset(lnx, "readonlyPaths");
		}
		return;
	}
	if (!ctr__gen_own_namespace(g, "mount"))
		return;
	list = ctr__edit_want_array(&g->e, ctr__gen_linux(g), "maskedPaths");
	if (list && !hides(list, POWERCAP))
		ctr__edit_add_str(&g->e, list, POWERCAP);
}
