#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ctypes_list.py [FILTER...]: all containers with their state, from Python, without a compiler.

Every part of libctr is a plain function on plain types, so a foreign function interface is enough.
LIBCTR_SO names the library if it is not installed; LIBCTR_ROOT and LIBCTR_RUN_ROOT the store.
"""
import ctypes as C
import os
import sys

lib = C.CDLL(os.environ.get("LIBCTR_SO", "libctr.so.0.1"))


def function(name, result, *arguments):
    """Declares a function: ctypes would take every result for an int."""
    f = getattr(lib, name)
    f.restype, f.argtypes = result, arguments
    return f


P, ERR = C.c_void_p, C.POINTER(C.c_void_p)


class OpenOpts(C.Structure):  # struct ctr_open_opts; all zero but the size means: defaults
    _fields_ = [("size", C.c_size_t), ("flags", C.c_uint64), ("root", C.c_char_p),
                ("run_root", C.c_char_p), ("oci_runtimes", C.c_char_p), ("conmon", C.c_char_p),
                ("lock_timeout_ms", C.c_int64), ("log", P), ("log_userdata", P),
                ("log_level", C.c_int64)]


runtime_open = function("ctr_runtime_open", C.c_int, C.POINTER(OpenOpts), ERR, ERR)
runtime_unref = function("ctr_runtime_unref", P, P)
runtime_list = function("ctr_runtime_list", C.c_int, P, P, C.c_uint64, ERR, ERR)
list_count = function("ctr_list_count", C.c_size_t, P)
list_id = function("ctr_list_id", C.c_char_p, P, C.c_size_t)
list_name = function("ctr_list_name", C.c_char_p, P, C.c_size_t)
list_state = function("ctr_list_state", C.c_int32, P, C.c_size_t)
list_free = function("ctr_list_free", None, P)
state_name = function("ctr_state_name", C.c_char_p, C.c_int32)
container_lookup = function("ctr_container_lookup", C.c_int, P, C.c_char_p, ERR, ERR)
error_code = function("ctr_error_code", C.c_int32, P)
error_name = function("ctr_error_name", C.c_char_p, C.c_int32)
error_message = function("ctr_error_message", C.c_char_p, P)
error_free = function("ctr_error_free", None, P)


class CtrError(Exception):
    def __init__(self, err):
        self.code = error_code(err)
        self.name = error_name(self.code).decode()
        super().__init__(error_message(err).decode())
        error_free(err)


def call(f, *arguments):
    """Calls f(*arguments, &out, &err): returns out or raises CtrError."""
    out, err = P(), P()
    if f(*arguments, C.byref(out), C.byref(err)) < 0:
        raise CtrError(err)
    return out


def main():
    env = {k: v.encode() for k, v in os.environ.items()}
    opts = OpenOpts(size=C.sizeof(OpenOpts), root=env.get("LIBCTR_ROOT"),
                    run_root=env.get("LIBCTR_RUN_ROOT"))
    rt = P()
    filters = (C.c_char_p * len(sys.argv))(*[a.encode() for a in sys.argv[1:]], None)
    try:
        rt = call(runtime_open, C.byref(opts))
        containers = call(runtime_list, rt, C.cast(filters, P), 0)
        for i in range(list_count(containers)):
            print(list_id(containers, i).decode()[:12], list_name(containers, i).decode(),
                  state_name(list_state(containers, i)).decode())
        list_free(containers)
        # An error is an exception, with the library's own words.
        call(container_lookup, rt, b"no-such-container")
    except CtrError as e:
        print(f"{e.name}: {e}")
    finally:
        runtime_unref(rt)


main()
