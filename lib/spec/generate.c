/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config.json of a bundle: the configuration's spec with what is only known at init written into a copy
 * of it. Whatever is not mentioned here stays as the user wrote it.
 */
#include "spec/gen.h"

#include <stdlib.h>

#include "spec/mounts.h"
#include "util/cleanup.h"

bool ctr__gen_is_set(const struct ctr__json *v)
{
	const char *s = ctr__json_str(v);

	return s && *s;
}

struct ctr__json *ctr__gen_linux(struct ctr__gen *g)
{
	return ctr__edit_want_object(&g->e, g->spec, "linux");
}

static bool has_hooks(const struct ctr__gen *g, const char *stage)
{
	const struct ctr__json *list = ctr__json_path(g->spec, "hooks", stage, NULL);

	return list && list->count > 0;
}

static struct ctr__spec_result result_of(const struct ctr__gen *g)
{
	return (struct ctr__spec_result){
	    .terminal = ctr__json_bool(ctr__json_get(g->process, "terminal")),
	    .start_hooks = has_hooks(g, "poststart") || has_hooks(g, "startContainer"),
	    .own_pid_ns = ctr__gen_own_namespace(g, "pid"),
	};
}

static int parse_copy(const ctr_config_t *cfg, struct ctr__json_doc **doc, ctr_error_t **err)
{
	if (!cfg->spec.text) {
		int r = ctr__fail(err, CTR_E_INVALID, "the configuration has no spec");
		ctr__error_detail(err, "field", "spec");
		return r;
	}
	int r = ctr__json_parse(cfg->spec.text, cfg->spec.len, "spec", doc, err);
	if (r < 0)
		return r;
	return ctr__spec_validate((*doc)->root, err);
}

/* The order of semantics, see spec.h: each step may rely on those before it. */
static int run_steps(struct ctr__gen *g)
{
	static void (*const steps[])(struct ctr__gen *) = {ctr__gen_find_hooks, ctr__gen_root,
	    ctr__gen_labels, ctr__gen_bind_mounts, ctr__gen_resolve_tmpfs, ctr__gen_user,
	    ctr__gen_namespaces, ctr__gen_hostname, ctr__gen_annotations, ctr__gen_cgroup,
	    ctr__gen_sort_mounts, ctr__gen_propagation, ctr__gen_hooks, ctr__gen_rlimits,
	    ctr__gen_hidden_paths, ctr__gen_no_new_privs};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(steps) && g->code == 0 && !g->e.failed; i++)
		steps[i](g);
	if (g->code == 0 && g->e.failed)
		return ctr__fail_nomem(g->err);
	return g->code;
}

static void gen_end(struct ctr__gen *g)
{
	ctr__json_doc_free(g->e.doc);
	ctr__hook_list_free(&g->hooks);
	free(g->stage_hooks);
}

int ctr__spec_generate(const ctr_config_t *cfg, const struct ctr__spec_facts *f,
    struct ctr__buf *out, struct ctr__spec_result *result, ctr_error_t **err)
{
	CTR__CLEANUP(gen_end) struct ctr__gen g = {.cfg = cfg, .facts = f, .err = err};
	int r;

	if (!f->root_path)
		return ctr__fail(err, CTR_E_INTERNAL, "no root file system is mounted");
	if ((r = parse_copy(cfg, &g.e.doc, err)) < 0)
		return r;
	g.spec = g.e.doc->root;
	g.process = ctr__json_get(g.spec, "process");
	if ((r = run_steps(&g)) < 0)
		return r;

	size_t before = out->len;
	ctr__json_write(g.spec, false, out);
	if (out->failed) {
		out->len = before;
		return ctr__fail_nomem(err);
	}
	*result = result_of(&g);
	result->stage_hooks = CTR__STEAL_PTR(g.stage_hooks);
	return 0;
}
