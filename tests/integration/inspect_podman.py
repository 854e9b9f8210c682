#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Side by side: the same container made by podman and by libctr; their inspect documents are compared.

inspect_podman.py: run by with-store.sh runc, with LIBCTR_SO and LIBCTR_HELPER in the environment. At every level the keys must be the
same, in the same order, and every value too, except for what is listed here with its reason.
"""
import ctypes as C
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

# Keys that only podmans later than the installed one have.
NEWER = {
    "": {"KubeExitCodePropagation", "lockNumber", "UseImageHosts", "UseImageHostname", "SizeRootFs"},
    ".State": {"StoppedByUser"},
    ".Config": {"HealthLogDestination", "HealthcheckMaxLogCount", "HealthcheckMaxLogSize",
                "StartupHealthCheck", "sdNotifySocket", "ExposedPorts"},
    ".HostConfig": {"AutoRemoveImage", "Annotations", "HostsFile", "IntelRdtClosID"},
}

# Where values may differ, and why. Of two strings both or none must be empty, nevertheless.
DIFFERENT = {
    ".Created": "two moments",
    ".State.OciVersion": "each names the version of the specification it was written for",
    ".State.Pid": "two processes",
    ".State.ConmonPid": "two processes",
    ".State.StartedAt": "two moments",
    ".State.FinishedAt": "two moments",
    ".StaticDir": "two stores",
    ".OCIConfigPath": "two stores",
    ".ConmonPidFile": "two stores",
    ".PidFile": "two stores",
    ".ResolvConfPath": "two stores",
    ".HostnamePath": "two stores",
    ".HostsPath": "two stores",
    ".HostConfig.LogConfig.Path": "two stores",
    ".Driver": "podman's container has an empty layer beside its directory",
    ".GraphDriver.Name": "as Driver",
    ".SizeRw": "podman counts the whole directory as written",
    ".Config.Annotations": "data; podman notes there what libctr has in its configuration",
    ".Config.Env": "data; each engine adds variables of its own",
    ".Config.CreateCommand": "two programs",
    ".Config.sdNotifyMode": "libctr passes no notification socket on",
}

# Files of a run. Libctr's end with it, at the cleanup; podman's stay until the container is removed.
OF_A_RUN = ["OCIConfigPath", "ResolvConfPath", "HostnamePath", "HostsPath"]

# Objects whose keys are data.
MAPS = {".Config.Labels", ".Config.Annotations", ".HostConfig.Annotations", ".HostConfig.Tmpfs",
        ".HostConfig.PortBindings", ".NetworkSettings.Ports", ".HostConfig.CgroupConf"}

# Lists whose order means nothing; podman's own mounts come in another one each time.
SETS = {".EffectiveCaps", ".BoundingCaps", ".Mounts", ".HostConfig.Binds", ".HostConfig.CapAdd",
        ".HostConfig.CapDrop"}

failures = []


def fail(text):
    failures.append(text)
    print("FAIL:", text)


# ---- libctr ----

lib = C.CDLL(os.environ["LIBCTR_SO"])
P, ERR, TEXT, SIZE = C.c_void_p, C.POINTER(C.c_void_p), C.c_char_p, C.POINTER(C.c_size_t)


def function(name, result, *arguments):
    f = getattr(lib, name)
    f.restype, f.argtypes = result, arguments
    return f


class OpenOpts(C.Structure):  # struct ctr_open_opts
    _fields_ = [("size", C.c_size_t), ("flags", C.c_uint64), ("root", TEXT), ("run_root", TEXT),
                ("oci_runtimes", TEXT), ("conmon", TEXT), ("lock_timeout_ms", C.c_int64),
                ("log", P), ("log_userdata", P), ("log_level", C.c_int64), ("helper", TEXT)]


function("ctr_error_message", TEXT, P)
function("ctr_free", None, P)
function("ctr_runtime_unref", P, P)
function("ctr_runtime_open", C.c_int, C.POINTER(OpenOpts), ERR, ERR)
function("ctr_config_builder_new", P)
function("ctr_config_builder_add_str", C.c_int, P, C.c_int32, TEXT, ERR)
function("ctr_config_builder_set_bool", C.c_int, P, C.c_int32, C.c_int32, ERR)
function("ctr_config_builder_free", None, P)
function("ctr_spec_generate", C.c_int, P, ERR, SIZE, ERR)
function("ctr_config_from_json", C.c_int, TEXT, C.c_size_t, ERR, ERR)
function("ctr_config_unref", P, P)
function("ctr_container_create", C.c_int, P, P, C.c_uint64, ERR, ERR)
function("ctr_container_start", C.c_int, P, C.c_uint64, ERR)
function("ctr_container_pause", C.c_int, P, ERR)
function("ctr_container_unpause", C.c_int, P, ERR)
function("ctr_container_stop_with_timeout", C.c_int, P, C.c_int64, ERR)
function("ctr_container_cleanup", C.c_int, P, C.c_uint64, ERR)
function("ctr_container_remove", C.c_int, P, C.c_uint64, ERR)
function("ctr_container_inspect", C.c_int, P, C.c_uint64, ERR, SIZE, ERR)
function("ctr_container_unref", P, P)

CONFIG_PRIVILEGED, CONFIG_COMMAND = 17, 41
REMOVE_FORCE = 1


def call(name, *arguments, out=True):
    result, err = P(), P()
    places = ([C.byref(result)] if out else []) + [C.byref(err)]
    if getattr(lib, name)(*arguments, *places) < 0:
        sys.exit(f"{name}: {lib.ctr_error_message(err).decode()}")
    return result


def call_text(name, *arguments):
    """Those that give a text and its length."""
    text, length, err = P(), C.c_size_t(), P()
    if getattr(lib, name)(*arguments, C.byref(text), C.byref(length), C.byref(err)) < 0:
        sys.exit(f"{name}: {lib.ctr_error_message(err).decode()}")
    data = C.string_at(text, length.value)
    lib.ctr_free(text)
    return data.decode()


def default_spec(command, privileged):
    b = lib.ctr_config_builder_new()
    for word in command:
        call("ctr_config_builder_add_str", b, CONFIG_COMMAND, word.encode(), out=False)
    call("ctr_config_builder_set_bool", b, CONFIG_PRIVILEGED, privileged, out=False)
    spec = json.loads(call_text("ctr_spec_generate", b))
    lib.ctr_config_builder_free(b)
    return spec


def make_with_libctr(rt, config):
    text = json.dumps(config).encode()
    cfg = call("ctr_config_from_json", text, len(text))
    c = call("ctr_container_create", rt, cfg, 0)
    lib.ctr_config_unref(cfg)
    return c


def inspect_with_libctr(c):
    return json.loads(call_text("ctr_container_inspect", c, 0))


# ---- podman ----

class Podman:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="lp.", dir="/tmp")  # podman's limit: 50 characters
        self.words = ["podman", f"--root={self.dir}/root", f"--runroot={self.dir}/run",
                      f"--tmpdir={self.dir}/tmp", "--runtime=runc", "--cgroup-manager=cgroupfs",
                      "--storage-driver=vfs", "--events-backend=file"]

    def __call__(self, *words):
        done = subprocess.run([*self.words, *words], stdin=subprocess.DEVNULL, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"podman {' '.join(words)}: {done.stderr}")
        return done.stdout

    def inspect(self, name):
        return json.loads(self("inspect", name))[0]

    def working(self):
        """Its monitors run a cleanup at a container's end."""
        for line in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(line, "rb") as f:
                    if self.dir.encode() in f.read():
                        return True
            except OSError:
                pass
        return False

    def close(self):
        self("rm", "--all", "--force", "--time=0")
        for _ in range(200):
            if not self.working():
                break
            time.sleep(0.05)
        shutil.rmtree(self.dir)


