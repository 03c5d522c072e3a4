"""One line of `callpbx doctor`: how something is and, if it is not well, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pbx.config import Home, Settings

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `fix` is there for "warn" (will do, but) and "fail" (will not do)."""

    level: Level
    subject: str
    sentence: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What is looked at. `running` tells whether a server holds the office's lock."""

    home: Home
    settings: Settings
    running: bool


Check = Callable[[Examined], Iterator[Finding]]


def ok(subject: str, sentence: str) -> Finding:
    """Return a finding that all is well."""
    return Finding("ok", subject, sentence)


def warn(subject: str, sentence: str, fix: str) -> Finding:
    """Return a finding that will do, but."""
    return Finding("warn", subject, sentence, fix)


def fail(subject: str, sentence: str, fix: str) -> Finding:
    """Return a finding that will not do."""
    return Finding("fail", subject, sentence, fix)
