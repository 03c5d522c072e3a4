"""What the server asks of the process that checks dialplans, and what it is told.

Both travel over that process's pipes as pickles: it is our own program, started by us, and nobody
else can write there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pbx.dialplan.changes import NOTHING, Changes
from pbx.marks import Problem


@dataclass(frozen=True, slots=True)
class Question:
    """Whether the dialplan at `path` can be used.

    `kept` is one that was accepted before: it is only read, not checked again and not rehearsed.
    `compare_with` is another dialplan; then the plan itself is not wanted, only what changes.
    """

    path: Path
    kept: bool = False
    compare_with: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found. `files` are those that were read, relative to the first one's folder.
    `pieces` are the plan (pieces.py) where it is usable and wanted, with the `texts` of its files.
    `refusal` is why there is nothing to say at all."""

    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    pieces: tuple[bytes, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    changes: Changes = NOTHING
    refusal: str | None = None
