/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the record of an event: refused, or an event whose record is exactly these bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_event(const ctr_event_t *ev, const uint8_t *data, size_t size)
{
	struct ctr__buf record CTR__BUF = {0};
	struct ctr__json_doc *doc CTR__JSON_DOC = NULL;
	char *json CTR__FREE = NULL;
	size_t len = 0;

	ctr__event_encode(ev, &record);
	if (record.failed || record.len != size || memcmp(record.data, data, size) != 0)
		abort();
	if (ctr_event_to_json(ev, &json, &len, NULL) != 0 || strlen(json) != len)
		abort();
	if (len <= CTR__JSON_MAX_SIZE && ctr__json_parse(json, len, "event", &doc, NULL) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_error_t *err CTR__ERROR = NULL;
	ctr_event_t *ev CTR__CLEANUP(ctr_event_unrefp) = NULL;
	int r = ctr__event_decode(data, size, &ev, &err);

	if (r == 0)
		check_event(ev, data, size);
	else if (ev || ctr_error_code(err) != r)
		abort();
	return 0;
}
