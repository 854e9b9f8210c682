/* SPDX-License-Identifier: Apache-2.0 */
/* Making error objects. All functions accept err == NULL and return the code, so that callers can
 * `return ctr__fail(...)`. When memory is short the code becomes CTR_E_NOMEM. */
#ifndef LIBCTR_UTIL_ERR_H
#define LIBCTR_UTIL_ERR_H

#include <stdarg.h>

#include <libctr/error.h>

#define CTR__PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* A new error in *err (one already there is freed). */
int ctr__fail(ctr_error_t **err, int code, const char *fmt, ...) CTR__PRINTF(3, 4);

/* The same with the errno of a failed system call; its text is appended to the message. The code is
 * chosen from it: ENOMEM -> NOMEM, EACCES/EPERM/EROFS -> PERMISSION, ENOSPC/EDQUOT -> STORE_FULL, else
 * SYSTEM. `path` (may be NULL) becomes the detail "path". */
int ctr__fail_errno(ctr_error_t **err, int errno_, const char *path, const char *fmt, ...)
    CTR__PRINTF(4, 5);

/* Out of memory: never allocates. */
int ctr__fail_nomem(ctr_error_t **err);

/* Adds a detail to *err if there is one; an older value of the key is replaced. Values longer than 64 KiB
 * are cut. Nothing happens if `value` is NULL or memory is short. */
void ctr__error_detail(ctr_error_t **err, const char *key, const char *value);

/* Puts "text: " in front of the message. Returns the code it has (`code` if err is NULL or empty). If
 * memory is short the error stays as it is: the cause is worth more than the prefix. */
int ctr__error_prefix(ctr_error_t **err, int code, const char *fmt, ...) CTR__PRINTF(3, 4);

/* What the public functions of libctr/error.h are made of. */
int ctr__error_set(ctr_error_t **err, int code, int errno_, const char *message);
void ctr__error_add(ctr_error_t *e, const char *key, const char *value);
const char *ctr__error_get(const ctr_error_t *e, const char *key);
void ctr__error_free(ctr_error_t *e);
void ctr__error_freep(ctr_error_t **e);
const char *ctr__strerror(int code);
const char *ctr__error_name(int code);

#endif
