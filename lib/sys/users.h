/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups of a root file system: its /etc/passwd and /etc/group, which may hold anything. */
#ifndef LIBCTR_SYS_USERS_H
#define LIBCTR_SYS_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

#define CTR__USERS_FILE_MAX (16U << 20) /* a larger file counts as unreadable        */
#define CTR__USERS_ID_MAX   4294967294U /* the number after it means "none" to Linux */

/* Texts of the two files; NULL = there is none that can be read. Lines that are not well-formed do not count. */
struct ctr__users {
	char *passwd, *group;
	size_t passwd_len, group_len;
	int passwd_errno, group_errno; /* why there is none */
};

/* Reads both, following links only inside the root. Only regular files are opened at all. CTR_E_NOMEM. */
int ctr__users_read(int rootfd, struct ctr__users *u, ctr_error_t **err);
void ctr__users_free(struct ctr__users *u);

struct ctr__user {
	uint32_t uid, gid;
	char *name;       /* as in passwd; NULL: has no entry */
	char *home;       /* of that entry; "/" without one   */
	uint32_t *groups; /* supplementary: sorted, unique */
	size_t groups_n;
	bool gid_known; /* the group has an entry */
};

/* Finds "user[:group]", each a name or a number. A name must have an entry; a number need not. Without a group it
 * is that of the entry, else 0. `user` NULL: the user with number `uid`, in group `gid` whatever its entry says.
 *
 * Supplementary groups are those that list the user, if no group was given, and `more` (names or numbers, may be
 * NULL). CTR_E_INVALID with detail "field" ("user" or "groups"), CTR_E_NOMEM. */
int ctr__users_find(const struct ctr__users *u, const char *user, uint32_t uid, uint32_t gid,
    const char *const *more, struct ctr__user *out, ctr_error_t **err);
void ctr__user_free(struct ctr__user *u);

/* One line of passwd: text pieces, not NUL-terminated. */
struct ctr__users_text {
	const char *p;
	size_t len;
};
struct ctr__passwd {
	uint32_t uid, gid;
	struct ctr__users_text name, gecos, home, shell;
};

/* The first entry with this name, or (name NULL) this number. */
bool ctr__users_passwd(
    const struct ctr__users *u, const char *name, uint32_t uid, struct ctr__passwd *out);
bool ctr__users_group(const struct ctr__users *u, const char *name, uint32_t gid, uint32_t *out,
    struct ctr__users_text *found);

/* Digits only: is it a number, and in range? */
bool ctr__users_is_number(const char *s);
bool ctr__users_number(const char *s, uint32_t *out);

#endif