# ---- comparing ----

def neutral(value, ids):
    """IDs are part of many texts."""
    if not isinstance(value, str):
        return value
    for full in ids:
        value = value.replace(full, "<ID>").replace(full[:12], "<ID>")
    return value


def kind(value):
    return "number" if type(value) in (int, float) else type(value).__name__


def compare_objects(where, theirs, ours, ids):
    at = where or "the top level"
    newer = NEWER.get(where, set())
    missing = [k for k in theirs if k not in ours]
    more = [k for k in ours if k not in theirs and k not in newer]
    if missing:
        fail(f"{at}: libctr has no {missing}")
    if more:
        fail(f"{at}: podman has no {more}")
    common = [k for k in theirs if k in ours]
    if common != [k for k in ours if k in theirs]:
        fail(f"{at}: the keys are in another order")
    for k in common:
        compare(f"{where}.{k}", theirs[k], ours[k], ids)


def compare(where, theirs, ours, ids):
    place = where.split("[")[0]
    if where in SETS and isinstance(theirs, list) and isinstance(ours, list):
        theirs, ours = (sorted(v, key=lambda e: json.dumps(e, sort_keys=True)) for v in (theirs, ours))
    if None not in (theirs, ours) and kind(theirs) != kind(ours):
        fail(f"{where}: podman has a {kind(theirs)}, libctr a {kind(ours)}")
    elif where in DIFFERENT:
        if isinstance(theirs, str) and isinstance(ours, str) and (theirs == "") != (ours == ""):
            fail(f"{where}: podman has {theirs!r}, libctr {ours!r}: only one is empty")
    elif isinstance(theirs, dict) and isinstance(ours, dict) and place not in MAPS:
        compare_objects(where, theirs, ours, ids)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for i, (a, b) in enumerate(zip(theirs, ours)):
            compare(f"{where}[{i}]", a, b, ids)
    elif neutral(theirs, ids) != neutral(ours, ids):
        fail(f"{where}: podman has {theirs!r}, libctr {ours!r}")


