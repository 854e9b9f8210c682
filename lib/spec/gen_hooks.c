/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generating: hooks out of hook directories. Which of them apply is asked of the spec as it was configured. Those
 * of the OCI runtime's stages are appended to the spec's own; precreate hooks then filter the spec.
 */
#include "spec/gen.h"
#include "util/cleanup.h"

#define PRECREATE "precreate"

static bool has_bind_mounts(const struct ctr__gen *g)
{
	if (g->cfg->user_volumes.n > 0)
		return true;
	CTR__JSON_EACH (mount, ctr__json_get(g->spec, "mounts")) {
		if (ctr__streq(ctr__json_str(ctr__json_get(mount, "type")), "bind"))
			return true;
		CTR__JSON_EACH (option, ctr__json_get(mount, "options")) {
			const char *s = ctr__json_str(option);

			if (ctr__streq(s, "bind") || ctr__streq(s, "rbind"))
				return true;
		}
	}
	return false;
}

void ctr__gen_find_hooks(struct ctr__gen *g)
{
	const struct ctr__json *args = ctr__json_get(g->process, "args");
	const struct ctr__hook_subject subject = {
	    .annotations = ctr__json_get(g->spec, "annotations"),
	    .command = args ? ctr__json_str(args->first) : NULL,
	    .has_bind_mounts = has_bind_mounts(g),
	};

	if (!g->facts->hooks_dirs)
		return;
	g->code = ctr__hook_list_read(g->facts->hooks_dirs, &g->hooks, g->err);
	if (g->code == 0)
		g->code = ctr__hook_list_select(&g->hooks, &subject, g->err);
}

/* ---- the OCI runtime's ---- */

/* What a hook of a spec may have. */
static void copy_hook(struct ctr__edit *e, struct ctr__json *list, const struct ctr__json *hook)
{
	static const char *const members[] = {"path", "args", "env", "timeout"};
	struct ctr__json *one = ctr__edit_add_object(e, list);

	for (size_t i = 0; one && i < CTR__ARRAY_SIZE(members); i++) {
		const struct ctr__json *v = ctr__json_get(hook, members[i]);

		if (v && !ctr__json_set(e->doc, one, members[i], ctr__json_copy(e->doc, v)))
			e->failed = true;
	}
}

static bool has_stage(const struct ctr__hook_file *f, const char *stage)
{
	CTR__JSON_EACH (s, ctr__json_get(f->doc->root, "stages")) {
		if (ctr__streq(ctr__json_str(s), stage))
			return true;
	}
	return false;
}

static void add_hooks(struct ctr__gen *g, const struct ctr__hook_file *f)
{
	const struct ctr__json *stages = ctr__json_get(f->doc->root, "stages");

	CTR__JSON_EACH (stage, stages) {
		const char *name = ctr__json_str(stage);

		if (!ctr__hook_stage_is_oci(name))
			continue;
		struct ctr__json *hooks = ctr__edit_want_object(&g->e, g->spec, "hooks");
		copy_hook(&g->e, ctr__edit_want_array(&g->e, hooks, name),
		    ctr__json_get(f->doc->root, "hook"));
	}
}

/* ---- precreate ---- */

/* Absent is the same as false or empty: hooks may leave such members out. */
static bool same(const struct ctr__json *a, const struct ctr__json *b)
{
	const char *text_a = ctr__json_str(a), *text_b = ctr__json_str(b);

	return ctr__json_bool(a) == ctr__json_bool(b) &&
	       ctr__streq(text_a ? text_a : "", text_b ? text_b : "");
}

/* The library mounts, limits and attaches by these: a hook that changes them would make it lose the container. */
static int check_kept(const struct ctr__gen *g, const struct ctr__json *now, const char *path)
{
	static const struct {
		const char *object, *member, *name;
	} kept[] = {{"root", "path", "root.path"}, {"linux", "cgroupsPath", "linux.cgroupsPath"},
	    {"process", "terminal", "process.terminal"}};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(kept); i++) {
		if (same(ctr__json_path(g->spec, kept[i].object, kept[i].member, NULL),
		        ctr__json_path(now, kept[i].object, kept[i].member, NULL)))
			continue;
		ctr__fail(g->err, CTR_E_INVALID,
		    "precreate hook %s: it changed %s, which is not its to choose", path,
		    kept[i].name);
		ctr__error_detail(g->err, "path", path);
		return CTR_E_INVALID;
	}
	return 0;
}

static int filter(struct ctr__gen *g, const struct ctr__json *hook)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	int r = ctr__hook_filter(hook, g->spec, &doc, g->err);

	if (r == 0)
		r = check_kept(g, doc->root, ctr__json_str(ctr__json_get(hook, "path")));
	if (r < 0)
		return r;
	ctr__json_doc_free(g->e.doc);
	g->e.doc = CTR__STEAL_PTR(doc);
	g->spec = g->e.doc->root;
	g->process = ctr__json_get(g->spec, "process");
	return 0;
}

/* The list of precreate hooks for the state record: {"precreate":[...]}. */
static int note_precreate(struct ctr__gen *g)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = ctr__json_doc_new();
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__edit e = {.doc = doc};
	struct ctr__json *root = doc ? ctr__json_new_object(doc) : NULL;
	struct ctr__json *list = root ? ctr__edit_array(&e, root, PRECREATE) : NULL;

	for (size_t i = 0; list && i < g->hooks.n; i++) {
		if (has_stage(&g->hooks.v[i], PRECREATE))
			copy_hook(&e, list, ctr__json_get(g->hooks.v[i].doc->root, "hook"));
	}
	if (!list || e.failed)
		return ctr__fail_nomem(g->err);
	if (list->count == 0)
		return 0;
	ctr__json_write(root, false, &text);
	g->stage_hooks = text.failed ? NULL : ctr__buf_steal(&text);
	return g->stage_hooks ? 0 : ctr__fail_nomem(g->err);
}

void ctr__gen_hooks(struct ctr__gen *g)
{
	if (g->hooks.n == 0 || g->e.failed)
		return;
	for (size_t i = 0; i < g->hooks.n; i++)
		add_hooks(g, &g->hooks.v[i]);
	if (g->e.failed)
		return;
	g->code = note_precreate(g);
	for (size_t i = 0; g->code == 0 && i < g->hooks.n; i++) {
		if (has_stage(&g->hooks.v[i], PRECREATE))
			g->code = filter(g, ctr__json_get(g->hooks.v[i].doc->root, "hook"));
	}
}
