"""A network namespace of its own for one test: every port is free, and no packet can leave or come
in.

The calling thread moves into a new namespace whose loopback is up; programs that it starts live
there too. Afterwards it moves back. Needs root, or a user namespace in which we are root (`unshare
-rn pytest …`, which `make test` does).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x4000_0000  # <linux/sched.h>
SIOCGIFFLAGS = 0x8913  # <linux/sockios.h>
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1  # <linux/if.h>

OWN = Path("/proc/thread-self/ns/net")

_libc = ctypes.CDLL(None, use_errno=True)


class NoNamespace(RuntimeError):
    """A network namespace cannot be made here; the text says what would help."""


@contextmanager
def network_namespace() -> Iterator[None]:
    """Run the block in a new network namespace with loopback up; raises NoNamespace where that is
    not allowed."""
    home = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter_new()
        try:
            bring_loopback_up()
            yield
        finally:
            _call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)


def bring_loopback_up() -> None:
    """Set the loopback interface of the current namespace up, as `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        if not flags & IFF_UP:
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def _enter_new() -> None:
    try:
        _call("unshare", CLONE_NEWNET)
    except PermissionError:
        raise NoNamespace(
            "no right to make a network namespace: use `make test`, or `unshare -rn pytest`"
        ) from None


def _call(function: str, *arguments: int) -> None:
    if getattr(_libc, function)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function}: {os.strerror(code)}")
