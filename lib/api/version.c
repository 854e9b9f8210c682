/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of version.h. */
#include <string.h>

#include <libctr/version.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
#define VERSION  TEXT(CTR_VERSION_MAJOR) "." TEXT(CTR_VERSION_MINOR) "." TEXT(CTR_VERSION_PATCH)

static const char *const features[] = {
#define CTR_FEATURE(name, description) name,
#include "features.def"
#undef CTR_FEATURE
    NULL,
};

const char *ctr_version(int32_t *major, int32_t *minor, int32_t *patch)
{
	if (major)
		*major = CTR_VERSION_MAJOR;
	if (minor)
		*minor = CTR_VERSION_MINOR;
	if (patch)
		*patch = CTR_VERSION_PATCH;
	return VERSION;
}

int ctr_has_feature(const char *name)
{
	for (size_t i = 0; name && features[i]; i++) {
		if (strcmp(features[i], name) == 0)
			return 1;
	}
	return 0;
}

const char *ctr_feature_at(size_t i)
{
	return i < sizeof(features) / sizeof(features[0]) ? features[i] : NULL;
}
