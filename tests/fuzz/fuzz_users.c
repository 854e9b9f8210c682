/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as /etc/passwd and /etc/group, cut at the first 0xff: found within their bounds, or refused. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/users.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void find(const struct ctr__users *u, const char *user)
{
	static const char *const more[] = {"3", "wheel", NULL};
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__user out;
	int r = ctr__users_find(u, user, 0, 0, strchr(user, 'b') ? NULL : more, &out, &err);

	if (r < 0) {
		require(r == CTR_E_INVALID && ctr_error_code(err) == r);
		return;
	}
	require(out.uid <= CTR__USERS_ID_MAX && out.gid <= CTR__USERS_ID_MAX && out.home);
	for (size_t i = 1; i < out.groups_n; i++)
		require(out.groups[i - 1] < out.groups[i]);
	if (out.name)
		require(out.name[0] && !strpbrk(out.name, ":\n"));
	require(!strpbrk(out.home, ":\n"));
	ctr__user_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"root", "bob", "0", "1000", "bob:wheel", "7:8", "x"};
	const uint8_t *cut = size ? memchr(data, 0xff, size) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size, second = cut ? size - first - 1 : 0;
	/* Exact sizes, so that a sanitizer sees a byte too many. */
	struct ctr__users u = {.passwd = malloc(first ? first : 1),
	    .group = malloc(second ? second : 1),
	    .passwd_len = first,
	    .group_len = second};

	require(u.passwd && u.group);
	if (first)
		memcpy(u.passwd, data, first);
	if (second)
		memcpy(u.group, cut + 1, second);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++)
		find(&u, names[i]);
	ctr__users_free(&u);
	return 0;
}
