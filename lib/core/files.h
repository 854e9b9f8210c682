/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that are made for a run: resolv.conf, hosts, hostname, .containerenv, the secrets directory, passwd and
 * group with entries added, localtime. They lie in the run directory and are bind-mounted into the container, so
 * that nothing of it is changed; they go with the run directory.
 *
 * files.c       all of it in order; the single files
 * files_net.c   resolv.conf and hosts, and those shared with the container whose network is joined
 * files_user.c  the user, passwd and group
 * files_root.c  what must be in the root file system itself: working directory, /etc/mtab
 */
#ifndef LIBCTR_CORE_FILES_H
#define LIBCTR_CORE_FILES_H

#include "core/container.h"
#include "spec/spec.h"
#include "sys/users.h"
#include "util/json.h"

#define CTR__FILES_MAX 11 /* with /dev/shm as many as a state holds */

struct ctr__files {
	/* Given; borrowed. */
	struct ctr_container *c;
	const ctr_config_t *cfg;
	const char *root_path; /* the mounted root file system */
	const char *run_dir;
	const char *joined_hostname; /* in the UTS namespace that is joined; NULL: none is */

	/* What is needed on the way. */
	int root_fd, run_fd;
	struct ctr__json_doc *doc; /* the configuration's spec */
	const struct ctr__json *spec;
	char *hostname; /* inside the container */
	struct ctr__users users;

	/* What came of it. */
	struct ctr__cfg_pair bind[CTR__FILES_MAX]; /* destination (borrowed), host path (owned) */
	size_t n;
	struct ctr__user user;
	struct ctr__spec_user spec_user; /* points into `user` */
};

#define CTR__FILES_INIT                      \
	{                                    \
		.root_fd = -1, .run_fd = -1, \
	}

/* Makes everything. Does not clean up after a failure: the run directory is removed as a whole, and
 * ctr__files_unshare() does the rest. */
int ctr__files_make(struct ctr__files *f, ctr_error_t **err);
void ctr__files_free(struct ctr__files *f);

/* Takes the container's name out of the hosts file of the container whose network it has joined. Nothing to do is
 * success; failures leave the line there. */
void ctr__files_unshare(struct ctr_container *c, const ctr_config_t *cfg);

/* The container has another name than in `old`: so it has in that file, if it is in one. */
void ctr__files_renamed(struct ctr_container *c, const ctr_config_t *old);

/* ---- between the files named above ---- */

/* Has the spec no mount of its own at this place? */
bool ctr__files_wants(const struct ctr__files *f, const char *dest);
/* Writes a file of the run directory, new, and binds it at `dest` (a literal). */
int ctr__files_put(struct ctr__files *f, const char *name, const char *dest, const void *data,
    size_t len, ctr_error_t **err);
/* Binds what is there. */
int ctr__files_bind(
    struct ctr__files *f, const char *dest, const char *host_path, ctr_error_t **err);
/* The namespace of this type in the spec; NULL if it has none. */
const struct ctr__json *ctr__files_namespace(const struct ctr__files *f, const char *type);
/* Owner and label as the container sees them. `name` is in the run directory. */
int ctr__files_give(const struct ctr__files *f, int fd, const char *name, ctr_error_t **err);
/* spec.process.cwd */
const char *ctr__files_workdir(const struct ctr__files *f);

int ctr__files_network(struct ctr__files *f, ctr_error_t **err);
int ctr__files_user(struct ctr__files *f, ctr_error_t **err);
int ctr__files_root(struct ctr__files *f, ctr_error_t **err);

#endif
