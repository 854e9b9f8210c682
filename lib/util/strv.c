/* SPDX-License-Identifier: Apache-2.0 */
/* NULL-terminated lists of strings. */
#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/str.h"

void ctr__strv_free(char **v)
{
	int saved = errno;

	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
	errno = saved;
}

size_t ctr__strv_len(const char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

char **ctr__strv_copy(const char *const *v)
{
	size_t n = ctr__strv_len(v);
	CTR__STRV char **copy = calloc(n + 1, sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(v[i]);
		if (!copy[i])
			return NULL;
	}
	return CTR__STEAL_PTR(copy);
}

/* Appends `piece`, which the list then owns. */
static bool append(char ***v, char *piece)
{
	size_t n = ctr__strv_len((const char *const *)*v);
	char **grown = realloc(*v, (n + 2) * sizeof(*grown));

	if (!grown)
		return false;
	grown[n] = piece;
	grown[n + 1] = NULL;
	*v = grown;
	return true;
}

bool ctr__strv_add(char ***v, const char *s)
{
	CTR__FREE char *copy = strdup(s);

	if (!copy || !append(v, copy))
		return false;
	copy = NULL;
	return true;
}

bool ctr__strv_has(const char *const *v, const char *s)
{
	for (size_t i = 0; v && v[i]; i++) {
		if (strcmp(v[i], s) == 0)
			return true;
	}
	return false;
}

static size_t count_char(const char *s, char c)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == c;
	return n;
}

char **ctr__strv_split(const char *s, char sep)
{
	size_t n = count_char(s, sep) + 1;
	CTR__STRV char **pieces = calloc(n + 1, sizeof(*pieces));

	for (size_t i = 0; pieces && i < n; i++) {
		const char *end = strchrnul(s, sep);

		pieces[i] = strndup(s, (size_t)(end - s));
		if (!pieces[i])
			return NULL;
		s = *end ? end + 1 : end;
	}
	return CTR__STEAL_PTR(pieces);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void ctr__strv_sort_unique(char **v)
{
	size_t n = ctr__strv_len((const char *const *)v), kept = 0;

	if (n == 0)
		return;
	qsort(v, n, sizeof(*v), compare);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(v[kept], v[i]) == 0)
			free(v[i]);
		else
			v[++kept] = v[i];
	}
	v[kept + 1] = NULL;
}
