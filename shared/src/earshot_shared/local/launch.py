"""Become another program: `python launch.py OPTIONS -- ARGV`, a file that needs nothing but the standard library.

Owns: what must happen between fork and exec of a supervised process. It asks the kernel for a signal when the parent dies (Linux), so
that a killed supervisor leaves no orphans, steps back behind others, and gives up root for programs that refuse it (Postgres). The pid
stays the same.
Must not: import anything of ours (it runs isolated, in 20 ms), or be relied on alone: the supervisor ends orphans itself too.
"""

import argparse
import contextlib
import ctypes
import os
import sys
import time

AUTOGROUP = "/proc/self/autogroup"
AUTOGROUP_TRIES = 20  # the kernel takes one such wish in 0.1 s from all who are not root
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def _prctl(*arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*(ctypes.c_ulong(argument) for argument in arguments)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _keep_only_file_access() -> None:
    """After setuid, hold on to CAP_DAC_OVERRIDE alone, through exec as well."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << CAP_DAC_OVERRIDE
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; then their upper halves
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def drop_root(uid: int, gid: int) -> None:
    """Become `uid`, which owns the server's files but cannot walk into root's home, where the program may be installed.

    So the right to pass folders of others is kept where the kernel allows it; where it does not, ordinary rights must do.
    """
    if sys.platform == "linux":
        _prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            _keep_only_file_access()


def step_back(niceness: int) -> None:
    """Take less of a full machine than others do (0 to 19, as `nice` counts); all of an idle one all the same.

    Linux shares a desktop's or a small server's processors among sessions first, and a session has a niceness of its own.
    """
    os.nice(niceness)
    for _ in range(AUTOGROUP_TRIES):
        try:
            with open(AUTOGROUP, "w") as wish:
                wish.write(str(niceness))
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            return  # a kernel without them: the process' own niceness does it
        else:
            return


def die_with(parent: int, signal_number: int) -> None:
    """Ask for a signal at the parent's death; asked after setuid, which clears it. A parent already gone ends us here."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            _prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the supervisor has gone")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("argv", nargs="+")
    options = parser.parse_args()
    if options.nice:
        step_back(options.nice)
    if options.uid is not None:
        drop_root(options.uid, options.gid)
    die_with(options.parent, options.death_signal)
    os.execvp(options.argv[0], options.argv)  # noqa: S606 - becoming the program named by our own supervisor is the whole purpose


if __name__ == "__main__":
    main()
