/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of inspect.h. */
#include <libctr/inspect.h>

#include "core/inspect.h"
#include "util/cleanup.h"

static int check(uint64_t flags, char **json, size_t *len, ctr_error_t **err)
{
	if (json)
		*json = NULL;
	if (len)
		*len = 0;
	if (!json)
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	if (flags & ~CTR_INSPECT_SIZE)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for inspect",
		    (unsigned long long)(flags & ~CTR_INSPECT_SIZE));
	return 0;
}

static int hand_over(struct ctr__buf *text, char **json, size_t *len, ctr_error_t **err)
{
	size_t n = text->len;

	*json = ctr__buf_steal(text);
	if (!*json)
		return ctr__fail_nomem(err);
	if (len)
		*len = n;
	return 0;
}

int ctr_container_inspect(
    ctr_container_t *c, uint64_t flags, char **json, size_t *len, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	int r = check(flags, json, len, err);

	if (r >= 0)
		r = ctr__inspect(c, flags & CTR_INSPECT_SIZE, &text, err);
	return r < 0 ? r : hand_over(&text, json, len, err);
}

int ctr_runtime_inspect_many(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    char **json, size_t *len, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	int r = check(flags, json, len, err);

	if (r >= 0)
		r = ctr__runtime_enter(rt, err);
	if (r >= 0)
		r = ctr__inspect_many(rt, filters, flags & CTR_INSPECT_SIZE, &text, err);
	return r < 0 ? r : hand_over(&text, json, len, err);
}
