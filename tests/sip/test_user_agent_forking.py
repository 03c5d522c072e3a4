"""Forks behind one INVITE, failover between destinations, merged and looping requests."""

from __future__ import annotations

import pytest

from pbx.sip.events import (
    InviteAnswered,
    InviteEnded,
    InviteFailed,
    InviteProgressed,
    InviteReceived,
    RequestAnswered,
    RequestFailed,
)
from pbx.sip.flow import Flow
from pbx.sip.message import Request, Response
from tests.kit.dialogs import ring
from tests.kit.wire import ANSWER, OFFER, Party, Wire


def answer_as(wire: Wire, callee: Party, caller: Party, status: int, tag: str) -> None:
    """Let a further branch of a fork answer the caller's latest INVITE."""
    request = wire.sent(caller, "INVITE")[-1].message
    assert isinstance(request, Request)
    response = Response.answering(request, status, to_tag=tag)
    response.headers.add("Contact", f"<sip:{tag}@192.0.2.2>")
    response.headers.add("Content-Type", "application/sdp")
    response.body = ANSWER
    caller.ua.receive(bytes(response), Flow("udp", caller.address, callee.address), wire.now)


def test_the_first_200_wins_and_every_other_is_acked_and_hung_up(
    wire: Wire, alice: Party, bob: Party
) -> None:
    invite = alice.invite(bob)
    wire.run(0.01)
    answer_as(wire, bob, alice, 180, "one")
    answer_as(wire, bob, alice, 180, "two")
    answer_as(wire, bob, alice, 200, "two")
    wire.run(0.01)
    alice.ack(invite)
    answer_as(wire, bob, alice, 200, "one")
    wire.run(0.01)
    tags = [event.response.to_tag for event in alice.told(InviteProgressed)]
    assert tags == ["one", "two"]
    assert [event.response.to_tag for event in alice.told(InviteAnswered)] == ["two"]
    acks = [sent.message for sent in wire.sent(alice, "ACK")]
    byes = [sent.message for sent in wire.sent(alice, "BYE")]
    assert [ack.to_tag for ack in acks] == ["two", "one"]
    assert [bye.to_tag for bye in byes] == ["one"]
    assert isinstance(byes[0], Request)
    assert byes[0].uri_text == "sip:one@192.0.2.2"
    assert byes[0].cseq.number == 2


def test_copies_of_a_losing_200_are_acked_but_hung_up_once(
    wire: Wire, alice: Party, bob: Party
) -> None:
    invite = alice.invite(bob)
    wire.run(0.01)
    answer_as(wire, bob, alice, 200, "winner")
    wire.run(0.01)
    alice.ack(invite)
    for _ in range(3):
        answer_as(wire, bob, alice, 200, "loser")
    wire.run(0.1)
    acks = [sent for sent in wire.sent(alice, "ACK") if sent.message.to_tag == "loser"]
    assert len(acks) == 3
    assert len({sent.message.via.branch for sent in wire.sent(alice, "BYE")}) == 1


def test_a_late_200_of_a_fork_after_the_call_is_over_is_still_hung_up(
    wire: Wire, alice: Party, bob: Party
) -> None:
    invite = alice.invite(bob)
    wire.run(0.01)
    answer_as(wire, bob, alice, 200, "winner")
    wire.run(0.01)
    alice.end(invite)
    wire.run(6)
    answer_as(wire, bob, alice, 200, "loser")
    wire.run(0.1)
    assert "loser" in [sent.message.to_tag for sent in wire.sent(alice, "BYE")]


def test_many_early_dialogs_take_bounded_room(wire: Wire, alice: Party, bob: Party) -> None:
    invite = alice.invite(bob)
    wire.run(0.01)
    for number in range(100):
        answer_as(wire, bob, alice, 180, f"tag{number}")
    wire.run(0.01)
    assert len(alice.told(InviteProgressed)) == 100
    answer_as(wire, bob, alice, 200, "tag99")
    wire.run(0.01)
    assert alice.last(InviteAnswered).invite == invite


# Destinations.


