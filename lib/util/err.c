/* SPDX-License-Identifier: Apache-2.0 */
/* Making error objects. */
#include "util/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/err_object.h"
#include "util/str.h"

#define DETAIL_MAX ((size_t)64 << 10)

/* Stands for every lack of memory, so that reporting it never allocates. Never written, never freed. */
static const struct ctr_error out_of_memory = {
    .code = CTR_E_NOMEM,
    .errno_ = ENOMEM,
    .message = "out of memory",
};

static const struct {
	int code;
	const char *name;
	const char *text;
} codes[] = {
#define CTR_ERROR(name, number, text) {number, #name, text},
#include "errors.def"
#undef CTR_ERROR
};

static size_t find_code(int code)
{
	size_t i = 0;

	while (i < CTR__ARRAY_SIZE(codes) && codes[i].code != code)
		i++;
	return i;
}

const char *ctr__strerror(int code)
{
	size_t i = find_code(code);

	if (i < CTR__ARRAY_SIZE(codes))
		return codes[i].text;
	return code >= 0 ? "success" : "unknown error";
}

const char *ctr__error_name(int code)
{
	size_t i = find_code(code);

	return i < CTR__ARRAY_SIZE(codes) ? codes[i].name : "UNKNOWN";
}

static void free_details(struct ctr__error_detail *d)
{
	while (d) {
		struct ctr__error_detail *next = d->next;

		free(d);
		d = next;
	}
}

void ctr__error_free(ctr_error_t *e)
{
	int saved = errno;

	if (!e || e == &out_of_memory)
		return;
	free_details(e->details);
	free((void *)e->message);
	free(e);
	errno = saved;
}

void ctr__error_freep(ctr_error_t **e)
{
	ctr__error_free(*e);
	*e = NULL;
}

static void replace(ctr_error_t **err, const struct ctr_error *e)
{
	ctr__error_free(*err);
	*err = (ctr_error_t *)e;
}

int ctr__fail_nomem(ctr_error_t **err)
{
	if (err)
		replace(err, &out_of_memory);
	return CTR_E_NOMEM;
}

/* A message is one line that a terminal cannot be tricked with. */
static void make_one_line(char *s)
{
	for (; *s; s++) {
		if (*s == '\n' || *s == '\r' || *s == '\t')
			*s = ' ';
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

/* Takes `message` over. The error already in *err is freed last: the message may have been made of it. */
static int store(ctr_error_t **err, int code, int errno_, char *message)
{
	struct ctr_error *e;

	if (!message)
		return ctr__fail_nomem(err);
	e = calloc(1, sizeof(*e));
	if (!e) {
		free(message);
		return ctr__fail_nomem(err);
	}
	make_one_line(message);
	e->code = code;
	e->errno_ = errno_;
	e->message = message;
	replace(err, e);
	return code;
}

static char *vformat(const char *fmt, va_list args)
{
	char *text;

	return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

int ctr__fail(ctr_error_t **err, int code, const char *fmt, ...)
{
	va_list args;
	char *message;

	if (!err)
		return code;
	va_start(args, fmt);
	message = vformat(fmt, args);
	va_end(args);
	return store(err, code, 0, message);
}

int ctr__error_set(ctr_error_t **err, int code, int errno_, const char *message)
{
	if (find_code(code) == CTR__ARRAY_SIZE(codes))
		code = CTR_E_FAILED;
	if (!err)
		return code;
	return store(err, code, errno_, strdup(message ? message : ctr__strerror(code)));
}

static int code_of_errno(int errno_)
{
	switch (errno_) {
	case ENOMEM: return CTR_E_NOMEM;
	case EACCES:
	case EPERM:
	case EROFS: return CTR_E_PERMISSION;
	case ENOSPC:
	case EDQUOT: return CTR_E_STORE_FULL;
	default: return CTR_E_SYSTEM;
	}
}

static char *append_errno(const char *text, int errno_)
{
	const char *reason = errno_ ? strerrordesc_np(errno_) : NULL;

	if (reason)
		return ctr__format("%s: %s", text, reason);
	return errno_ ? ctr__format("%s: errno %d", text, errno_) : strdup(text);
}

int ctr__fail_errno(ctr_error_t **err, int errno_, const char *path, const char *fmt, ...)
{
	CTR__FREE char *text = NULL;
	va_list args;
	int code = code_of_errno(errno_);

	if (!err)
		return code;
	va_start(args, fmt);
	text = vformat(fmt, args);
	va_end(args);
	if (!text)
		return ctr__fail_nomem(err);
	code = store(err, code, errno_, append_errno(text, errno_));
	ctr__error_detail(err, "path", path);
	return code;
}

int ctr__error_prefix(ctr_error_t **err, int code, const char *fmt, ...)
{
	CTR__FREE char *prefix = NULL;
	va_list args;
	char *message;

	if (!err || !*err)
		return code;
	if (*err == &out_of_memory)
		return CTR_E_NOMEM;
	va_start(args, fmt);
	prefix = vformat(fmt, args);
	va_end(args);
	message = prefix ? ctr__format("%s: %s", prefix, (*err)->message) : NULL;
	if (message) {
		make_one_line(message);
		free((void *)(*err)->message);
		(*err)->message = message;
	}
	return (*err)->code;
}

/* The length to keep of a long value, not in the middle of a character. */
static size_t cut_length(const char *value)
{
	size_t len = strnlen(value, DETAIL_MAX + 1);

	if (len <= DETAIL_MAX)
		return len;
	len = DETAIL_MAX;
	for (int i = 0; i < 3 && ((unsigned char)value[len] & 0xc0) == 0x80; i++)
		len--;
	return len;
}

static struct ctr__error_detail *new_detail(const char *key, const char *value)
{
	size_t klen = strlen(key) + 1, vlen = cut_length(value);
	struct ctr__error_detail *d = malloc(sizeof(*d) + klen + vlen + 1);

	if (!d)
		return NULL;
	d->next = NULL;
	memcpy(d->key, key, klen);
	d->value = memcpy(d->key + klen, value, vlen);
	d->key[klen + vlen] = '\0';
	return d;
}

void ctr__error_add(ctr_error_t *e, const char *key, const char *value)
{
	struct ctr__error_detail *d, **at;

	if (!e || e == &out_of_memory || !key || !value)
		return;
	d = new_detail(key, value);
	if (!d)
		return;
	for (at = &e->details; *at && strcmp((*at)->key, key) != 0; at = &(*at)->next)
		;
	if (*at) {
		struct ctr__error_detail *old = *at;

		d->next = old->next;
		free(old);
	}
	*at = d;
}

void ctr__error_detail(ctr_error_t **err, const char *key, const char *value)
{
	if (err)
		ctr__error_add(*err, key, value);
}

const char *ctr__error_get(const ctr_error_t *e, const char *key)
{
	if (!e || !key)
		return NULL;
	for (const struct ctr__error_detail *d = e->details; d; d = d->next) {
		if (strcmp(d->key, key) == 0)
			return d->value;
	}
	return NULL;
}
