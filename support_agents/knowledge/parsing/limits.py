"""What a file from outside may cost, and how a process gives up what it does not need; Linux enforces it."""

import ctypes
import errno
import os
import platform
import resource
import struct
import sys

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 5
WALL_SECONDS = 20
INPUT_BYTES = 20_000_000
EXPANSION = 100
# Below this even a hundredfold text is harmless.
SMALL_TEXT = 1_000_000
PAGES = 500
ARCHIVE_DEPTH = 3

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
# Audit architecture; then the calls that make and use sockets, start programs, trace processes, set up io_uring, and
# open files: what a parser needs of the disk it has loaded before.
_FORBIDDEN = {
    "x86_64": (0xC000003E, (41, 42, 53, 49, 50, 59, 322, 101, 425, 2, 85, 257, 437)),
    "aarch64": (0xC00000B7, (198, 203, 199, 200, 201, 221, 281, 117, 425, 56, 437)),
}


def confine() -> None:
    """Give up memory beyond the limit, files, other programs and every socket, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    _forbid_system_calls()
    sys.addaudithook(_refuse)


def allow_cpu(seconds: int) -> None:
    """Let the process use that much more processor time; past it the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, resource.RLIM_INFINITY))


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    """Refuse in Python too, where the kernel's filter is not to be had."""
    if event.startswith(("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.system", "os.exec")):
        raise PermissionError(f"{event} is not for a parser")


def _forbid_system_calls() -> None:
    """Install a seccomp filter: the calls that open files and sockets or start programs fail with EPERM."""
    known = _FORBIDDEN.get(platform.machine()) if sys.platform == "linux" else None
    if known is None:
        return
    architecture, numbers = known
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, architecture), (0x06, 0, 0, _DENY), (0x20, 0, 0, 0)]
    program += [(0x15, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _DENY)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or library.prctl(_SET_SECCOMP, _FILTER, header, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
