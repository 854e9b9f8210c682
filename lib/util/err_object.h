/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an error object; only for the files that make or show one. */
#ifndef LIBCTR_UTIL_ERR_OBJECT_H
#define LIBCTR_UTIL_ERR_OBJECT_H

#include <libctr/error.h>

struct ctr__error_detail {
	struct ctr__error_detail *next;
	const char *value; /* behind the key, in the same allocation */
	char key[];
};

struct ctr_error {
	int code;
	int errno_;
	const char *message; /* owned, except in the one for lack of memory */
	struct ctr__error_detail *details;
};

#endif
