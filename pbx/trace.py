"""The last 16 MB of what happened, and one call's ladder made of it when somebody asks.

Messages are kept as the bytes that passed, events as they were emitted; nothing is parsed or copied
while calls run. `ladder` finds a call's events, learns from them which SIP Call-IDs are its legs,
and then reads the messages that carry one of those. Proofs of passwords, keys of SRTP and pressed
keys are blotted out; the ring itself never leaves the process.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from pbx import events
from pbx.api.views import TraceEntry
from pbx.errors import MessageError
from pbx.events.bus import Stamped
from pbx.sentences import sentence
from pbx.sip.flow import Flow, host_port
from pbx.sip.message import Request, Response, parse_message

LIMIT = 16 * 2**20
"""Bytes that the ring holds, counting `EVENT_COST` for each event."""

EVENT_COST = 300
"""Bytes that an event is taken to weigh."""

ENTRY_COST = 200
"""Bytes that a message weighs besides its own."""

_CALL_ID = re.compile(rb"\n(?:Call-ID|i)[ \t]*:\s*([^\r\n]*?)[ \t]*\r?\n", re.I)

_CREDENTIALS = re.compile(
    r"^(?:(?:Proxy-)?Authorization|Authentication-Info)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.I | re.M
)
_PROOF = re.compile(r"\b((?:response|cnonce|rspauth)\s*=\s*)(?:\"[^\"]*\"?|[^\s,]*)", re.I)
_CRYPTO = re.compile(
    r"(?<![^\r\n])(a\s*=\s*crypto\s*:\s*(?:[0-9]+\s+\w+\s+)?(?:inline:)?)[^\r\n]*", re.I
)
"""A line of a description with a key of SRTP (RFC 4568)."""

_KEYS = re.compile(r"^(?:Content-Type|c)[ \t]*:\s*application/dtmf", re.I | re.M)
"""An INFO whose body is a pressed key, which may be one of a PIN."""


class Passed(msgspec.Struct, frozen=True, gc=False):
    """One message that came in or went out. `at` is seconds since the epoch."""

    at: float
    direction: Literal["received", "sent"]
    flow: Flow
    octets: bytes


@dataclass(frozen=True, slots=True)
class _LegName:
    leg: int
    party: str


class Trace:
    """A ring of messages and events, bounded in bytes."""

    def __init__(self, wall: Callable[[], float], *, limit: int = LIMIT) -> None:
        self._wall = wall
        self._limit = limit
        self._ring: deque[Passed | Stamped] = deque()
        self._weight = 0

    def tap(self, direction: Literal["in", "out"], octets: bytes, flow: Flow, _now: float) -> None:
        """Remember one message; the transport calls this for each."""
        way: Literal["received", "sent"] = "received" if direction == "in" else "sent"
        self._ring.append(Passed(self._wall(), way, flow, octets))
        self._grow(len(octets) + ENTRY_COST)

    def sink(self, stamped: Stamped) -> None:
        """Remember one event; a sink of the bus."""
        self._ring.append(stamped)
        self._grow(EVENT_COST)

    def ladder(self, call: str) -> list[TraceEntry]:
        """Return what is remembered of a call, in order; empty when nothing is."""
        own = [
            entry for entry in self._ring if isinstance(entry, Stamped) and entry.event.call == call
        ]
        legs = {
            stamped.event.sip_call_id: _LegName(stamped.event.leg, stamped.event.number)
            for stamped in own
            if isinstance(stamped.event, events.LegInvited)
        }
        entries = [_event_entry(stamped) for stamped in own]
        entries += self._messages(legs)
        entries.sort(key=lambda entry: entry.at)
        return entries

    def _messages(self, legs: dict[str, _LegName]) -> Iterator[TraceEntry]:
        wanted = {name.encode("utf-8", "surrogateescape"): leg for name, leg in legs.items()}
        seen: set[tuple[str, bytes]] = set()
        for entry in tuple(self._ring):
            if not isinstance(entry, Passed):
                continue
            found = _CALL_ID.search(entry.octets)
            leg = wanted.get(found[1]) if found is not None else None
            if leg is not None:
                again = (entry.direction, entry.octets) in seen
                seen.add((entry.direction, entry.octets))
                yield _message_entry(entry, leg, again=again)

    def _grow(self, weight: int) -> None:
        self._weight += weight
        while self._weight > self._limit:
            gone = self._ring.popleft()
            self._weight -= (
                len(gone.octets) + ENTRY_COST if isinstance(gone, Passed) else EVENT_COST
            )


def _message_entry(passed: Passed, leg: _LegName, *, again: bool) -> TraceEntry:
    ours, theirs = host_port(*passed.flow.local), host_port(*passed.flow.remote)
    received = passed.direction == "received"
    text = passed.octets.decode("utf-8", "replace")
    return TraceEntry(
        at=passed.at,
        kind="sip",
        summary=_summary(passed.octets) + (", again" if again else ""),
        leg=leg.leg,
        party=leg.party,
        direction=passed.direction,
        from_=theirs if received else ours,
        to=ours if received else theirs,
        transport=passed.flow.transport,
        first_line=text.partition("\r\n")[0],
        detail=_without_secrets(text),
    )


def _without_secrets(text: str) -> str:
    text = _CREDENTIALS.sub(lambda header: _PROOF.sub(r'\1"…"', header[0]), text)
    head, blank, body = text.partition("\r\n\r\n")
    if body and _KEYS.search(head):
        return f"{head}{blank}…"
    return _CRYPTO.sub(r"\1…", text)


def _summary(octets: bytes) -> str:
    try:
        message = parse_message(octets)
    except MessageError as error:
        return f"not a SIP message ({error.slug})"
    content_type = message.headers.get("Content-Type") or ""
    body = " with SDP" if message.body and content_type.startswith("application/sdp") else ""
    if isinstance(message, Request):
        return f"{message.method}{body}"
    return f"{message.status} {message.reason} {_method(message)}{body}"


def _method(response: Response) -> str:
    try:
        return response.cseq.method
    except MessageError:
        return "?"


def _event_entry(stamped: Stamped) -> TraceEntry:
    event = stamped.event
    if isinstance(event, events.StepTaken):
        return TraceEntry(
            at=stamped.at,
            kind="step",
            summary=sentence(event),
            file=event.file or None,
            line=event.line or None,
        )
    media = isinstance(
        event,
        events.LegQuality
        | events.CodecChanged
        | events.MediaLost
        | events.DigitReceived
        | events.PlaybackFinished
        | events.RecordingEvent
        | events.Bridged,
    )
    return TraceEntry(
        at=stamped.at,
        kind="media" if media else "event",
        summary=sentence(event),
        leg=getattr(event, "leg", None),
    )
