/* SPDX-License-Identifier: Apache-2.0 */
/* A driver in a temporary run root, for the tests of its parts. */
#ifndef LIBCTR_TESTS_UNIT_OCI_OCI_TEST_H
#define LIBCTR_TESTS_UNIT_OCI_OCI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/driver.h"
#include "oci/oci.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/str.h"

struct bench {
	char root[256];    /* run root */
	char bundle[300];  /* directory of the one container */
	char runtime[300]; /* path of the "runtime" */
	char conmon[300];
	struct ctr__oci *oci;
	struct ctr__conmon *d;
	struct ctr_oci_container c;
};

#define BENCH_ID "box1"

static inline void bench_open(struct bench *b, const char *runtime_name)
{
	const char *tmp = getenv("TMPDIR");
	struct ctr__conmon_opts o = {0};

	memset(b, 0, sizeof(*b));
	snprintf(b->root, sizeof(b->root), "%s/ctr-oci-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(b->root));
	snprintf(b->bundle, sizeof(b->bundle), "%s/bundle", b->root);
	assert_int_equal(mkdir(b->bundle, 0755), 0);
	snprintf(b->runtime, sizeof(b->runtime), "%s/%s", b->root, runtime_name);
	snprintf(b->conmon, sizeof(b->conmon), "%s/conmon", b->root);
	o.runtime_path = b->runtime;
	o.conmon_path = b->conmon;
	o.run_root = b->root;
	assert_int_equal(ctr__conmon_new(&o, &b->oci, NULL), 0);
	b->d = b->oci->impl;
	b->c.size = sizeof(b->c);
	b->c.id = BENCH_ID;
	b->c.name = "quiet_otter";
	b->c.bundle = b->bundle;
}

static inline void bench_close(struct bench *b)
{
	char *slash = strrchr(b->root, '/');
	int dir;

	ctr__oci_free(b->oci);
	*slash = '\0';
	dir = open(b->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(ctr__remove_tree_at(dir, slash + 1), 0);
	close(dir);
}

static inline void put_file(const char *dir, const char *name, const char *content)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

#endif