@pytest.mark.parametrize("status", [408, 503])
def test_the_next_destination_is_tried_when_one_cannot(
    wire: Wire, alice: Party, bob: Party, status: int
) -> None:
    carol = wire.party("carol", "192.0.2.3")
    bob.on(InviteReceived, lambda event: bob.respond(event.transaction, status))
    wire.impairment.drop = lambda sent: sent.kind == "100 INVITE"
    alice.invite(bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    wire.run(0.1)
    assert carol.last(InviteReceived).request.via != bob.last(InviteReceived).request.via
    assert not alice.told(InviteFailed)


def test_a_failure_after_a_provisional_response_is_final(
    wire: Wire, alice: Party, bob: Party
) -> None:
    carol = wire.party("carol", "192.0.2.3")
    alice.invite(bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    wire.run(0.01)
    bob.respond(bob.last(InviteReceived).transaction, 180)
    wire.run(0.01)
    bob.respond(bob.last(InviteReceived).transaction, 503)
    wire.run(0.01)
    assert alice.last(InviteFailed).status == 503
    assert not carol.events


def test_a_silent_destination_is_left_after_four_seconds(
    wire: Wire, alice: Party, bob: Party
) -> None:
    carol = wire.party("carol", "192.0.2.3")
    wire.impairment.drop = lambda sent: sent.target == bob.address
    invite = alice.invite(bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    wire.run(3.9)
    assert not carol.events
    wire.run(0.2)
    carol.respond(carol.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(0.1)
    assert alice.last(InviteAnswered).invite == invite


def test_a_destination_that_wakes_up_too_late_is_cancelled(
    wire: Wire, alice: Party, bob: Party
) -> None:
    carol = wire.party("carol", "192.0.2.3")
    wire.impairment.drop = lambda sent: sent.target == bob.address and wire.now < 5
    alice.invite(bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    wire.run(5)
    wire.run(10)
    assert bob.told(InviteReceived)
    cancels = [sent for sent in wire.sent(alice, "CANCEL") if sent.target == bob.address]
    assert len(cancels) == 1
    assert "487 INVITE" in bob.kinds
    assert not alice.told(InviteFailed)


def test_a_destination_that_answers_too_late_is_hung_up(
    wire: Wire, alice: Party, bob: Party
) -> None:
    carol = wire.party("carol", "192.0.2.3")
    bob.on(InviteReceived, lambda event: bob.respond(event.transaction, 200, body=ANSWER))
    wire.impairment.drop = lambda sent: (
        (sent.target == bob.address and wire.now < 5) or sent.kind == "100 INVITE"
    )
    alice.invite(bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    wire.run(12)
    assert bob.last(InviteEnded).slug == "bye"
    assert not alice.told(InviteAnswered)


def test_after_the_last_destination_the_invite_fails(wire: Wire, alice: Party, bob: Party) -> None:
    wire.impairment.drop = lambda sent: True
    nowhere = Flow("udp", alice.address, ("192.0.2.9", 5060))
    alice.invite(bob, destinations=[alice.flow_to(bob), nowhere])
    wire.run(4.1)
    alice.ua.flow_failed(nowhere, wire.now)
    wire.run(0.1)
    assert (alice.last(InviteFailed).status, alice.last(InviteFailed).slug) == (503, "transport")


def test_requests_outside_a_dialog_move_on_too(wire: Wire, alice: Party, bob: Party) -> None:
    carol = wire.party("carol", "192.0.2.3")
    wire.impairment.drop = lambda sent: sent.target == bob.address
    alice.send("OPTIONS", bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    wire.run(5)
    assert alice.last(RequestAnswered).response.status == 200
    assert not alice.told(RequestFailed)


# Merged and looping requests.


def test_a_request_that_comes_by_two_ways_is_482_on_the_second(
    wire: Wire, alice: Party, bob: Party
) -> None:
    ring(alice, bob)
    merged = wire.sent(alice, "INVITE")[0].octets.replace(b"branch=z9hG4bK", b"branch=z9hG4bKtwo")
    bob.ua.receive(merged, bob.flow_to(alice), wire.now)
    wire.run(0.01)
    assert bob.kinds[-1] == "482 INVITE"
    assert len(bob.told(InviteReceived)) == 1


def test_our_own_request_coming_back_unchanged_is_482(wire: Wire, alice: Party, bob: Party) -> None:
    ring(alice, bob)
    ours = wire.sent(alice, "INVITE")[0].octets
    looped = ours.replace(b"Via: ", b"Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKproxy\r\nVia: ", 1)
    alice.ua.receive(looped, alice.flow_to(bob), wire.now)
    wire.run(0.01)
    assert alice.kinds[-1] == "482 INVITE"


def test_our_own_request_coming_back_for_somebody_else_is_a_call(
    wire: Wire, alice: Party, bob: Party
) -> None:
    ring(alice, bob)
    ours = wire.sent(alice, "INVITE")[0].octets.replace(b"INVITE sip:bob@", b"INVITE sip:carol@")
    spiral = ours.replace(b"Via: ", b"Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKproxy\r\nVia: ", 1)
    alice.ua.receive(spiral, alice.flow_to(bob), wire.now)
    wire.run(0.01)
    assert alice.last(InviteReceived).request.uri_text.startswith("sip:carol@")


def test_an_invite_without_a_hop_left_is_483(wire: Wire, alice: Party, bob: Party) -> None:
    alice.invite(bob, max_forwards=0)
    wire.run(0.1)
    assert alice.last(InviteFailed).status == 483


def test_an_offer_reaches_the_next_destination_as_it_was(
    wire: Wire, alice: Party, bob: Party
) -> None:
    carol = wire.party("carol", "192.0.2.3")
    alice.invite(bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    alice.ua.flow_failed(alice.flow_to(bob), wire.now)
    wire.run(0.1)
    assert carol.last(InviteReceived).request.body == OFFER
