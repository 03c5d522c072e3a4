"""What every event is, and the words that several of them use."""

from __future__ import annotations

from typing import Literal

import msgspec

Direction = Literal["internal", "inbound", "outbound"]
Result = Literal[
    "answered",
    "no_answer",
    "busy",
    "rejected",
    "unavailable",
    "cancelled",
    "abandoned",
    "voicemail",
    "failed",
    "interrupted",
]
SupervisionMode = Literal["listen", "whisper", "barge"]
"""Heard by nobody, by the agent alone, by all."""

LegRole = Literal["caller", "called", "supervisor", "consulted"]
"""Whose leg it is. Somebody who is asked before a transfer is `consulted` until the transfer."""

EndedBy = Literal["caller", "called", "system", "supervisor"]


AgentStateName = Literal[
    "logged_out",
    "available",
    "reserved",
    "ringing",
    "talking",
    "hold",
    "wrap_up",
    "paused",
    "unreachable",
]
"""What an agent is doing; the table of what may follow what is `pbx/acd/agent.py`."""


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True, gc=False
):
    """Something that happened to the call named `call`."""

    call: str
