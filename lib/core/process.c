/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a bundle, to be run once more with other arguments. */
#include "core/process.h"

#include <fcntl.h>

#include "sys/fd.h"
#include "util/cleanup.h"

#define CONFIG_JSON_MAX (16U << 20)

void ctr__process_free(struct ctr__process *p)
{
	ctr__json_doc_free(p->doc);
	p->doc = NULL;
}

int ctr__process_load(
    const char *config_json, const char *ctr_id, struct ctr__process *p, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;
	size_t len;
	int r = ctr__read_file_at(AT_FDCWD, config_json, CONFIG_JSON_MAX, &text, &len);

	if (r < 0)
		return ctr__fail_errno(err, -r, config_json, "cannot read the bundle");
	r = ctr__json_parse(text, len, "bundle", &p->doc, err);
	if (r < 0)
		return r;
	p->object = ctr__json_get(p->doc->root, "process");
	if (!p->object || p->object->type != CTR__JSON_OBJECT)
		return ctr__fail(
		    err, CTR_E_INTERNAL, "the bundle of container %s has no process", ctr_id);
	ctr__json_unset(p->object, "consoleSize");
	ctr__json_unset(p->object, "commandLine");
	return 0;
}

bool ctr__process_set_args(struct ctr__process *p, const char *const *args, bool terminal)
{
	struct ctr__json *list = ctr__json_new_array(p->doc);

	if (!list)
		return false;
	for (; *args; args++) {
		if (!ctr__json_append(p->doc, list, ctr__json_new_str(p->doc, *args)))
			return false;
	}
	return ctr__json_set(p->doc, p->object, "args", list) &&
	       ctr__json_set(p->doc, p->object, "terminal", ctr__json_new_bool(p->doc, terminal));
}
