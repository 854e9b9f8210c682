/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of error.h, and those of types.h that free what was handed over. */
#include <stdlib.h>

#include <libctr/error.h>

#include "util/err.h"
#include "util/err_object.h"
#include "util/str.h"

int32_t ctr_error_code(const ctr_error_t *e)
{
	return e ? e->code : 0;
}

int32_t ctr_error_errno(const ctr_error_t *e)
{
	return e ? e->errno_ : 0;
}

const char *ctr_error_message(const ctr_error_t *e)
{
	return e ? e->message : "";
}

const char *ctr_error_get(const ctr_error_t *e, const char *key)
{
	return ctr__error_get(e, key);
}

void ctr_error_free(ctr_error_t *e)
{
	ctr__error_free(e);
}

void ctr_error_freep(ctr_error_t **e)
{
	if (e)
		ctr__error_freep(e);
}

int ctr_error_set(ctr_error_t **err, int32_t code, int32_t errno_, const char *message)
{
	return ctr__error_set(err, code, errno_, message);
}

void ctr_error_add(ctr_error_t *e, const char *key, const char *value)
{
	ctr__error_add(e, key, value);
}

const char *ctr_strerror(int32_t code)
{
	return ctr__strerror(code);
}

const char *ctr_error_name(int32_t code)
{
	return ctr__error_name(code);
}

void ctr_free(void *p)
{
	free(p);
}

void ctr_strv_free(char **list)
{
	ctr__strv_free(list);
}
