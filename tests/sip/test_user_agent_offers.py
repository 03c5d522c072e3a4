"""Offers within a dialog: re-INVITE, UPDATE, whose turn it is, and how glare comes apart (§14)."""

from __future__ import annotations

import pytest

from pbx.errors import UsageError
from pbx.sip.events import (
    InviteAcked,
    InviteEnded,
    ReinviteAnswered,
    ReinviteFailed,
    ReinviteReceived,
    RequestAnswered,
    RequestFailed,
)
from pbx.sip.message import Request
from pbx.sip.settings import AgentSettings
from tests.kit.dialogs import Joined, ring, talk
from tests.kit.wire import ANSWER, OFFER, Party, Wire

HOLD = OFFER + b"a=sendonly\r\n"


def ack_reinvites(party: Party) -> None:
    """Let a party acknowledge the answers to its re-INVITEs."""
    party.on(ReinviteAnswered, lambda event: party.ack(event.invite))


def offers(party: Party) -> list[str]:
    """Return the offer states of a party's dialogs."""
    dialogs = party.ua.snapshot()["dialogs"]
    assert isinstance(dialogs, list)
    return [dialog["offer"] for dialog in dialogs]


@pytest.mark.parametrize("by_caller", [True, False])
def test_either_side_may_reinvite(wire: Wire, alice: Party, bob: Party, *, by_caller: bool) -> None:
    call = talk(alice, bob)
    asking, asked = (alice, bob) if by_caller else (bob, alice)
    asked.answer_offers()
    asking.reinvite(call.caller if by_caller else call.callee, body=HOLD)
    wire.run(0.01)
    received = asked.last(ReinviteReceived)
    assert received.request.body == HOLD
    assert asking.last(ReinviteAnswered).response.body == ANSWER
    asking.ack(call.caller if by_caller else call.callee)
    wire.run(0.01)
    assert asked.last(InviteAcked).request.cseq.number == received.request.cseq.number
    assert offers(alice) == offers(bob) == ["none"]