def compare_documents(what, theirs, ours):
    before = len(failures)
    compare("", theirs, ours, [theirs["Id"], ours["Id"]])
    print(f"{what}: {'equal' if len(failures) == before else 'NOT equal'}")


# ---- the containers ----

ROOTFS = os.environ["ROOTFS"]
COMMAND = ["/bin/sleep", "1000"]


def base_spec(privileged=False):
    """What both start from: a namespace of each kind, limits that are said, not left to defaults."""
    spec = default_spec(COMMAND, privileged)
    spec["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 512, "hard": 1024},
                                  {"type": "RLIMIT_NPROC", "soft": 1024, "hard": 1024}]
    spec["linux"].setdefault("resources", {})["pids"] = {"limit": 100}
    return spec


BASE_OPTIONS = ["--cgroupns=private", "--ulimit=nofile=512:1024",
                "--ulimit=nproc=1024:1024", "--pids-limit=100"]
BASE_CONFIG = {"rootfs": ROOTFS, "command": COMMAND, "CreateCommand": ["libctr"]}


def plain():
    return [*BASE_OPTIONS, "--network=none"], COMMAND, {**BASE_CONFIG, "spec": base_spec()}


def privileged():
    spec = base_spec(privileged=True)
    spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"]
                                   if n["type"] not in ("uts", "network")]
    return ([*BASE_OPTIONS, "--privileged", "--uts=host", "--network=host"], COMMAND,
            {**BASE_CONFIG, "spec": spec, "privileged": True})


