/* SPDX-License-Identifier: Apache-2.0 */
/* What this host lets a default spec ask for. */
#include "spec/host.h"

#include <fcntl.h>
#include <string.h>

#include "sys/fd.h"
#include "util/cleanup.h"
#include "util/str.h"

#define CONTROLLERS_MAX 4096

static bool list_has_word(char *list, const char *word)
{
	char *rest = NULL;

	for (char *w = strtok_r(list, " \n", &rest); w; w = strtok_r(NULL, " \n", &rest)) {
		if (strcmp(w, word) == 0)
			return true;
	}
	return false;
}

bool ctr__host_has_pids(const char *root)
{
	char list[CONTROLLERS_MAX];
	CTR__CLOSE int rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (rootfd < 0)
		return false;
	CTR__CLOSE int fd = openat(rootfd, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return faccessat(rootfd, "pids/cgroup.procs", F_OK, 0) == 0;
	ssize_t n = ctr__read_eintr(fd, list, sizeof(list) - 1);
	if (n < 0)
		return false;
	list[n] = '\0';
	return list_has_word(list, "pids");
}

uint64_t ctr__host_clamp_rlimit(const struct rlimit *ours, uint64_t wanted)
{
	if (ours->rlim_max == RLIM_INFINITY || ours->rlim_max > wanted)
		return wanted;
	return ours->rlim_max;
}

bool ctr__host_can_filter_devices(const char *const *caps)
{
	struct rlimit now;

	if (ctr__strv_has(caps, "CAP_SYS_RESOURCE"))
		return true;
	return getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_max == RLIM_INFINITY;
}