def test_a_reinvite_without_an_offer_gets_one_in_the_200(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    bob.answer_offers()
    alice.reinvite(call.caller, body=None)
    wire.run(0.01)
    assert alice.last(ReinviteAnswered).response.body == ANSWER
    assert offers(alice) == ["received"]
    assert offers(bob) == ["sent"]
    alice.ack(call.caller, body=ANSWER)
    wire.run(0.01)
    assert bob.last(InviteAcked).request.body == ANSWER
    assert offers(alice) == offers(bob) == ["none"]


def test_a_refused_reinvite_leaves_the_call_as_it_was(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    bob.on(ReinviteReceived, lambda event: bob.respond(event.transaction, 488))
    alice.reinvite(call.caller)
    wire.run(0.1)
    assert alice.last(ReinviteFailed).status == 488
    assert not alice.told(InviteEnded)
    assert offers(alice) == offers(bob) == ["none"]


@pytest.mark.parametrize("status", [408, 481])
def test_a_reinvite_that_finds_no_dialog_ends_it(
    wire: Wire, alice: Party, bob: Party, status: int
) -> None:
    call = talk(alice, bob)
    bob.on(ReinviteReceived, lambda event: bob.respond(event.transaction, status))
    alice.reinvite(call.caller)
    wire.run(0.1)
    assert not alice.told(ReinviteFailed)
    assert (alice.last(InviteEnded).slug, alice.last(InviteEnded).status) == (
        "dialog_gone",
        status,
    )
    assert alice.kinds[-1] == "BYE"


def test_glare_is_491_on_both_sides_and_both_get_through(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    for party in (alice, bob):
        ack_reinvites(party)
        party.answer_offers()
    alice.reinvite(call.caller)
    bob.reinvite(call.callee)
    start = wire.now
    wire.run(10)
    assert "491 INVITE" in alice.kinds
    assert "491 INVITE" in bob.kinds
    assert len(alice.told(ReinviteAnswered)) == len(bob.told(ReinviteAnswered)) == 1
    alices = [at - start for at in wire.times(alice, "INVITE")[2:]]
    bobs = [at - start for at in wire.times(bob, "INVITE")[1:]]
    assert 2.1 <= alices[0] <= 4.1  # alice made the Call-ID
    assert 0 <= bobs[0] <= 2.1
    assert offers(alice) == offers(bob) == ["none"]


def test_after_three_491_the_reinvite_fails(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    bob.on(ReinviteReceived, lambda event: bob.respond(event.transaction, 491))
    alice.reinvite(call.caller)
    wire.run(15)
    assert len(bob.told(ReinviteReceived)) == 3
    assert [event.status for event in alice.told(ReinviteFailed)] == [491]


def test_a_reinvite_that_backs_off_can_be_withdrawn_and_made_anew(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    for party in (alice, bob):
        ack_reinvites(party)
    bob.answer_offers()
    alice.on(ReinviteReceived, lambda event: alice.ua.withdraw(call.caller))
    alice.answer_offers()
    alice.reinvite(call.caller)
    bob.reinvite(call.callee)
    wire.run(10)
    assert len(bob.told(ReinviteAnswered)) == 1
    assert not alice.told(ReinviteAnswered)
    alice.reinvite(call.caller)
    wire.run(1)
    assert len(alice.told(ReinviteAnswered)) == 1


def test_a_reinvite_that_is_on_its_way_cannot_be_withdrawn(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    ack_reinvites(alice)
    bob.answer_offers()
    alice.reinvite(call.caller)
    alice.ua.withdraw(call.caller)
    wire.run(1)
    assert len(alice.told(ReinviteAnswered)) == 1


def test_an_offer_while_one_is_unanswered_is_500_with_retry_after(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    alice.reinvite(call.caller)
    wire.run(0.01)
    first = wire.sent(alice, "INVITE")[-1].octets
    second = first.replace(b"branch=z9hG4bK", b"branch=z9hG4bKb").replace(b"2 INVITE", b"3 INVITE")
    bob.ua.receive(second, bob.flow_to(alice), wire.now)
    wire.run(0.01)
    refusal = wire.sent(bob, "500 INVITE")[-1].message
    assert 0 <= int(refusal.headers.get("Retry-After") or "-1") <= 10
    assert len(bob.told(ReinviteReceived)) == 1


def test_an_offer_before_the_first_answer_is_500(wire: Wire, alice: Party, bob: Party) -> None:
    ring(alice, bob)
    invite = wire.sent(alice, "INVITE")[0].message
    ringing = wire.sent(bob, "180 INVITE")[0].message
    assert isinstance(invite, Request)
    invite.headers.set("To", ringing.headers.get("To") or "")
    invite.headers.set("CSeq", "2 INVITE")
    invite.headers.set("Via", "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKearly")
    bob.ua.receive(bytes(invite), bob.flow_to(alice), wire.now)
    wire.run(0.01)
    assert bob.kinds[-1] == "500 INVITE"


def test_a_reinvite_waits_until_the_remotes_is_done(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    ack_reinvites(alice)
    ack_reinvites(bob)
    alice.answer_offers()
    alice.reinvite(call.caller)
    wire.run(0.01)
    bob.reinvite(call.callee)
    wire.run(1)
    assert "INVITE" not in bob.kinds
    bob.respond(bob.last(ReinviteReceived).transaction, 200, body=ANSWER)
    wire.run(0.1)
    assert len(alice.told(ReinviteAnswered)) == len(bob.told(ReinviteAnswered)) == 1
    assert "491 INVITE" not in alice.kinds + bob.kinds


def test_a_reinvite_waits_for_the_ack_to_our_200(wire: Wire, alice: Party, bob: Party) -> None:
    wire.impairment.drop = lambda sent: sent.kind == "ACK" and wire.now < 1
    call = talk(alice, bob)
    bob.reinvite(call.callee)
    wire.run(0.3)
    assert "INVITE" not in bob.kinds
    wire.run(2)
    assert "INVITE" in bob.kinds


def test_two_reinvites_at_once_are_a_defect_of_ours(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    alice.reinvite(call.caller)
    with pytest.raises(UsageError, match="no outcome yet"):
        alice.reinvite(call.caller)


def test_hanging_up_during_our_reinvite_acks_what_crosses(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    bob.answer_offers()
    alice.reinvite(call.caller)
    wire.at(0.0015, lambda: alice.end(call.caller))
    wire.run(1)
    assert alice.kinds.count("ACK") == 2
    assert alice.kinds.count("BYE") == 1
    assert not alice.told(ReinviteAnswered)
    wire.run(40)
    assert alice.is_idle
    assert bob.is_idle


def test_a_call_that_ends_during_the_remotes_reinvite_answers_it_487(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    alice.reinvite(call.caller)
    wire.run(0.01)
    bob.end(call.callee)
    wire.run(1)
    assert "487 INVITE" in bob.kinds
    assert alice.last(InviteEnded).slug == "bye"
    wire.run(40)
    assert alice.is_idle
    assert bob.is_idle


def test_a_lost_200_to_a_reinvite_is_repeated(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    bob.answer_offers()
    ack_reinvites(alice)
    start = wire.now
    wire.impairment.drop = lambda sent: sent.kind == "200 INVITE" and wire.now < start + 2
    alice.reinvite(call.caller)
    wire.run(10)
    assert len(alice.told(ReinviteAnswered)) == 1
    assert not bob.told(InviteEnded)


def test_a_reinvite_that_is_never_acked_ends_the_call(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    bob.answer_offers()
    alice.reinvite(call.caller)
    wire.run(40)
    assert bob.last(InviteEnded).slug == "no_ack"
    assert alice.last(InviteEnded).slug == "bye"


# UPDATE (RFC 3311).


def update(party: Party, call: Joined, body: bytes | None) -> None:
    """Send an UPDATE as the caller."""
    content_type = "application/sdp" if body else None
    party.ua.request(
        call.caller, "UPDATE", body=body, content_type=content_type, now=party.wire.now
    )


def test_update_makes_and_answers_an_offer(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    bob.answer_offers()
    update(alice, call, HOLD)
    wire.run(0.1)
    assert bob.last(ReinviteReceived).request.method == "UPDATE"
    assert alice.last(RequestAnswered).response.body == ANSWER
    assert not bob.told(InviteAcked)[1:]
    assert offers(alice) == offers(bob) == ["none"]


def test_update_against_an_open_offer_of_ours_is_491(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    bob.reinvite(call.callee)
    update(alice, call, HOLD)
    wire.run(0.1)
    assert alice.last(RequestAnswered).response.status == 491


def test_an_update_that_would_cross_an_open_offer_is_not_sent(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    update(alice, call, HOLD)
    update(alice, call, HOLD)
    wire.run(0.1)
    assert alice.kinds.count("UPDATE") == 1
    failed = alice.last(RequestFailed)
    assert (failed.status, failed.slug) == (491, "offer_open")


def test_a_second_update_before_the_first_is_answered_is_500(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    update(alice, call, HOLD)
    wire.run(0.1)
    second = wire.sent(alice, "UPDATE")[0].octets
    second = second.replace(b"branch=z9hG4bK", b"branch=z9hG4bKb").replace(b"2 UPD", b"3 UPD")
    bob.ua.receive(second, bob.flow_to(alice), wire.now)
    wire.run(0.1)
    assert bob.kinds[-1] == "500 UPDATE"
    assert len(bob.told(ReinviteReceived)) == 1


def test_update_before_our_invite_is_answered_is_491(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    bob.ua.request(call.callee, "UPDATE", now=wire.now)
    wire.run(0.1)
    assert bob.last(RequestAnswered).response.status == 491


# Bodies and extensions that are refused within the dialog.


def test_an_offer_in_an_unknown_type_is_415_within_the_dialog_too(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    alice.ua.reinvite(call.caller, body=b"x", content_type="text/plain", now=wire.now)
    wire.run(0.1)
    failed = alice.last(ReinviteFailed)
    assert failed.status == 415
    assert failed.response is not None
    assert failed.response.headers.get("Accept") == "application/sdp"


def test_a_method_that_is_not_allowed_is_405_within_the_dialog_too(
    wire: Wire, alice: Party
) -> None:
    settings = AgentSettings(name="bob", allow=("INVITE", "ACK", "CANCEL", "BYE"))
    bob = wire.party("bob", "192.0.2.2", settings=settings)
    call = talk(alice, bob)
    alice.ua.request(call.caller, "INFO", now=wire.now)
    wire.run(0.1)
    assert alice.last(RequestAnswered).response.status == 405
