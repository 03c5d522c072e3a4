"""CANCEL in every state, and what crosses it (RFC 3261 §9, §15)."""

from __future__ import annotations

import pytest

from pbx.sip.events import (
    InviteAcked,
    InviteAnswered,
    InviteCancelled,
    InviteEnded,
    InviteFailed,
    InviteReceived,
)
from pbx.sip.message import Request
from tests.kit.dialogs import ring, talk
from tests.kit.wire import ANSWER, Party, Wire

ELSEWHERE = ("Reason", 'SIP;cause=200;text="Call completed elsewhere"')


def test_cancel_gets_200_and_the_invite_487(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    alice.end(call.caller, headers=(ELSEWHERE,))
    wire.run()
    assert alice.kinds == ["INVITE", "CANCEL", "ACK"]
    assert bob.kinds[-2:] == ["200 CANCEL", "487 INVITE"]
    cancelled = bob.last(InviteCancelled)
    assert cancelled.invite == call.callee
    (reason,) = cancelled.reasons
    assert (reason.protocol, reason.cause, reason.text) == ("SIP", 200, "Call completed elsewhere")
    assert not alice.told(InviteFailed)
    wire.run(40)
    assert alice.is_idle
    assert bob.is_idle


def test_cancel_repeats_the_invites_branch_uri_and_cseq(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = ring(alice, bob)
    alice.end(call.caller)
    wire.run()
    invite, cancel = wire.sent(alice, "INVITE")[0].message, wire.sent(alice, "CANCEL")[0].message
    assert isinstance(invite, Request)
    assert isinstance(cancel, Request)
    assert cancel.uri_text == invite.uri_text
    assert cancel.via == invite.via
    assert cancel.call_id == invite.call_id
    assert cancel.headers.get("To") == invite.headers.get("To")
    assert (cancel.cseq.number, cancel.cseq.method) == (invite.cseq.number, "CANCEL")
    tags = {sent.message.to_tag for sent in wire.log if sent.kind in ("200 CANCEL", "487 INVITE")}
    assert len(tags) == 1


def test_cancel_waits_for_a_provisional_response(wire: Wire, alice: Party, bob: Party) -> None:
    wire.impairment.drop = lambda sent: sent.source == "bob" and wire.now < 1
    invite = alice.invite(bob)
    wire.run(0.1)
    alice.end(invite)
    wire.run(0.8)
    assert "CANCEL" not in alice.kinds
    wire.run(2)
    assert wire.times(alice, "CANCEL") == [1.502]  # the third INVITE got its 100
    assert bob.told(InviteCancelled)
    assert "487 INVITE" in bob.kinds


def test_cancel_of_what_nobody_answers_is_never_sent(wire: Wire, alice: Party, bob: Party) -> None:
    wire.impairment.drop = lambda sent: True
    alice.end(alice.invite(bob))
    wire.run(40)
    assert set(alice.kinds) == {"INVITE"}
    assert not alice.events
    assert alice.is_idle


def test_a_200_that_crosses_the_cancel_is_acked_and_hung_up(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = ring(alice, bob)
    alice.end(call.caller, headers=(ELSEWHERE,))
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run()
    assert alice.kinds == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert "200 CANCEL" in bob.kinds
    assert not alice.told(InviteAnswered)
    assert not bob.told(InviteCancelled)
    assert len(bob.told(InviteAcked)) == 1
    assert bob.last(InviteEnded).slug == "bye"
    bye = wire.sent(alice, "BYE")[0].message
    assert bye.headers.get("Reason") == ELSEWHERE[1]
    wire.run(40)
    assert alice.is_idle
    assert bob.is_idle


@pytest.mark.parametrize("milliseconds", range(8))
def test_cancel_in_each_millisecond_round_the_200_leaves_no_ghost(
    wire: Wire, alice: Party, bob: Party, milliseconds: int
) -> None:
    call = ring(alice, bob)
    asked = bob.last(InviteReceived).transaction
    alice.on(InviteAnswered, lambda event: alice.ack(event.invite))
    wire.at(0.004, lambda: bob.respond(asked, 200, body=ANSWER))
    wire.at(milliseconds / 1000, lambda: alice.end(call.caller))
    wire.run(40)
    ended = bob.told(InviteCancelled) or bob.told(InviteEnded)
    assert len(ended) == 1
    assert not alice.told(InviteEnded)
    assert not alice.told(InviteFailed)
    assert alice.is_idle
    assert bob.is_idle


def test_a_lost_487_is_repeated_until_its_ack(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    wire.impairment.drop = lambda sent: sent.kind == "487 INVITE" and wire.now < 3
    alice.end(call.caller)
    start = wire.now
    wire.run(10)
    times = [round(at - start, 3) for at in wire.times(bob, "487 INVITE")]
    assert times == [0.001, 0.501, 1.501, 3.501]
    assert "ACK" in alice.kinds


def test_a_cancelled_invite_without_a_final_response_is_forgotten_after_64_t1(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = ring(alice, bob)
    wire.impairment.drop = lambda sent: sent.source == "bob"
    alice.end(call.caller)
    wire.run(32.1)
    assert alice.is_idle


def test_cancel_after_the_answer_changes_nothing(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    alice.end(call.caller)
    wire.run(0.01)
    cancel = wire.sent(alice, "CANCEL")[0].octets
    answered = talk(alice, bob)
    bob.ua.receive(cancel, bob.flow_to(alice), wire.now)
    wire.run(0.01)
    assert bob.kinds[-1] == "200 CANCEL"
    assert bob.told(InviteCancelled)[-1].invite == call.callee != answered.callee
    assert not bob.told(InviteEnded)


def test_cancel_of_an_unknown_invite_is_481(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    alice.end(call.caller)
    wire.run(0.01)
    cancel = wire.sent(alice, "CANCEL")[0].octets.replace(b"branch=z9hG4bK", b"branch=z9hG4bKno")
    bob.ua.receive(cancel, bob.flow_to(alice), wire.now)
    wire.run(0.01)
    assert bob.kinds[-1] == "481 CANCEL"


def test_turning_a_call_down(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    bob.end(call.callee, 486, headers=(("Reason", "Q.850;cause=17"),))
    wire.run()
    failed = alice.last(InviteFailed)
    assert failed.status == 486
    assert failed.response is not None
    assert failed.response.reasons[0].cause == 17
    assert not bob.told(InviteEnded)
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(40)
    assert "200 INVITE" not in bob.kinds
    assert bob.is_idle


def test_a_cancelled_reinvite_leaves_the_call_up(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    alice.reinvite(call.caller)
    wire.run(0.01)
    reinvite = wire.sent(alice, "INVITE")[-1].octets
    cancel = reinvite.replace(b"INVITE sip", b"CANCEL sip").replace(b"2 INVITE", b"2 CANCEL")
    head = cancel[: cancel.index(b"Content-Type")] + b"Content-Length: 0\r\n\r\n"
    bob.ua.receive(head, bob.flow_to(alice), wire.now)
    wire.run(0.1)
    assert bob.kinds[-2:] == ["200 CANCEL", "487 INVITE"]
    assert not bob.told(InviteCancelled)
    alice.end(call.caller)
    wire.run(0.1)
    assert bob.last(InviteEnded).slug == "bye"
