/* SPDX-License-Identifier: Apache-2.0 */
/* OCI runtimes of a runtime object: checked copies of ops tables. */
#include "oci/oci.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/id.h"
#include "util/str.h"

#define KNOWN_CAPS (CTR_OCI_CAP_NO_CGROUPS | CTR_OCI_CAP_EXIT_COMMAND)

/* The shortest table of any release: it ends with the last required operation. */
#define MIN_SIZE (offsetof(struct ctr_oci_ops, remove) + sizeof(((struct ctr_oci_ops *)0)->remove))

static bool tail_is_zero(const struct ctr_oci_ops *ops)
{
	const unsigned char *bytes = (const unsigned char *)ops;

	for (size_t i = sizeof(*ops); i < ops->size; i++)
		if (bytes[i])
			return false;
	return true;
}

static int copy_table(const struct ctr_oci_ops *ops, struct ctr_oci_ops *copy, ctr_error_t **err)
{
	if (ops->size < MIN_SIZE)
		return ctr__fail(err, CTR_E_INVALID,
		    "OCI runtime: the table's size is %zu, at least %zu is needed", ops->size,
		    MIN_SIZE);
	if (!tail_is_zero(ops))
		return ctr__fail(err, CTR_E_UNSUPPORTED,
		    "OCI runtime: the table has operations that this library does not know");
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, ops, ops->size < sizeof(*copy) ? ops->size : sizeof(*copy));
	copy->size = sizeof(*copy);
	return 0;
}

static const char *missing_operation(const struct ctr_oci_ops *ops)
{
	if (!ops->create)
		return "create";
	if (!ops->start)
		return "start";
	if (!ops->state)
		return "state";
	if (!ops->kill)
		return "kill";
	if (!ops->remove)
		return "remove";
	return NULL;
}

static int check_table(const struct ctr_oci_ops *ops, ctr_error_t **err)
{
	const char *missing;

	if (!ops->name || !*ops->name)
		return ctr__fail(err, CTR_E_INVALID, "OCI runtime: the table has no name");
	if (!ctr__name_valid(ops->name))
		return ctr__fail(
		    err, CTR_E_INVALID, "OCI runtime: \"%s\" is not a valid name", ops->name);
	if (ops->caps & ~KNOWN_CAPS)
		return ctr__fail(err, CTR_E_UNSUPPORTED,
		    "OCI runtime %s: unknown capability bits 0x%llx", ops->name,
		    (unsigned long long)(ops->caps & ~KNOWN_CAPS));
	missing = missing_operation(ops);
	if (missing)
		return ctr__fail(err, CTR_E_INVALID, "OCI runtime %s: operation %s is missing",
		    ops->name, missing);
	return 0;
}

int ctr__oci_new(const struct ctr_oci_ops *ops, void *impl, void (*destroy)(void *impl),
    struct ctr__oci **out, ctr_error_t **err)
{
	CTR__FREE struct ctr__oci *o = NULL;
	int rc;

	if (!ops)
		return ctr__fail(err, CTR_E_INVALID, "OCI runtime: no table of operations");
	o = calloc(1, sizeof(*o));
	if (!o)
		return ctr__fail_nomem(err);
	rc = copy_table(ops, &o->ops, err);
	if (rc == 0)
		rc = check_table(&o->ops, err);
	if (rc < 0)
		return rc;
	o->name = strdup(ops->name);
	if (!o->name)
		return ctr__fail_nomem(err);
	o->ops.name = o->name;
	o->impl = impl;
	o->destroy = destroy;
	*out = CTR__STEAL_PTR(o);
	return 0;
}

void ctr__oci_free(struct ctr__oci *o)
{
	if (!o)
		return;
	if (o->destroy)
		o->destroy(o->impl);
	free(o->name);
	free(o);
}
