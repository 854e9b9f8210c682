/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of a container: an immutable, counted snapshot.
 *
 * model.c       the snapshot itself: table of fields, counting
 * decode.c      JSON -> fields, with defaults; write.c: back to JSON
 * derive.c      what is computed once from the fields
 * validate.c, validate_*.c  what can be checked without a store
 * complete.c    what creating a container fills in; edit.c: changing a stored one
 * builder.c     the builder; builder_spec.c: the spec it writes
 */
#ifndef LIBCTR_CONFIG_CONFIG_H
#define LIBCTR_CONFIG_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libctr/config.h>

#include "util/arena.h"
#include "util/json.h"
#include "util/str.h"

struct ctr__cfg_list {
	const char *const *v; /* never NULL, NULL-terminated */
	size_t n;
};

struct ctr__cfg_pair {
	const char *key, *value;
};

struct ctr__cfg_map {
	const struct ctr__cfg_pair *v; /* sorted by key */
	size_t n;
};

struct ctr__cfg_text {
	const char *text; /* compact JSON, NUL-terminated; NULL if absent */
	size_t len;
};

typedef const char *ctr__cfg_STR;
typedef bool ctr__cfg_BOOL;
typedef int64_t ctr__cfg_NUM;
typedef int64_t ctr__cfg_TIME;
typedef struct ctr__cfg_list ctr__cfg_STRV;
typedef struct ctr__cfg_map ctr__cfg_MAP;
typedef struct ctr__cfg_text ctr__cfg_OBJ;

struct ctr_config {
	atomic_uint refs;
	struct ctr__arena arena; /* owns everything below, but for what is shared with `base` */
	struct ctr_config *base; /* ref; a completed copy shares with it what it did not change */

#define CTR_FIELD(name, number, kind, member, key) ctr__cfg_##kind member;
#include "config/fields.def"
#undef CTR_FIELD

	/* Was the field given (or filled in)? Index = its number. */
	bool given[128];

	/* Unknown members, in their order: key and JSON text. */
	const struct ctr__cfg_pair *unknown;
	size_t unknown_n;

	/* Derived once, at parsing. */
	const char *hostname;           /* of the spec; NULL if it has none                      */
	struct ctr__cfg_list args, env; /* of the spec                                           */
	struct ctr__cfg_list all_deps;  /* namespace containers + Dependencies, sorted, unique   */
	bool terminal;                  /* process.terminal                                      */
	bool root_read_only;            /* root.readonly                                         */
	bool has_health_check;          /* with something to run                                 */
	uint32_t root_uid, root_gid;    /* host IDs of the container's root                      */
	char short_id[13];              /* first 12 characters of the ID                         */
};

/* Is its cgroup made below that of the process that starts it? */
static inline bool ctr__config_is_split(const ctr_config_t *cfg)
{
	return ctr__streq(cfg->cgroups_mode, "split");
}

/* Field kinds, for code that walks over fields.def. */
enum ctr__cfg_kind {
	CTR__CFG_STR,
	CTR__CFG_BOOL,
	CTR__CFG_NUM,
	CTR__CFG_TIME,
	CTR__CFG_STRV,
	CTR__CFG_MAP,
	CTR__CFG_OBJ
};

struct ctr__cfg_field {
	int32_t number;
	enum ctr__cfg_kind kind;
	size_t offset; /* in struct ctr_config */
	const char *key;
	const char *name; /* "ROOTFS" */
};

extern const struct ctr__cfg_field ctr__cfg_fields[];
extern const size_t ctr__cfg_fields_n;

/* Counting: what ctr_config_ref() and its like do. NULL is fine. */
ctr_config_t *ctr__config_ref(ctr_config_t *cfg);
ctr_config_t *ctr__config_unref(ctr_config_t *cfg);
void ctr__config_unrefp(ctr_config_t **cfg);
#define CTR__CONFIG CTR__CLEANUP(ctr__config_unrefp)

/* From JSON text / from an object that has been parsed already; both validate. */
int ctr__config_parse(const char *json, size_t len, ctr_config_t **out, ctr_error_t **err);
int ctr__config_from_object(const struct ctr__json *root, ctr_config_t **out, ctr_error_t **err);

/* Appends the JSON text: known fields in the order of fields.def, then unknown ones. */
void ctr__config_write(const ctr_config_t *cfg, struct ctr__buf *out);

/* Everything that needs no store: semantics of single fields and conflicts between them. */
int ctr__config_validate(const ctr_config_t *cfg, ctr_error_t **err);

/* What ctr_container_create() fills in where a field is not given. */
struct ctr__config_defaults {
	const char *id;     /* used if the configuration has none       */
	const char *name;   /* used if the configuration has none       */
	int64_t created_ns; /* used if it has none                      */
	const char
	    *containers_dir; /* <root>/containers: static dir = this/id (always set by us)     */
	const char *run_dir; /* <run root>/containers: run dir = this/id                       */
	const char *runtime; /* default OCI runtime's name; may be NULL                        */
	const char *cgroup_parent;
	const char *storage_driver;
	const char *process_label, *mount_label; /* used together if it has neither */
	/* The container whose user namespace is joined: its ID mappings are the new one's; else NULL. */
	const ctr_config_t *user_ns_from;
};

/* A completed copy. The log path, if it is an existing directory, becomes dir/<id>/ctr.log. A spec without
 * a hostname keeps none. */
int ctr__config_complete(const ctr_config_t *cfg, const struct ctr__config_defaults *d,
    ctr_config_t **out, ctr_error_t **err);

/* A changed copy: `fn` edits its JSON document; what comes out is checked as any configuration is. */
typedef int ctr__config_edit_fn(struct ctr__json_doc *d, void *arg, ctr_error_t **err);
int ctr__config_edit(const ctr_config_t *cfg, ctr__config_edit_fn *fn, void *arg,
    ctr_config_t **out, ctr_error_t **err);

#endif
