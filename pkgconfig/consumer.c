/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest user of an installed libctr: built in the tests with what pkg-config says, nothing more. */
#include <libctr/libctr.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
	struct ctr_open_opts opts;
	ctr_runtime_t *rt = NULL;
	ctr_error_t *err = NULL;
	int32_t major, minor, patch;
	const char *text = ctr_version(&major, &minor, &patch);

	if (major != CTR_VERSION_MAJOR || minor != CTR_VERSION_MINOR) {
		fprintf(stderr, "headers are of %d.%d, the library is %s\n", CTR_VERSION_MAJOR,
		    CTR_VERSION_MINOR, text);
		return 1;
	}

	/* A mistake on purpose, to see the library answer. */
	memset(&opts, 0, sizeof opts);
	opts.size = sizeof opts;
	opts.root = "not/absolute";
	if (ctr_runtime_open(&opts, &rt, &err) != CTR_E_INVALID) {
		fprintf(stderr, "a relative root was not refused\n");
		return 1;
	}
	printf("libctr %s says: %s\n", text, ctr_error_message(err));
	ctr_error_free(err);
	return 0;
}
