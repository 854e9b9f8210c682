/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of libsystemd that are used, found when they are first needed. */
#ifndef LIBCTR_LOG_JOURNAL_LOAD_H
#define LIBCTR_LOG_JOURNAL_LOAD_H

#include <systemd/sd-journal.h>

/* With the types of its own header, so that the compiler checks the calls. */
struct ctr__journal_lib {
	__typeof__(sd_journal_open) *open;
	__typeof__(sd_journal_close) *close;
	__typeof__(sd_journal_add_match) *add_match;
	__typeof__(sd_journal_seek_head) *seek_head;
	__typeof__(sd_journal_seek_tail) *seek_tail;
	__typeof__(sd_journal_seek_cursor) *seek_cursor;
	__typeof__(sd_journal_get_cursor) *get_cursor;
	__typeof__(sd_journal_next) *next;
	__typeof__(sd_journal_previous_skip) *previous_skip;
	__typeof__(sd_journal_get_data) *get_data;
	__typeof__(sd_journal_get_realtime_usec) *get_realtime_usec;
	__typeof__(sd_journal_set_data_threshold) *set_data_threshold;
	__typeof__(sd_journal_get_fd) *get_fd;
	__typeof__(sd_journal_process) *process;
};

/* NULL if it is not installed. Thread-safe. */
const struct ctr__journal_lib *ctr__journal_lib(void);

#endif
