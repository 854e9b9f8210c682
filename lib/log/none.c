/* SPDX-License-Identifier: Apache-2.0 */
/* A library that was built without journald. */
#include "log/source.h"

int ctr__log_open_journal(
    const struct ctr__log_opts *o, struct ctr__log_source **out, ctr_error_t **err)
{
	(void)o;
	(void)out;
	return ctr__fail(
	    err, CTR_E_UNSUPPORTED, "the log is in the journal, and this libctr is built without");
}
