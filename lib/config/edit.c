/* SPDX-License-Identifier: Apache-2.0 */
/* A changed copy of a configuration. */
#include "config/model.h"

#include "util/cleanup.h"

int ctr__config_edit(const ctr_config_t *cfg, ctr__config_edit_fn *fn, void *arg,
    ctr_config_t **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = NULL;
	CTR__BUF struct ctr__buf text = {0};
	int r;

	ctr__config_write(cfg, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	r = ctr__json_parse(text.data, text.len, "configuration", &d, err);
	if (r >= 0)
		r = fn(d, arg, err);
	return r < 0 ? r : ctr__config_from_object(d->root, out, err);
}
