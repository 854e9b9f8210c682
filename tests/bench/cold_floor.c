/* SPDX-License-Identifier: Apache-2.0 */
/* bench-cold-floor DIR ID [time]: bench-cold by hand: LMDB, and the record of one container. */
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int find(MDB_env *env, const char *id)
{
	MDB_val k = {strlen(id), (void *)(size_t)id}, v;
	MDB_txn *txn;
	MDB_dbi db;
	int r = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (r)
		return r;
	r = mdb_dbi_open(txn, "ctr", 0, &db);
	if (r == 0)
		r = mdb_get(txn, db, &k, &v);
	mdb_txn_abort(txn);
	return r;
}

int main(int argc, char **argv)
{
	long long start = now();
	MDB_env *env;

	if (argc < 3)
		return 2;
	if (mdb_env_create(&env) || mdb_env_set_mapsize(env, (size_t)1 << 30) ||
	    mdb_env_set_maxdbs(env, 8) || mdb_env_open(env, argv[1], MDB_NOTLS, 0600) ||
	    find(env, argv[2]))
		return 1;
	if (argc > 3)
		printf("%lld\n", now() - start);
	mdb_env_close(env);
	return 0;
}
