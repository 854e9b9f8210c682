/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by name. */
#include "sys/caps.h"

#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "util/cleanup.h"
#include "util/str.h"

#define PREFIX_LEN 4 /* of "CAP_" */
#define NAME_SIZE  64
#define CAPS_MAX   64 /* bits of the kernel's sets */

const char *const *ctr__caps_default(void)
{
	/* All of them are older than any kernel that has what else we need. */
	static const char *const caps[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER",
	    "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
	    "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT", NULL};

	return caps;
}

/* Not toupper(): the host's locale must not matter. */
static char to_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* libcap's name of a capability in capital letters. False if it has none (it gives a number then). */
static bool upper_name(int cap, char out[NAME_SIZE])
{
	char *name = cap_to_name(cap);
	bool ok = name && ctr__starts_with(name, "cap_") && strlen(name) < NAME_SIZE;

	for (size_t i = 0; ok && i <= strlen(name); i++)
		out[i] = to_upper(name[i]);
	cap_free(name);
	return ok;
}

static int list_caps(bool only_bounding, char ***out, ctr_error_t **err)
{
	CTR__STRV char **caps = NULL;
	int bounding;

	/* The kernel says EINVAL for the first one it does not know. */
	for (int cap = 0; cap < CAPS_MAX && (bounding = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) >= 0;
	     cap++) {
		char name[NAME_SIZE];

		if ((bounding == 1 || !only_bounding) && upper_name(cap, name) &&
		    !ctr__strv_add(&caps, name))
			return ctr__fail_nomem(err);
	}
	if (!caps) {
		caps = calloc(1, sizeof(*caps));
		if (!caps)
			return ctr__fail_nomem(err);
	}
	*out = CTR__STEAL_PTR(caps);
	return 0;
}

int ctr__caps_all(char ***out, ctr_error_t **err)
{
	return list_caps(true, out, err);
}

int ctr__caps_known(char ***out, ctr_error_t **err)
{
	return list_caps(false, out, err);
}

/* "net_admin" or "CAP_Net_Admin" -> "cap_net_admin". False if it cannot be a name: libcap would take
 * "cap_chown+ep" for one. */
static bool lower_name(const char *name, char out[NAME_SIZE])
{
	size_t len = strlen(name),
	       skip = strncasecmp(name, "cap_", PREFIX_LEN) == 0 ? PREFIX_LEN : 0;

	if (len - skip + PREFIX_LEN >= NAME_SIZE)
		return false;
	memcpy(out, "cap_", PREFIX_LEN);
	for (size_t i = skip; i <= len; i++) {
		char c = to_lower(name[i]);

		if (c != '\0' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9'))
			return false;
		out[i - skip + PREFIX_LEN] = c;
	}
	return true;
}

int ctr__cap_normalize(const char *name, char **out, ctr_error_t **err)
{
	char lower[NAME_SIZE], upper[NAME_SIZE];
	cap_value_t cap;
	char *copy;

	if (name && strcasecmp(name, "all") == 0)
		strcpy(upper, "ALL");
	else if (!name || !lower_name(name, lower) || cap_from_name(lower, &cap) < 0 ||
	         !upper_name(cap, upper))
		return ctr__fail(
		    err, CTR_E_INVALID, "there is no capability \"%s\"", name ? name : "");
	copy = strdup(upper);
	if (!copy)
		return ctr__fail_nomem(err);
	*out = copy;
	return 0;
}
