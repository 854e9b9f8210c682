/* SPDX-License-Identifier: Apache-2.0 */
/* Hook directories: which files there are, and which of them apply. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/hooks.h"
#include "sys/fd.h"
#include "util/cleanup.h"

#define FILE_SIZE_MAX (1U << 20)
#define FILES_MAX     4096

static void file_free(struct ctr__hook_file *f)
{
	free(f->name);
	free(f->path);
	ctr__json_doc_free(f->doc);
}

void ctr__hook_list_free(struct ctr__hook_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		file_free(&list->v[i]);
	free(list->v);
	*list = (struct ctr__hook_list){0};
}

/* ---- names ---- */

static bool is_hook_name(const char *name)
{
	size_t len = strlen(name);

	return len > strlen(".json") && name[0] != '.' &&
	       strcmp(name + len - strlen(".json"), ".json") == 0;
}

/* Notes dir/name, in place of an earlier directory's file of this name. */
static int note_file(
    struct ctr__hook_list *list, const char *dir, const char *name, ctr_error_t **err)
{
	CTR__FREE char *path = ctr__path_join(dir, name);
	struct ctr__hook_file *v;

	if (!path)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i].name, name) == 0) {
			free(list->v[i].path);
			list->v[i].path = CTR__STEAL_PTR(path);
			return 0;
		}
	}
	if (list->n == FILES_MAX)
		return ctr__fail(err, CTR_E_INVALID, "more than %d hook files", FILES_MAX);
	v = reallocarray(list->v, list->n + 1, sizeof(*v));
	if (!v)
		return ctr__fail_nomem(err);
	list->v = v;
	v[list->n] = (struct ctr__hook_file){.name = strdup(name)};
	if (!v[list->n].name)
		return ctr__fail_nomem(err);
	v[list->n++].path = CTR__STEAL_PTR(path);
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int list_dir(struct ctr__hook_list *list, const char *dir, ctr_error_t **err)
{
	CTR__CLEANUP(close_dir) DIR *d = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || !(d = fdopendir(fd))) {
		r = ctr__fail_errno(err, errno, dir, "cannot open the hook directory %s", dir);
		ctr__cleanup_close(&fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		struct dirent *e = readdir(d);

		if (!e && errno)
			return ctr__fail_errno(
			    err, errno, dir, "cannot read the hook directory %s", dir);
		if (!e)
			break;
		if (is_hook_name(e->d_name))
			r = note_file(list, dir, e->d_name, err);
	}
	return r;
}

/* ---- contents ---- */

/* Links are fine here: the directories belong to whoever opened the runtime. */
static int read_all(const char *path, struct ctr__buf *out)
{
	CTR__CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char chunk[4096];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	while ((n = ctr__read_eintr(fd, chunk, sizeof(chunk))) > 0) {
		ctr__buf_add(out, chunk, (size_t)n);
		if (out->len > FILE_SIZE_MAX)
			return -EFBIG;
	}
	return n < 0 ? (int)n : out->failed ? -ENOMEM : 0;
}

static int read_file(struct ctr__hook_file *f, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	int r = read_all(f->path, &text);

	if (r < 0)
		return ctr__fail_errno(err, -r, f->path, "cannot read the hook file %s", f->path);
	r = ctr__json_parse(text.data ? text.data : "", text.len, f->path, &f->doc, err);
	if (r < 0) {
		ctr__error_detail(err, "path", f->path);
		return r;
	}
	return ctr__hook_check(f->doc->root, f->path, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct ctr__hook_file *)a)->name, ((const struct ctr__hook_file *)b)->name);
}

int ctr__hook_list_read(const char *const *dirs, struct ctr__hook_list *out, ctr_error_t **err)
{
	CTR__HOOK_LIST struct ctr__hook_list list = {0};
	int r = 0;

	*out = (struct ctr__hook_list){0};
	for (; r == 0 && dirs && *dirs; dirs++)
		r = list_dir(&list, *dirs, err);
	if (r == 0 && list.n > 1)
		qsort(list.v, list.n, sizeof(*list.v), by_name);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = read_file(&list.v[i], err);
	if (r == 0) {
		*out = list;
		list = (struct ctr__hook_list){0};
	}
	return r;
}

int ctr__hook_list_select(
    struct ctr__hook_list *list, const struct ctr__hook_subject *s, ctr_error_t **err)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < list->n; i++) {
		int match = r < 0 ? 1 : ctr__hook_matches(list->v[i].doc->root, s, err);

		if (match < 0)
			r = match;
		if (match == 0)
			file_free(&list->v[i]);
		else
			list->v[kept++] = list->v[i];
	}
	list->n = kept;
	return r;
}
