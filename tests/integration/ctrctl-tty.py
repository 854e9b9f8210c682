#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ctrctl at a real terminal: run -it, attach, exec -it, logs -f, and how it leaves the terminal.

ctrctl-tty.py PATH_OF_CTRCTL; run by with-store.sh.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

CTRCTL = sys.argv[1]
ROOTFS = os.environ["ROOTFS"]
PATIENCE = 30
# Busybox's own prompt asks the terminal where its cursor is; this shell only reads and writes.
SHELL = ("/bin/sh", "-c", "trap : INT; echo '# '; while read -r l; do eval \"$l\"; echo '# '; done")
PROMPT = rb"# \r\n"
failures = 0


def fail(text):
    global failures
    failures += 1
    print("FAIL:", text, flush=True)


def expect(truth, text):
    if truth:
        print("ok:", text, flush=True)
    else:
        fail(text)


def ctrctl(*args):
    """Runs a command without a terminal: its exit code, output and errors."""
    p = subprocess.run([CTRCTL, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


class Terminal:
    """ctrctl in a session of its own, with a terminal that we hold the other end of."""

    def __init__(self, *args, rows=33, cols=101):
        self.output = b""
        self.seen = 0  # what of it has been waited for
        # Another descriptor of the terminal keeps it, and its settings, when ctrctl has ended.
        self.master, self.slave = pty.openpty()
        self.resize(rows, cols, tell=False)
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 1000)
            os.execv(CTRCTL, [CTRCTL, *args])

    def resize(self, rows, cols, tell=True):
        # The kernel sends SIGWINCH to the terminal's foreground processes: ctrctl.
        fcntl.ioctl(self.slave if tell else self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, data):
        os.write(self.master, data)

    def read(self, patience):
        if select.select([self.master], [], [], patience)[0]:
            self.output += os.read(self.master, 65536)
            return True
        return False

    def until(self, pattern, what):
        """Reads until the pattern comes in what has not been looked at yet."""
        end = time.monotonic() + PATIENCE
        while True:
            m = re.search(pattern, self.output[self.seen:])
            if m:
                self.seen += m.end()
                print("ok:", what, flush=True)
                return m
            left = end - time.monotonic()
            if left <= 0 or not self.read(left):
                fail(f"{what}: {pattern} did not come; there is {self.output[self.seen:]!r}")
                return None

    def settings(self):
        return termios.tcgetattr(self.slave)

    def is_raw(self):
        return not self.settings()[3] & termios.ICANON

    def await_raw(self, raw, what):
        end = time.monotonic() + PATIENCE
        while self.is_raw() != raw and time.monotonic() < end:
            self.read(0.01)
        expect(self.is_raw() == raw, what)

    def end(self, code, what):
        """Waits for ctrctl: its exit code is `code` and the terminal is as it was."""
        end = time.monotonic() + PATIENCE
        pid, status = 0, 0
        while not pid and time.monotonic() < end:
            self.read(0.01)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            fail(f"{what}: ctrctl does not end; it printed {self.output!r}")
        while self.read(0):
            pass
        got = os.waitstatus_to_exitcode(status)
        expect(got == code, f"{what}: exit code {got}, expected {code}; {self.output[self.seen:]!r}")
        expect(self.settings() == self.before, f"{what}: the terminal is as it was")
        os.close(self.master)
        os.close(self.slave)


def test_run():
    t = Terminal("run", "--rm", "-it", ROOTFS, *SHELL, rows=33, cols=101)
    t.until(PROMPT, "a prompt")
    expect(t.is_raw(), "the terminal is raw meanwhile")
    t.type(b"busybox stty size\n")
    t.until(rb"\n33 101\r", "the container's terminal has our size")
    t.resize(44, 132)
    t.type(b"while ! busybox stty size | busybox grep 44; do :; done\n")
    t.until(rb"\n44 132\r", "a new size is passed on")
    t.type(b"busybox tty; echo out; echo err >&2\n")
    t.until(rb"/dev/pts/\d+\r\nout\r\nerr\r", "both outputs come")
    # Printed by a shell of its own: ctrl-c ends that from then on, and not the shell that reads commands.
    t.type(b"/bin/sh -c 'echo rea\"\"dy; exec sleep 1000'\n")
    t.until(rb"\nready\r", "a command")
    t.type(b"\x03")
    t.until(rb"\^C", "ctrl-c is the container's")
    t.until(PROMPT, "and ends what runs there")
    t.type(b"exit 7\n")
    t.end(7, "run -it")
    expect(ctrctl("ps", "-aq") == (0, "", ""), "run --rm leaves nothing")


def test_detach_and_attach():
    t = Terminal("run", "-it", "--name", "shell", ROOTFS, *SHELL)
    t.until(PROMPT, "a prompt")
    t.type(b"greeting=hello\n")
    t.until(PROMPT, "a prompt")
    t.type(b"\x10")
    t.type(b"\x11")
    t.end(0, "run, detached")
    expect(" running " in ctrctl("ps")[1], "it goes on")
    t = Terminal("attach", "shell", rows=20, cols=70)
    t.await_raw(True, "attach makes the terminal raw")
    t.type(b"busybox stty size; echo $greeting\n")
    t.until(rb"\n20 70\r\nhello\r", "the same shell, with this terminal's size")
    t.type(b"\x10x\n")
    t.until(rb"x: not found", "half of the detach keys is input")
    t.type(b"\x10\x11")
    t.end(0, "attach, detached")
    t = Terminal("attach", "--detach-keys", "ctrl-a,d", "shell")
    t.await_raw(True, "attach with other keys")
    t.type(b"echo a$((1+1))b\n")
    t.until(rb"a2b", "input goes through")
    t.type(b"\x01d")
    t.end(0, "attach, detached by other keys")
    t = Terminal("attach", "shell")
    t.await_raw(True, "attach once more")
    expect(ctrctl("kill", "shell")[0] == 0, "kill from elsewhere")
    t.end(137, "attach, killed")
    expect(ctrctl("rm", "shell")[0] == 0, "removed")


def test_signals():
    script = 'trap "echo GOT-TERM" TERM; echo ready; while :; do sleep 0.05; done'
    ctrctl("run", "-d", "-i", "-t", "--name", "loop", ROOTFS, "/bin/sh", "-c", script)
    t = Terminal("attach", "loop")
    t.await_raw(True, "attach")
    os.kill(t.pid, signal.SIGTERM)
    t.until(rb"GOT-TERM", "SIGTERM is passed on")
    os.kill(t.pid, signal.SIGTSTP)
    _, status = os.waitpid(t.pid, os.WUNTRACED)
    expect(os.WIFSTOPPED(status), "SIGTSTP stops ctrctl")
    expect(t.settings() == t.before, "the terminal of a stopped ctrctl is as it was")
    os.kill(t.pid, signal.SIGCONT)
    t.await_raw(True, "and raw again when it goes on")
    t.type(b"\x10\x11")
    t.end(0, "attach, detached after a stop")
    t = Terminal("attach", "--no-sig-proxy", "loop")
    t.await_raw(True, "attach without signals")
    os.kill(t.pid, signal.SIGTERM)
    t.end(125, "attach, ended by a signal")
    expect(" running " in ctrctl("ps")[1], "the container is not")
    expect(ctrctl("rm", "-f", "loop")[0] == 0, "removed")


def test_exec():
    ctrctl("run", "-d", "--name", "box", ROOTFS, "/bin/sleep", "1000")
    t = Terminal("exec", "-it", "-e", "COLOUR=red", "-w", "/tmp", "box", *SHELL, rows=17, cols=55)
    t.until(PROMPT, "a prompt")
    t.type(b"busybox stty size; echo $COLOUR; busybox pwd\n")
    t.until(rb"\n17 55\r\nred\r\n/tmp\r", "size, environment, directory")
    t.resize(18, 66)
    t.type(b"while ! busybox stty size | busybox grep 66; do :; done\n")
    t.until(rb"\n18 66\r", "a new size is passed on")
    t.type(b"exit 9\n")
    t.end(9, "exec -it")
    t = Terminal("exec", "-it", "box", *SHELL)
    t.until(PROMPT, "a prompt")
    t.type(b"\x10\x11")
    t.end(0, "exec, detached")
    expect(ctrctl("exec", "box", "/bin/sh", "-c", "echo out; echo err >&2; exit 3") == (3, "out\n", "err\n"),
           "exec without a terminal")
    p = subprocess.run([CTRCTL, "exec", "-i", "box", "cat"], input=b"a\0b" * 100000, capture_output=True,
                       timeout=PATIENCE)
    expect((p.returncode, p.stdout) == (0, b"a\0b" * 100000), "exec -i passes bytes on")
    for code, command in (127, "/no/such"), (126, "/etc"):
        got, _, errors = ctrctl("exec", "box", command)
        expect(got == code and errors.startswith("ctrctl: exec"), f"exec {command}: {got}, {errors!r}")
        t = Terminal("exec", "-it", "box", command)
        t.end(code, f"exec -it {command}")
    got, _, errors = ctrctl("exec", "ghost", "true")
    expect(got == 125 and "ghost" in errors, f"exec in no container: {errors!r}")
    got, output, _ = ctrctl("exec", "-d", "box", "/bin/touch", "/tmp/touched")
    expect(got == 0 and re.fullmatch(r"[0-9a-f]{64}\n", output), "exec -d")
    got, output, _ = ctrctl("top", "box", "pid", "args")
    expect(got == 0 and re.search(r"^1 +/bin/sleep 1000$", output, re.M), f"top: {output!r}")
    expect(ctrctl("rm", "-f", "box")[0] == 0, "removed")


def test_logs():
    ctrctl("run", "-d", "-i", "--name", "talk", ROOTFS, "/bin/sh", "-c",
           'echo one; while read -r line; do echo "got $line"; done; printf last')
    follower = subprocess.Popen([CTRCTL, "logs", "-f", "talk"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE)
    expect(follower.stdout.readline() == b"one\n", "logs -f has what was there")
    p = subprocess.Popen([CTRCTL, "attach", "talk"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"two\n")
    p.stdin.flush()
    expect(p.stdout.readline() == b"got two\n", "attach without a terminal")
    expect(follower.stdout.readline() == b"got two\n", "logs -f has what is new")
    p.stdin.close()
    expect(p.stdout.read() == b"last", "the end of the input ends it")
    expect(p.wait(PATIENCE) == 0, "attach ends with the container")
    expect(follower.stdout.read() == b"last", "a line without its newline")
    expect(follower.wait(PATIENCE) == 0, "logs -f ends with the container")
    expect(ctrctl("logs", "-n", "1", "talk")[1] == "last", "logs -n")
    expect(re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} [^\n]+\n?){3}", ctrctl("logs", "-t", "talk")[1]),
           "logs -t")
    expect(ctrctl("logs", "--since", "1h", "talk")[1] == "one\ngot two\nlast", "logs --since")
    expect(ctrctl("rm", "talk")[0] == 0, "removed")


def test_logs_unread():
    ctrctl("run", "-d", "--name", "chatter", ROOTFS, "/bin/sh", "-c", "while :; do echo chatter; done")
    follower = subprocess.Popen([CTRCTL, "logs", "-f", "chatter"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE)
    # Full is when no more comes: how many bytes that are depends on the sizes of the pieces.
    deadline, before, unread = time.monotonic() + PATIENCE, -1, 0
    while unread == 0 or unread != before:
        if time.monotonic() > deadline:
            fail("logs -f fills the pipe")
            break
        time.sleep(0.3)
        before = unread
        unread = int.from_bytes(fcntl.ioctl(follower.stdout, termios.FIONREAD, b"    "), sys.byteorder)
    follower.send_signal(signal.SIGINT)
    try:
        follower.wait(5)
        expect(True, "logs -f that nobody reads can be interrupted")
    except subprocess.TimeoutExpired:
        fail("logs -f that nobody reads cannot be interrupted")
        follower.kill()
        follower.wait()
    follower.stdout.close()
    expect(ctrctl("rm", "-f", "chatter")[0] == 0, "removed")


for test in (test_run, test_detach_and_attach, test_signals, test_exec, test_logs, test_logs_unread):
    print("==", test.__name__, flush=True)
    test()
for left in ctrctl("ps", "-aq")[1].split():
    fail(f"container {left} is left")
    ctrctl("rm", "-f", left)
print(f"{failures} failure(s)")
sys.exit(failures > 0)
