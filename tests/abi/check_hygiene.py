#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The library leaves its host's process alone: it does not even import what would not.

Usage: check_hygiene.py libctr.so      (a build without sanitizers)
"""
import re
import subprocess
import sys

import headers

# What must not be imported, and why. Names are matched whole.
FORBIDDEN = {
    "copies the host's memory; children come from sys/spawn.c":
        "fork vfork __fork __libc_fork _Fork system popen daemon forkpty posix_spawn posix_spawnp wordexp",
    "ends the host": "exit abort quick_exit atexit on_exit __assert_fail __assert error errx err",
    "changes the host's signal handling":
        "signal sigset sigvec sigignore siginterrupt sigaltstack bsd_signal sysv_signal "
        "sigprocmask pthread_atfork alarm setitimer timer_create",
    "changes the host's directory, mask, environment or locale":
        "chdir fchdir umask setenv putenv unsetenv clearenv setlocale uselocale tzset chroot",
    "changes the host's identity":
        "setuid setgid seteuid setegid setreuid setregid setresuid setresgid setgroups initgroups "
        "setfsuid setfsgid setsid setpgid setpriority nice setrlimit setns unshare",
    "reaps the host's children": "wait wait3 wait4 waitpid",
    "starts a thread": "pthread_create thrd_create",
    "writes to the host's standard streams":
        "printf vprintf __printf_chk __vprintf_chk puts putchar perror psignal stdout stderr stdin "
        "syslog vsyslog openlog",
    "is not safe with threads":
        "strtok localtime gmtime ctime asctime getpwnam getpwuid getgrnam getgrgid readdir_r "
        "gethostbyname rand random srand drand48 tmpnam tempnam mktemp ptsname ttyname",
    "looks in a path that the host's environment chooses": "execvp execlp execvpe getenv dlopen dlsym",
}

# Imported on purpose. Each entry says where and why it is harmless.
NEEDED = {
    "sigaction": "sys/spawn.c: in the child, resets dispositions before exec",
    "pthread_sigmask": "sys/spawn.c: blocks signals of the calling thread while its child shares memory; "
                       "sys/quiet.c: SIGPIPE during one write",
    "waitid": "sys/spawn.c: for its own child only, by pidfd",
    "dlopen": "sys/selinux_load.c: libselinux by its name, found where a linked library would be",
    "dlsym": "sys/selinux_load.c",
    "_exit": "sys/spawn.c: in the child, when exec failed",
}


def imported(library):
    out = subprocess.run(["nm", "-D", "--undefined-only", library], check=True,
                         capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def array_size(library, section):
    out = subprocess.run(["readelf", "-S", "-W", library], check=True, capture_output=True,
                         text=True).stdout
    m = re.search(rf"\.{section}\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+)", out)
    return int(m.group(1), 16) // 8 if m else 0


def needed_libraries(library):
    out = subprocess.run(["readelf", "-d", "-W", library], check=True, capture_output=True,
                         text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", out), out


def main():
    library = sys.argv[1]
    report = headers.Report()
    have = imported(library)
    for why, names in FORBIDDEN.items():
        for name in sorted(set(names.split()) & have):
            report.expect(name in NEEDED, f"imports {name}: {why}")

    # One entry each is the C runtime's own.
    report.expect(array_size(library, "init_array") <= 1, "has a constructor")
    report.expect(array_size(library, "fini_array") <= 1, "has a destructor")

    libraries, dynamic = needed_libraries(library)
    for name in libraries:
        report.expect(re.match(r"(lib(lmdb|yajl|cap|c|m|pthread)\.so|ld-linux)", name),
                      f"needs {name}")
    for tag in ("BIND_NOW", "SONAME"):
        report.expect(tag in dynamic, f"has no {tag}")
    for tag in ("TEXTREL", "RPATH", "RUNPATH"):
        report.expect(f"({tag})" not in dynamic, f"has a {tag}")
    report.end(f"{len(have)} imports, {', '.join(libraries)}")


main()
