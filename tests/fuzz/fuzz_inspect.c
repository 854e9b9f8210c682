/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: whatever a configuration holds, its inspect document is JSON without a member twice. */
#include "core/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Values go some levels deeper in the document, and the parser has a limit. */
#define DEPTH_MOST 100

static size_t depth_of(const uint8_t *data, size_t size)
{
	size_t depth = 0, most = 0;

	for (size_t i = 0; i < size; i++) {
		depth += data[i] == '{' || data[i] == '[';
		if ((data[i] == '}' || data[i] == ']') && depth > 0)
			depth--;
		most = depth > most ? depth : most;
	}
	return most;
}

static void require_json(const struct ctr__buf *text)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	CTR__ERROR ctr_error_t *err = NULL;

	if (!text->failed && ctr__json_parse(text->data, text->len, "inspect", &doc, &err) == 0)
		return;
	fprintf(stderr, "fuzz_inspect: %s\n%s\n", ctr_error_message(err), text->data);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTR__CONFIG ctr_config_t *cfg = NULL;
	CTR__JSON_DOC struct ctr__json_doc *spec = NULL;
	CTR__JSON_DOC struct ctr__json_doc *extra = NULL;
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__state s;

	if (depth_of(data, size) > DEPTH_MOST ||
	    ctr__config_parse((const char *)data, size, &cfg, NULL) < 0 || !cfg->spec.text)
		return 0;
	if (ctr__json_parse(cfg->spec.text, cfg->spec.len, "spec", &spec, NULL) < 0 ||
	    ctr__inspect_parse_extra(cfg, &extra, NULL) < 0)
		abort();
	ctr__state_init(&s, CTR_STATE_RUNNING);
	s.error = "\xff\"\\\n";
	struct ctr__inspect in = {.cfg = cfg,
	    .s = &s,
	    .spec = spec->root,
	    .extra = extra ? extra->root : NULL,
	    .static_dir = "/s",
	    .run_dir = "/r",
	    .health_log = (const char *)data,
	    .health_log_len = size,
	    .privileged = size & 1};
	if (!ctr__inspect_find_mounts(&in))
		abort();
	ctr__inspect_write(&in, &text);
	free((void *)in.mounts);
	require_json(&text);
	return 0;
}
