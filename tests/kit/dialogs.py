"""Calls between two parties of a `Wire`, brought to the point where a test begins."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.sip.events import InviteAnswered, InviteId, InviteReceived
from tests.kit.wire import ANSWER, OFFER, Party


@dataclass(frozen=True, slots=True)
class Joined:
    """One INVITE seen from both ends."""

    caller: InviteId
    callee: InviteId


def ring(caller: Party, callee: Party, *, body: bytes | None = OFFER) -> Joined:
    """Send an INVITE and let it ring."""
    invite = caller.invite(callee, body=body)
    caller.wire.run(0.01)
    received = callee.last(InviteReceived)
    callee.respond(received.transaction, 180)
    caller.wire.run(0.01)
    return Joined(invite, received.invite)


def talk(
    caller: Party,
    callee: Party,
    *,
    body: bytes | None = OFFER,
    headers: tuple[tuple[str, str], ...] = (),
) -> Joined:
    """Send an INVITE, answer it and acknowledge the answer; with `body` None the offer is late."""
    invite = caller.invite(callee, body=body, headers=headers)
    caller.wire.run(0.01)
    received = callee.last(InviteReceived)
    callee.respond(received.transaction, 200, body=ANSWER)
    caller.wire.run(0.01)
    assert caller.last(InviteAnswered).invite == invite
    caller.ack(invite, body=None if body else ANSWER)
    caller.wire.run(0.01)
    return Joined(invite, received.invite)
