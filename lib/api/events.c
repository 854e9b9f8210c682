/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of event.h that read the journal. */
#include <libctr/event.h>

#include "core/reader.h"

int ctr_runtime_events_fd(ctr_runtime_t *rt, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	return r < 0 ? r : ctr__reader_fd(rt, err);
}

int ctr_runtime_next_event(ctr_runtime_t *rt, ctr_event_t **out, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r < 0)
		return r;
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "out is NULL");
	*out = NULL;
	return ctr__reader_next(rt, out, err);
}

int ctr_runtime_events_filter(ctr_runtime_t *rt, const char *const *filters, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	return r < 0 ? r : ctr__reader_filter(rt, filters, err);
}

int ctr_runtime_events_rewind(ctr_runtime_t *rt, int64_t since_ns, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r < 0)
		return r;
	if (since_ns < 0)
		return ctr__fail(err, CTR_E_INVALID, "since is negative");
	return ctr__reader_rewind(rt, since_ns, err);
}
