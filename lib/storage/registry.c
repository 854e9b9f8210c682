/* SPDX-License-Identifier: Apache-2.0 */
/* Storage drivers: copying and checking their tables. */
#include "storage/storage.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/id.h"

/* A table longer than this is not from a newer header but a `size` that was never set. */
#define OPS_SIZE_MAX 4096

/* Copies with the rule of all structs that start with their size: shorter ones are filled with zeros, in
 * longer ones the part that is not known must be zero. */
static int copy_ops(
    const struct ctr_storage_ops *ops, struct ctr_storage_ops *copy, ctr_error_t **err)
{
	const unsigned char *bytes = (const unsigned char *)ops;
	size_t size = ops->size;

	if (size < sizeof(ops->size) || size > OPS_SIZE_MAX || size % sizeof(void *) != 0)
		return ctr__fail(err, CTR_E_INVALID,
		    "storage driver: %zu cannot be the size of a table of operations", size);
	for (size_t i = sizeof(*copy); i < size; i++) {
		if (bytes[i])
			return ctr__fail(err, CTR_E_UNSUPPORTED,
			    "storage driver: the table has operations that this library does not "
			    "know");
	}
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, ops, size < sizeof(*copy) ? size : sizeof(*copy));
	copy->size = sizeof(*copy);
	return 0;
}

static int check_ops(const struct ctr_storage_ops *ops, ctr_error_t **err)
{
	if (!ops->name || !ctr__name_valid(ops->name))
		return ctr__fail(err, CTR_E_INVALID, "storage driver: \"%s\" is not a valid name",
		    ops->name ? ops->name : "");
	if (ops->caps)
		return ctr__fail(err, CTR_E_UNSUPPORTED,
		    "storage driver \"%s\": unknown capability bits %#llx", ops->name,
		    (unsigned long long)ops->caps);
	if (!ops->mount || !ops->unmount)
		return ctr__fail(err, CTR_E_INVALID,
		    "storage driver \"%s\": the required operation \"%s\" is missing", ops->name,
		    ops->mount ? "unmount" : "mount");
	return 0;
}

int ctr__storage_new(const struct ctr_storage_ops *ops, void *impl, void (*destroy)(void *impl),
    struct ctr__storage **out, ctr_error_t **err)
{
	struct ctr_storage_ops copy;
	int r;

	if (!ops)
		return ctr__fail(err, CTR_E_INVALID, "storage driver: no table of operations");
	if ((r = copy_ops(ops, &copy, err)) < 0 || (r = check_ops(&copy, err)) < 0)
		return r;

	CTR__FREE struct ctr__storage *s = calloc(1, sizeof(*s));
	if (!s || !(s->name = strdup(copy.name)))
		return ctr__fail_nomem(err);
	s->ops = copy;
	s->ops.name = s->name;
	s->impl = impl;
	s->destroy = destroy;
	*out = CTR__STEAL_PTR(s);
	return 0;
}

void ctr__storage_free(struct ctr__storage *s)
{
	if (!s)
		return;
	if (s->destroy)
		s->destroy(s->impl);
	free(s->name);
	free(s);
}
