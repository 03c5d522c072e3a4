"""The words in which the reasons of a call centre are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

TESTS: Final[Mapping[str, str]] = {
    "skill": "lacks a skill",
    "logged_out": "logged out",
    "unreachable": "unreachable",
    "paused": "paused",
    "wrap_up": "in wrap-up",
    "busy": "on a call",
    "reserved": "offered another call",
    "declined": "declined this caller just before",
    "other_agent": "free, but the caller waits for another agent",
    "later": "free, but others come first",
}
"""Failed test → what it means; the names are those of `OfferDecided`."""

DECLINED: Final[Mapping[str, str]] = {
    "rejected": "rejected it",
    "no_answer": "did not answer",
    "busy": "was busy",
    "unreachable": "could not be reached",
    "failed": "could not be rung",
    "withdrawn": "was spared: the caller left, or another took it",
}
"""Why an agent did not take an offer."""

LEFT: Final[Mapping[str, str]] = {
    "answered": "an agent has it",
    "abandoned": "the caller hung up",
    "no_agents": "sent away: nobody who could serve is logged in and can be reached",
    "full": "sent away: too many wait already",
    "timeout": "sent away: it waited as long as anybody may",
    "left": "the caller chose to leave with a key",
    "callback": "the caller chose to be called back",
    "moved": "moved to another queue",
}
"""How a caller's wait ended."""

TRANSFERRED: Final[Mapping[str, str]] = {
    "completed": "is done",
    "recalled": "got no answer: back to who began it",
    "busy": "failed: busy",
    "no_answer": "failed: no answer",
    "rejected": "failed: rejected",
    "unavailable": "failed: nobody there",
    "failed": "failed",
    "cancelled": "was given up",
}
"""What became of a transfer."""

STATES: Final[Mapping[str, str]] = {
    "logged_out": "logged out",
    "available": "available",
    "reserved": "reserved for a call",
    "ringing": "being rung",
    "talking": "on calls",
    "hold": "on calls, with somebody on hold",
    "wrap_up": "in wrap-up",
    "paused": "paused",
    "unreachable": "unreachable",
}
"""An agent's state → what it was."""


def length(seconds: float) -> str:
    """Return a length of time as people say it: `12 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def listed(parts: Iterable[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 caller`, `2 callers`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def with_skills(skills: Mapping[str, int]) -> str:
    """Return skills as people read them: `en 3, tech 2`; of none, `any agent`."""
    return ", ".join(f"{name} {level}" for name, level in skills.items()) or "any agent"