def rich():
    directory = os.path.dirname(ROOTFS)
    source = f"{directory}/source"
    os.makedirs(source, exist_ok=True)
    spec = base_spec()
    process, linux = spec["process"], spec["linux"]
    caps = [c for c in process["capabilities"]["bounding"] if c != "CAP_CHOWN"] + ["CAP_NET_ADMIN"]
    process["capabilities"] = {"bounding": sorted(caps), "effective": ["CAP_NET_ADMIN"],
                               "permitted": ["CAP_NET_ADMIN"], "inheritable": ["CAP_NET_ADMIN"]}
    process.update(cwd="/data", user={"uid": 5, "gid": 6, "umask": 0o27}, noNewPrivileges=True,
                   oomScoreAdj=900, terminal=True)
    process["env"] += ["A=B", "C=D=E"]
    process["rlimits"].append({"type": "RLIMIT_CORE", "soft": 0, "hard": 0})
    spec["hostname"] = "box"
    spec["root"] = {"path": "/", "readonly": True}
    spec["annotations"] = {"x": "y"}
    linux["resources"].update(
        memory={"limit": 64 << 20, "reservation": 32 << 20},
        cpu={"shares": 512, "period": 100000, "quota": 25000, "cpus": "0"})
    linux["devices"] = [{"path": "/dev/mynull", "type": "c", "major": 1, "minor": 3,
                         "fileMode": 0o666, "uid": 0, "gid": 0}]
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "pid"]
    tmpfs = ["rw", "rprivate", "nosuid", "nodev", "tmpcopyup"]
    spec["mounts"] += [
        {"destination": "/data", "type": "bind", "source": source,
         "options": ["rw", "rprivate", "rbind"]},
        {"destination": "/ro", "type": "bind", "source": source,
         "options": ["ro", "rprivate", "rbind"]},
        {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": tmpfs},
        {"destination": "/sl", "type": "bind", "source": source,
         "options": ["private", "rw", "rbind"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
         "options": ["size=1m", "mode=1777", *tmpfs]},
        {"destination": "/var/tmp", "type": "tmpfs", "source": "tmpfs", "options": tmpfs}]
    config = {**BASE_CONFIG, "spec": spec, "user": "5:6", "stdin": True,
              "userVolumes": [m["destination"] for m in spec["mounts"][-6:]],
              "labels": {"k": "v", "k2": "v2"}, "stopSignal": 10, "stopTimeout": 3, "timeout": 100,
              "umask": "0027", "groups": ["7"], "hostsAdd": ["foo:1.2.3.4"], "shmSize": 1 << 20,
              "restart_policy": "on-failure", "restart_retries": 3, "logSize": 1234567}
    options = [
        *BASE_OPTIONS, "--network=none", "--ulimit=core=0:0", "--cap-add=NET_ADMIN", "--cap-drop=CHOWN",
        "--memory=64m", "--memory-reservation=32m", "--memory-swap=-1", "--cpu-shares=512",
        "--cpu-period=100000", "--cpu-quota=25000", "--cpuset-cpus=0", f"--volume={source}:/data",
        f"--volume={source}:/ro:ro", f"--volume={source}:/sl:private",
        "--tmpfs=/tmp:size=1m,mode=1777", "--env=A=B", "--env=C=D=E", "--label=k=v",
        "--label=k2=v2", "--hostname=box", "--read-only", "--restart=on-failure:3",
        "--workdir=/data", "--user=5:6", "--stop-signal=USR1", "--stop-timeout=3",
        "--umask=0027", "--group-add=7", "--add-host=foo:1.2.3.4", "--security-opt=no-new-privileges",
        "--pid=host", "--shm-size=1m", "--annotation=x=y", "--oom-score-adj=900",
        "--device=/dev/null:/dev/mynull:rw", "--log-driver=k8s-file",
        "--log-opt=max-size=1234567b", "-t", "-i", "--timeout=100"]
    return options, COMMAND, config


def checked():
    """With a health check; not started, because podman needs systemd for its timer."""
    check = {"Test": ["CMD-SHELL", "true"], "Timeout": 30000000000, "Retries": 2}
    spec = base_spec()
    spec["process"]["args"] = ["/bin/sleep", "5", "6"]
    config = {**BASE_CONFIG, "spec": spec, "healthcheck": check,
              "entrypoint": ["/bin/sleep", "5"], "command": ["6"]}
    options = [*BASE_OPTIONS, "--network=none", "--health-cmd=true", "--health-interval=disable",
               "--health-retries=2", '--entrypoint=["/bin/sleep", "5"]']
    return options, ["6"], config


def later_states(podman, name, c):
    podman("pause", name)
    call("ctr_container_pause", c, out=False)
    compare_documents(f"{name}, paused", podman.inspect(name), inspect_with_libctr(c))
    podman("unpause", name)
    call("ctr_container_unpause", c, out=False)
    # Podman's stop cleans up, too.
    podman("stop", "--time=0", name)
    call("ctr_container_stop_with_timeout", c, 0, out=False)
    call("ctr_container_cleanup", c, 0, out=False)
    theirs, ours = podman.inspect(name), inspect_with_libctr(c)
    for key in OF_A_RUN:
        theirs.pop(key, None)
        if ours.pop(key, ""):
            fail(f"{name}, exited: {key} names a file that is gone")
    compare_documents(f"{name}, exited", theirs, ours)


def side_by_side(rt, podman, name, recipe, start):
    options, command, config = recipe()
    podman("create", "--name", name, *options, "--rootfs", ROOTFS, *command)
    c = make_with_libctr(rt, {**config, "name": name})
    compare_documents(f"{name}, created", podman.inspect(name), inspect_with_libctr(c))
    if start:
        podman("start", name)
        call("ctr_container_start", c, 0, out=False)
        compare_documents(f"{name}, running", podman.inspect(name), inspect_with_libctr(c))
        later_states(podman, name, c)
    call("ctr_container_remove", c, REMOVE_FORCE, out=False)
    lib.ctr_container_unref(c)


def main():
    if not shutil.which("podman"):
        print("podman is not installed")
        return 77
    rt = call("ctr_runtime_open", C.byref(OpenOpts(
        size=C.sizeof(OpenOpts), root=os.environ["LIBCTR_ROOT"].encode(),
        run_root=os.environ["LIBCTR_RUN_ROOT"].encode(),
        oci_runtimes=os.environ["LIBCTR_OCI"].encode(), helper=os.environ["LIBCTR_HELPER"].encode())))
    podman = Podman()
    try:
        side_by_side(rt, podman, "plain", plain, start=True)
        side_by_side(rt, podman, "privileged", privileged, start=True)
        side_by_side(rt, podman, "rich", rich, start=True)
        side_by_side(rt, podman, "checked", checked, start=False)
    finally:
        podman.close()
        lib.ctr_runtime_unref(rt)
    return 1 if failures else 0


sys.exit(main())
