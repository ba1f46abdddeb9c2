"""Let the kernel refuse system calls of a process, as a file system without them does."""

import ctypes
import errno
import platform
import struct
import sys
from pathlib import Path

# Numbers of the calls that make hard and symbolic links.
HARD = {"x86_64": (86, 265), "aarch64": (37,)}
SYMBOLIC = {"x86_64": (88, 266), "aarch64": (36,)}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
LOAD_NUMBER, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


def refuse(numbers: tuple[int, ...], error: int) -> None:
    """Refuse these calls of this process from now on; raise OSError where the kernel does not allow that."""
    steps = [(LOAD_NUMBER, 0, 0, 0)]
    for number in numbers:
        steps += [(IF_EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | error)]
    code = b"".join(struct.pack("HBBI", *step) for step in [*steps, (RETURN, 0, 0, ALLOW)])
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, FILTER, program):
        raise OSError(ctypes.get_errno(), "no filter of system calls")


def main(error: str, also_symbolic: str, kind: str, source: str, target: str) -> None:
    """Link one file in a process whose links the kernel refuses."""
    from scripts.core import files

    machine = platform.machine()
    calls = HARD[machine] + (SYMBOLIC[machine] if also_symbolic == "True" else ())
    try:
        refuse(calls, getattr(errno, error))
    except OSError:
        sys.exit(77)
    getattr(files, kind)(Path(source), Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
