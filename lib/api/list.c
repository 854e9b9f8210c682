/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of list.h. */
#include <libctr/list.h>

#include <string.h>

#include "core/lister.h"
#include "core/runtime.h"
#include "util/cleanup.h"

int ctr_runtime_list(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    ctr_list_t **out, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r < 0)
		return r;
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "out is NULL");
	if (flags)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for list",
		    (unsigned long long)flags);
	return ctr__list(rt, filters, out, err);
}

void ctr_list_free(ctr_list_t *list)
{
	ctr__list_free(list);
}

void ctr_list_freep(ctr_list_t **list)
{
	ctr__list_free(*list);
	*list = NULL;
}

size_t ctr_list_count(const ctr_list_t *list)
{
	return list ? ctr__list_count(list) : 0;
}

/* A field of one entry; `zero` past the end. */
#define FIELD(function, type, zero, expression)                                 \
	type function(const ctr_list_t *list, size_t i)                         \
	{                                                                       \
		struct ctr__list_entry e;                                       \
                                                                                \
		return list && ctr__list_at(list, i, &e) ? e.expression : zero; \
	}

FIELD(ctr_list_id, const char *, NULL, id)
FIELD(ctr_list_name, const char *, NULL, sum.name)
FIELD(ctr_list_image, const char *, NULL, sum.image)
FIELD(ctr_list_command, const char *, NULL, sum.command)
FIELD(ctr_list_state, int32_t, 0, sum.state)
FIELD(ctr_list_pid, int32_t, 0, sum.pid)
FIELD(ctr_list_exit_code, int32_t, 0, sum.exit_code)
FIELD(ctr_list_created_ns, int64_t, 0, sum.created_ns)
FIELD(ctr_list_started_ns, int64_t, 0, sum.started_ns)
FIELD(ctr_list_finished_ns, int64_t, 0, sum.finished_ns)
