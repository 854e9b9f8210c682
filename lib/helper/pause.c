/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of a pod's infra container: it holds the namespaces that the pod's containers share, and does nothing
 * else. If they share its PID namespace it is their process 1 and collects those that end without a parent.
 *
 * Linked statically: its root directory is empty. Signals are blocked and taken in turn, because a process 1 ignores
 * what it has no handler for.
 */
#include <signal.h>
#include <sys/wait.h>

int main(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return 1;
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (sigwait(&set, &sig) == 0 && sig != SIGCHLD)
			return 0;
	}
}
