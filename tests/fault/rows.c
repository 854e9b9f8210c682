/* SPDX-License-Identifier: Apache-2.0 */
/* What is left in the databases of a store: see rows.h. */
#include "rows.h"

#include <endian.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long entries(MDB_txn *txn, const char *name)
{
	MDB_stat st;
	MDB_dbi db;

	if (mdb_dbi_open(txn, name, 0, &db) || mdb_stat(txn, db, &st))
		return -1;
	return (long)st.ms_entries;
}

static long slots_taken(MDB_txn *txn)
{
	MDB_val k = {strlen("slot_next"), (void *)(uintptr_t) "slot_next"}, v;
	uint64_t next = 0;
	MDB_dbi db;

	if (mdb_dbi_open(txn, "meta", 0, &db) || mdb_get(txn, db, &k, &v) ||
	    v.mv_size != sizeof(next))
		return -1;
	memcpy(&next, v.mv_data, sizeof(next));
	return (long)be64toh(next) - entries(txn, "slot_free");
}

static long count(const char *dir, const char *const *names, bool slots, FILE *out)
{
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	char path[256];
	long n, sum = 0;

	snprintf(path, sizeof(path), "%s/db", dir);
	if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, 32) ||
	    mdb_env_open(env, path, MDB_RDONLY | MDB_NOLOCK, 0600) ||
	    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn))
		return -1;
	for (; *names; names++) {
		n = entries(txn, *names);
		if (n)
			fprintf(out, "    %ld rows in %s\n", n, *names);
		sum += n != 0;
	}
	n = slots ? slots_taken(txn) : 0;
	if (n)
		fprintf(out, "    %ld lock slots are taken\n", n);
	return sum + (n != 0);
}

/* A process has an environment of LMDB open once only: so this is another one. */
long rows_left(const struct world *w, char *text, size_t size)
{
	static const char *const durable[] = {
	    "ctr", "name", "dep", "label", "pod", "pod_ctr", "ctr_pod", NULL};
	static const char *const running[] = {"state", "sum", "pod_state", NULL};
	int fds[2], status;
	size_t n;
	FILE *in;
	pid_t pid;

	text[0] = '\0';
	if (pipe(fds) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		FILE *out = fdopen(fds[1], "w");
		long a = count(w->root, durable, true, out);
		long b = count(w->run, running, false, out);

		fflush(out);
		_exit(a < 0 || b < 0 ? 255 : (int)(a + b));
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	n = fread(text, 1, size - 1, in);
	text[n] = '\0';
	fclose(in);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 255)
		return -1;
	return WEXITSTATUS(status);
}
