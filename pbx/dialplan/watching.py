"""Reloads the dialplan when its files are saved: `dialplan: {watch: yes}` in callpbx.yaml. [io]

The files are looked at each second. What was found changed is reloaded at the next look, if it has
stood still until then: an editor may write a file in several steps, or several files in turn. One
that cannot be used is tried again only when it has changed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

LOOK: Final = 1.0  # seconds

State = tuple[int, int, int] | None
"""When a file was changed (ns), its size, its inode; None where there is no such file."""


async def watch(files: Callable[[], Iterable[Path]], reload: Callable[[], Awaitable[None]]) -> None:
    """Await `reload` whenever one of `files` has changed; they are asked for at each look."""
    seen = before = states_of(files())
    while True:
        await asyncio.sleep(LOOK)
        now = states_of(files())
        changed = [file for file, state in now.items() if seen.setdefault(file, state) != state]
        if changed and now == before:
            seen = dict(now)  # what is saved from here on has changed once more
            await reload()
        before = now


def states_of(files: Iterable[Path]) -> dict[Path, State]:
    """Return of each file what tells whether it has changed."""
    return {file: _state(file) for file in files}


def _state(file: Path) -> State:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
