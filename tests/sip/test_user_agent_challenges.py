"""Challenges of a carrier to an INVITE, within its dialog, and to REGISTER, through user agents."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.sip.account import Account
from pbx.sip.digest import Challenge
from pbx.sip.events import (
    InviteAnswered,
    InviteFailed,
    InviteId,
    InviteReceived,
    ReinviteAnswered,
    ReinviteReceived,
    RequestAnswered,
    RequestReceived,
)
from pbx.sip.message import Request
from tests.kit.wire import ANSWER, OFFER, Party, Wire

PROXY = ("Proxy-Authenticate", str(Challenge("carrier", "n1")))
SERVER = ("WWW-Authenticate", str(Challenge("carrier", "n1")))


def proved(request: Request) -> bool:
    names = ("Proxy-Authorization", "Authorization")
    return any(request.headers.get(name) is not None for name in names)


def invite(wire: Wire, alice: Party, bob: Party, *, strange: bool = False, **told: Any) -> InviteId:
    """Send an INVITE by which alice can prove herself to bob, unless he is strange."""
    addresses = set() if strange else {bob.address}
    return alice.ua.invite(
        bob.uri(),
        destinations=[alice.flow_to(bob)],
        to=bob.name_addr(),
        from_=alice.name_addr(),
        body=OFFER,
        account=Account("alice", "geheim", addresses=addresses),
        now=wire.now,
        **told,
    )


def challenges(bob: Party) -> None:
    """Let bob challenge every INVITE that proves nothing, and answer the others."""

    def react(event: InviteReceived) -> None:
        if proved(event.request):
            bob.respond(event.transaction, 200, body=ANSWER)
        else:
            bob.ua.respond(event.transaction, 407, headers=(PROXY,), now=bob.wire.now)

    bob.on(InviteReceived, react)


def test_an_invite_is_sent_again_as_the_same_call(wire: Wire, alice: Party, bob: Party) -> None:
    challenges(bob)
    usage = invite(wire, alice, bob)
    wire.run(0.1)
    alice.ack(usage)
    wire.run()
    first, second = (sent.message for sent in wire.sent(alice, "INVITE"))
    assert isinstance(second, Request)
    assert (first.call_id, first.from_tag) == (second.call_id, second.from_tag)
    assert (first.cseq.number, second.cseq.number) == (1, 2)
    assert [event.response.status for event in alice.told(InviteAnswered)] == [200]
    to_refusal, to_answer = (sent.message for sent in wire.sent(alice, "ACK"))
    assert (to_refusal.cseq.number, to_answer.cseq.number) == (1, 2)
    assert isinstance(to_answer, Request)
    assert proved(to_answer), "the ACK has the same proof (§22.1)"
    alice.end(usage)
    wire.run(33)
    (bye,) = (sent.message for sent in wire.sent(alice, "BYE"))
    assert bye.cseq.number == 3
    assert alice.is_idle
    assert bob.is_idle


def test_a_stranger_gets_no_second_invite(wire: Wire, alice: Party, bob: Party) -> None:
    challenges(bob)
    invite(wire, alice, bob, strange=True)
    wire.run()
    assert alice.last(InviteFailed).status == 407
    assert len(wire.sent(alice, "INVITE")) == 1


def test_what_was_cancelled_is_not_proved(wire: Wire, alice: Party, bob: Party) -> None:
    usage = invite(wire, alice, bob)
    wire.run(0.2)
    alice.end(usage)
    bob.ua.respond(bob.last(InviteReceived).transaction, 407, headers=(PROXY,), now=wire.now)
    wire.run(33)
    assert len(wire.sent(alice, "INVITE")) == 1
    assert alice.is_idle


def test_silence_of_the_last_destination_ends_it(wire: Wire, alice: Party, bob: Party) -> None:
    wire.impairment.loss = 1.0
    invite(wire, alice, bob, silent_after=4.0)
    wire.run(3.9)
    assert not alice.told(InviteFailed)
    wire.run(0.2)
    failed = alice.last(InviteFailed)
    assert (failed.status, failed.slug) == (408, "silent")
    wire.run(40)
    assert alice.is_idle


def test_whoever_answers_too_late_is_hung_up(wire: Wire, alice: Party, bob: Party) -> None:
    wire.impairment.loss = 1.0
    invite(wire, alice, bob, silent_after=4.0)
    wire.run(5)
    wire.impairment.loss = 0.0
    wire.run(4)
    assert "CANCEL" in alice.kinds
    wire.run(40)
    assert alice.is_idle
    assert bob.is_idle


def test_a_word_of_the_last_destination_is_enough(wire: Wire, alice: Party, bob: Party) -> None:
    invite(wire, alice, bob, silent_after=4.0)
    wire.run(20)
    assert not alice.told(InviteFailed), "100 came"
    bob.respond(bob.last(InviteReceived).transaction, 486)
    wire.run()
    assert alice.last(InviteFailed).status == 486


def test_requests_within_the_dialog_are_proved_too(wire: Wire, alice: Party, bob: Party) -> None:
    challenges(bob)
    usage = invite(wire, alice, bob)
    wire.run(0.1)
    alice.ack(usage)
    wire.run(0.1)

    def info(event: RequestReceived) -> None:
        status = 200 if proved(event.request) else 407
        headers = () if status == 200 else (PROXY,)
        bob.ua.respond(event.transaction, status, headers=headers, now=wire.now)

    def reinvited(event: ReinviteReceived) -> None:
        if proved(event.request):
            bob.respond(event.transaction, 200, body=ANSWER)
        else:
            bob.ua.respond(event.transaction, 407, headers=(PROXY,), now=wire.now)

    bob.on(RequestReceived, info)
    bob.on(ReinviteReceived, reinvited)
    alice.ua.request(usage, "INFO", now=wire.now)
    wire.run(0.2)
    assert alice.last(RequestAnswered).response.status == 200
    alice.ua.reinvite(usage, body=OFFER, now=wire.now)
    wire.run(0.2)
    assert alice.last(ReinviteAnswered).response.status == 200
    alice.ack(usage)
    wire.run(0.2)
    alice.end(usage)
    wire.run(33)
    numbers = [
        sent.message.cseq.number
        for sent in wire.log
        if sent.source == "alice" and sent.kind in ("INVITE", "INFO", "BYE")
    ]
    assert numbers == sorted(set(numbers)), "each takes the next CSeq number"
    assert alice.is_idle
    assert bob.is_idle


def test_who_was_called_proves_itself_where_it_is_told_to(
    wire: Wire, alice: Party, bob: Party
) -> None:
    usage = alice.invite(bob)
    wire.run(0.05)
    received = bob.last(InviteReceived)
    bob.ua.prove_as(received.invite, Account("bob", "geheim", addresses={alice.address}))
    bob.respond(received.transaction, 200, body=ANSWER)
    wire.run(0.1)
    alice.ack(usage)
    wire.run(0.1)

    def info(event: RequestReceived) -> None:
        status = 200 if proved(event.request) else 401
        headers = () if status == 200 else (SERVER,)
        alice.ua.respond(event.transaction, status, headers=headers, now=wire.now)

    alice.on(RequestReceived, info)
    bob.ua.request(received.invite, "INFO", now=wire.now)
    wire.run(0.2)
    assert bob.last(RequestAnswered).response.status == 200


@pytest.mark.parametrize("same", [None, ("a-call-id", 7)])
def test_a_register_goes_on_from_the_one_before(
    wire: Wire, alice: Party, bob: Party, same: tuple[str, int] | None
) -> None:
    def register(event: RequestReceived) -> None:
        status = 200 if proved(event.request) else 401
        headers = () if status == 200 else (SERVER,)
        bob.ua.respond(event.transaction, status, headers=headers, now=wire.now)

    bob.on(RequestReceived, register)
    alice.ua.send(
        "REGISTER",
        bob.uri(),
        destinations=[alice.flow_to(bob)],
        to=alice.name_addr(),
        from_=alice.name_addr(),
        contact="7a0c",
        account=Account("alice", "geheim", addresses={bob.address}),
        same=same,
        now=wire.now,
    )
    wire.run()
    first, second = (sent.message for sent in wire.sent(alice, "REGISTER"))
    assert [str(contact) for contact in second.contacts] == ["<sip:7a0c@192.0.2.1:5060>"]
    assert first.call_id == second.call_id
    assert second.cseq.number == first.cseq.number + 1
    if same is not None:
        assert (first.call_id, first.cseq.number) == same
    assert alice.last(RequestAnswered).response.status == 200
