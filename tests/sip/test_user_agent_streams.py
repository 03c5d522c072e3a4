"""TCP: connections that are reused, closed or refused, and large requests (RFC 3261 §18)."""

from __future__ import annotations

from pbx.sip.events import (
    InviteAcked,
    InviteAnswered,
    InviteEnded,
    InviteFailed,
    InviteReceived,
    RequestAnswered,
    RequestFailed,
)
from tests.kit.dialogs import Joined, talk
from tests.kit.wire import ANSWER, OFFER, Party, Wire

LARGE = OFFER + b"a=x:" + b"y" * 1300 + b"\r\n"


def talk_on_stream(wire: Wire, caller: Party, callee: Party) -> Joined:
    """Bring up a call over a connection that the caller opens."""
    invite = caller.invite(callee, destinations=[caller.flow_to(callee, "tcp")])
    wire.run(0.01)
    received = callee.last(InviteReceived)
    callee.respond(received.transaction, 200, body=ANSWER)
    wire.run(0.01)
    caller.ack(invite)
    wire.run(0.01)
    return Joined(invite, received.invite)


def transports(wire: Wire, party: Party, kind: str) -> list[str]:
    return [sent.transport for sent in wire.sent(party, kind)]


def test_a_call_over_one_connection(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk_on_stream(wire, alice, bob)
    bob.end(call.callee)
    wire.run(1)
    assert {sent.transport for sent in wire.log} == {"tcp"}
    assert alice.last(InviteEnded).slug == "bye"
    invite = wire.sent(alice, "INVITE")[0].message
    assert invite.via.transport == "TCP"
    assert invite.contacts[0].uri.transport == "tcp"
    assert wire.sent(bob, "200 INVITE")[0].message.contacts[0].uri.transport == "tcp"
    wire.run(33)
    assert alice.is_idle
    assert bob.is_idle


def test_a_refused_connection_fails_the_invite_at_once(
    wire: Wire, alice: Party, bob: Party
) -> None:
    bob.takes_streams = False
    alice.invite(bob, destinations=[alice.flow_to(bob, "tcp")])
    wire.run(0.1)
    assert (alice.last(InviteFailed).status, alice.last(InviteFailed).slug) == (503, "transport")
    assert alice.is_idle


def test_a_connection_that_closes_before_the_answer_fails_a_request(
    wire: Wire, alice: Party, bob: Party
) -> None:
    alice.send("REGISTER", bob, destinations=[alice.flow_to(bob, "tcp")])
    wire.run(0.1)
    wire.close_streams()
    wire.run(0.1)
    assert (alice.last(RequestFailed).status, alice.last(RequestFailed).slug) == (503, "transport")


def test_in_a_call_a_closed_connection_is_opened_again_to_the_contact(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk_on_stream(wire, alice, bob)
    wire.close_streams()
    bob.end(call.callee)
    wire.run(1)
    assert alice.last(InviteEnded).slug == "bye"
    assert [sent.target for sent in wire.sent(bob, "BYE")] == [alice.address]


def test_an_answer_whose_connection_closed_is_acked_on_a_new_one(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk_on_stream(wire, alice, bob)
    wire.close_streams()
    alice.answer_offers()
    bob.reinvite(call.callee)
    wire.run(0.1)
    wire.close_streams()
    bob.ack(call.callee)
    wire.run(0.1)
    assert len(alice.told(InviteAcked)) == 1


def test_the_response_to_a_request_whose_connection_closed_goes_to_its_via(
    wire: Wire, alice: Party, bob: Party
) -> None:
    invite = alice.invite(bob, destinations=[alice.flow_to(bob, "tcp")])
    wire.run(0.2)
    wire.close_streams()
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(0.1)
    assert wire.sent(bob, "200 INVITE")[0].target == alice.address
    assert alice.last(InviteAnswered).invite == invite


def test_an_invite_whose_caller_cannot_be_reached_ends(
    wire: Wire, alice: Party, bob: Party
) -> None:
    alice.takes_streams = False
    alice.invite(bob, destinations=[alice.flow_to(bob, "tcp")])
    wire.run(0.01)
    wire.close_streams()
    bob.respond(bob.last(InviteReceived).transaction, 180)
    wire.run(0.1)
    assert bob.last(InviteEnded).slug == "transport"
    assert bob.is_idle


# Requests beyond 1,300 bytes (§18.1.1).


def test_a_large_request_goes_by_tcp_where_the_remote_can(
    wire: Wire, alice: Party, bob: Party
) -> None:
    alice.invite(bob, body=LARGE)
    wire.run(0.1)
    assert transports(wire, alice, "INVITE") == ["tcp"]
    assert bob.last(InviteReceived).request.body == LARGE
    assert bob.last(InviteReceived).request.via.transport == "TCP"


def test_it_goes_by_udp_where_the_remote_refuses(wire: Wire, alice: Party, bob: Party) -> None:
    bob.takes_streams = False
    alice.invite(bob, body=LARGE)
    wire.run(0.1)
    assert transports(wire, alice, "INVITE") == ["tcp", "udp"]
    received = bob.last(InviteReceived)
    assert received.request.via.transport == "UDP"
    assert received.request.body == LARGE


def test_who_refused_is_remembered_for_ten_minutes(wire: Wire, alice: Party, bob: Party) -> None:
    bob.takes_streams = False
    bob.on(InviteReceived, lambda event: bob.respond(event.transaction, 486))
    for _ in range(2):
        alice.invite(bob, body=LARGE)
        wire.run(0.1)
    assert transports(wire, alice, "INVITE") == ["tcp", "udp", "udp"]
    wire.run(600)
    alice.invite(bob, body=LARGE)
    wire.run(0.1)
    assert transports(wire, alice, "INVITE")[3:] == ["tcp", "udp"]


def test_a_connection_that_does_not_open_is_given_up_after_a_second(
    wire: Wire, alice: Party, bob: Party
) -> None:
    wire.swallow_streams(bob)
    alice.invite(bob, body=LARGE)
    wire.run(0.9)
    assert transports(wire, alice, "INVITE") == ["tcp"]
    wire.run(0.2)
    assert transports(wire, alice, "INVITE") == ["tcp", "udp"]
    assert bob.last(InviteReceived).request.body == LARGE


def test_a_busy_remote_that_takes_the_connection_gets_its_time(
    wire: Wire, alice: Party, bob: Party
) -> None:
    wire.impairment.delay = 1.5
    alice.invite(bob, body=LARGE)
    wire.run(3.4)
    assert transports(wire, alice, "INVITE") == ["tcp"]
    assert bob.told(InviteReceived)
    wire.run(10)
    assert transports(wire, alice, "INVITE") == ["tcp"]


def test_a_refusal_over_tcp_is_not_asked_again_by_udp(wire: Wire, alice: Party, bob: Party) -> None:
    bob.on(InviteReceived, lambda event: bob.respond(event.transaction, 503))
    alice.invite(bob, body=LARGE)
    wire.run(0.1)
    assert transports(wire, alice, "INVITE") == ["tcp"]
    assert alice.last(InviteFailed).status == 503


def test_a_large_reinvite_takes_an_open_connection_and_else_udp(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    bob.answer_offers()
    alice.reinvite(call.caller, body=LARGE)
    wire.run(0.1)
    assert transports(wire, alice, "INVITE") == ["udp", "udp"]
    alice.ack(call.caller)
    alice.send("OPTIONS", bob, destinations=[alice.flow_to(bob, "tcp")])
    wire.run(0.1)
    assert alice.last(RequestAnswered).response.status == 200
    alice.reinvite(call.caller, body=LARGE)
    wire.run(0.1)
    assert transports(wire, alice, "INVITE") == ["udp", "udp", "tcp"]
    alice.ack(call.caller)
    wire.run(0.1)
    assert len(bob.told(InviteAcked)) == 3
