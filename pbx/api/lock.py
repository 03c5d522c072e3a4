"""One server per office: a lock on `var/lock` that dies with its holder.

The running server holds it alone. A command that works on the database without a server shares it
meanwhile, so that no server starts on a directory that is being changed. The lock is the kernel's
(flock), so a killed server leaves none.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from pbx.errors import Refused

PATIENCE = 3.0  # seconds that a starting server waits for commands to finish
POLL = 0.05  # seconds


@contextlib.contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the office's lock alone, as its server; Refused where another server holds it.

    Waits up to `PATIENCE` for commands that share it. The file then says our process id.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def share_lock(path: Path) -> Iterator[bool]:
    """Keep servers from starting; gives False, and keeps nothing, where one is running."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def server_is_running(path: Path) -> bool:
    """Tell whether a server holds the lock; False where the file does not exist."""
    if not path.exists():
        return False
    with share_lock(path) as free:
        return not free


def _take(descriptor: int) -> None:
    give_up = time.monotonic() + PATIENCE
    while not _try(descriptor, fcntl.LOCK_EX):
        if holder := os.pread(descriptor, 20, 0).decode(errors="replace").strip():
            raise Refused(f"callpbx is already running here as process {holder}")
        if time.monotonic() > give_up:
            raise Refused("callpbx cannot start: another command is using the office")
        time.sleep(POLL)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
