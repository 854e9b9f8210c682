/* SPDX-License-Identifier: Apache-2.0 */
/* Another name for a container. */
#include <string.h>

#include "core/files.h"
#include "core/update.h"
#include "util/cleanup.h"
#include "util/json.h"

static int set_name(struct ctr__json_doc *d, void *arg, ctr_error_t **err)
{
	const char *name = arg;

	return ctr__json_set(d, d->root, "name", ctr__json_new_str(d, name)) ? 0
	                                                                     : ctr__fail_nomem(err);
}

static int check_name(const struct ctr_container *c, const char *name, ctr_error_t **err)
{
	int code = 0;

	if (!ctr__name_valid(name))
		code = ctr__fail(err, CTR_E_INVALID,
		    "\"%.64s\" is no valid name: letters, digits, \"_\", \".\" and \"-\", a letter "
		    "or "
		    "digit first, at most %d characters",
		    ctr__utf8_valid(name, strlen(name)) ? name : "?", CTR__NAME_MAX);
	else if (ctr__streq(name, c->cfg->name))
		code = ctr__fail(err, CTR_E_CTR_EXISTS, "the name \"%s\" is the one it has", name);
	if (code) {
		ctr__error_detail(err, "field", "name");
		ctr__error_detail(err, "container", c->id);
	}
	return code;
}

int ctr__rename(struct ctr_container *c, const char *name, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	CTR__CONFIG ctr_config_t *cfg = NULL, *old = NULL;
	int r = ctr__enter(c, CTR__OP_RENAME, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0)
		return r;
	if (name[0] == '/')
		name++;
	r = check_name(g.c, name, err);
	if (r >= 0)
		r = ctr__config_edit(g.c->cfg, set_name, (void *)(uintptr_t)name, &cfg, err);
	if (r < 0)
		return r;
	old = ctr__config_ref(g.c->cfg);
	r = ctr__container_rewrite(g.c, cfg, CTR_EVENT_RENAME, err);
	if (r >= 0)
		ctr__files_renamed(g.c, old);
	return r;
}
