"""An INVITE from ring to BYE through two user agents."""

from __future__ import annotations

import gc

import pytest

from pbx.errors import UsageError
from pbx.sip.dialog import OfferState
from pbx.sip.events import (
    InviteAcked,
    InviteAnswered,
    InviteEnded,
    InviteFailed,
    InviteProgressed,
    InviteReceived,
    ReinviteAnswered,
    RequestAnswered,
    RequestFailed,
    RequestReceived,
)
from pbx.sip.flow import Flow
from pbx.sip.machine import Transaction
from pbx.sip.message import Request, Response
from pbx.sip.outgoing import Outgoing
from pbx.sip.usage import Usage
from tests.kit.dialogs import ring, talk
from tests.kit.wire import ANSWER, OFFER, Impairment, Party, Wire


def test_a_whole_call_takes_the_messages_that_it_must(wire: Wire, alice: Party, bob: Party) -> None:
    invite = alice.invite(bob)
    wire.run()
    received = bob.last(InviteReceived)
    bob.respond(received.transaction, 180)
    wire.run()
    bob.respond(received.transaction, 200, body=ANSWER)
    wire.run(0.1)
    alice.ack(invite)
    wire.run()
    alice.end(invite)
    wire.run()
    assert alice.kinds == ["INVITE", "ACK", "BYE"]
    assert bob.kinds == ["100 INVITE", "180 INVITE", "200 INVITE", "200 BYE"]
    assert [type(event) for event in alice.events] == [InviteProgressed, InviteAnswered]
    assert [type(event) for event in bob.events] == [InviteReceived, InviteAcked, InviteEnded]
    assert bob.last(InviteEnded).slug == "bye"
    assert alice.last(InviteAnswered).response.body == ANSWER
    wire.run(33)
    assert alice.is_idle
    assert bob.is_idle


def test_requests_say_who_where_and_what_is_allowed(wire: Wire, alice: Party, bob: Party) -> None:
    alice.invite(bob)
    wire.run(0.01)
    request = bob.last(InviteReceived).request
    assert request.uri_text == "sip:bob@192.0.2.2:5060"
    assert str(request.via).startswith("SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=z9hG4bK")
    assert request.via.received == "192.0.2.1"
    assert request.max_forwards == 70
    assert request.from_.display_name == "Alice"
    assert request.from_tag
    assert request.to_tag is None
    assert [str(contact) for contact in request.contacts] == ["<sip:alice@192.0.2.1:5060>"]
    assert "UPDATE" in request.allow
    assert request.supported == ["timer", "replaces", "norefersub"]
    assert request.user_agent == "alice"
    assert str(request.content_type) == "application/sdp"
    assert request.body == OFFER


def test_responses_have_one_tag_contact_and_the_record_route(
    wire: Wire, alice: Party, bob: Party
) -> None:
    route = ("Record-Route", "<sip:192.0.2.9;lr>")
    alice.invite(bob, headers=(route,))
    wire.run(0.2)
    asked = bob.last(InviteReceived).transaction
    bob.respond(asked, 180)
    bob.respond(asked, 200, body=ANSWER)
    wire.run(0.01)
    ringing = alice.last(InviteProgressed).response
    answer = alice.last(InviteAnswered).response
    assert ringing.to_tag == answer.to_tag
    for response in (ringing, answer):
        assert [str(contact) for contact in response.contacts] == ["<sip:bob@192.0.2.2:5060>"]
        assert response.headers.get("Record-Route") == route[1]
    trying = wire.sent(bob, "100 INVITE")[0].message
    assert trying.to_tag is None
    assert not trying.contacts


def test_a_lost_200_is_repeated_until_the_ack(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    start = wire.now
    wire.impairment.drop = lambda sent: sent.kind == "200 INVITE" and wire.now < start + 4
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    alice.on(InviteAnswered, lambda event: alice.ack(event.invite))
    wire.run(20)
    assert [round(at - start, 3) for at in wire.times(bob, "200 INVITE")] == [0, 0.5, 1.5, 3.5, 7.5]
    assert len(alice.told(InviteAnswered)) == 1
    assert bob.last(InviteAcked).invite == call.callee


def test_a_200_over_a_stream_is_repeated_too(wire: Wire, alice: Party, bob: Party) -> None:
    alice.invite(bob, destinations=[alice.flow_to(bob, "tcp")])
    wire.run(0.01)
    start = wire.now
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(4)
    assert [round(at - start, 3) for at in wire.times(bob, "200 INVITE")] == [0, 0.5, 1.5, 3.5]


def test_copies_of_a_200_get_the_same_ack_again(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(0.01)
    wire.impairment.drop = lambda sent: sent.kind == "ACK" and wire.now < 2
    alice.ack(call.caller)
    wire.run(10)
    acks = wire.sent(alice, "ACK")
    assert [ack.lost for ack in acks] == [True, True, True, False]
    assert len({ack.octets for ack in acks}) == 1
    assert len(bob.told(InviteAcked)) == 1


def test_ack_to_a_200_is_a_request_of_its_own(wire: Wire, alice: Party, bob: Party) -> None:
    talk(alice, bob)
    invite = wire.sent(alice, "INVITE")[0].message
    ack = wire.sent(alice, "ACK")[0].message
    assert isinstance(ack, Request)
    assert ack.via.branch != invite.via.branch
    assert ack.cseq.number == invite.cseq.number
    assert ack.to_tag
    assert ack.uri_text == "sip:bob@192.0.2.2:5060"


def test_without_an_ack_the_callee_hangs_up_after_64_t1(
    wire: Wire, alice: Party, bob: Party
) -> None:
    ring(alice, bob)
    start = wire.now
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(40)
    times = [round(at - start, 3) for at in wire.times(bob, "200 INVITE")]
    assert times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert [round(at - start, 3) for at in wire.times(bob, "BYE")] == [32.0]
    ended = bob.last(InviteEnded)
    assert (ended.slug, ended.request) == ("no_ack", None)
    assert alice.last(InviteEnded).slug == "bye"


def test_a_late_offer_is_answered_in_the_ack(wire: Wire, alice: Party, bob: Party) -> None:
    talk(alice, bob, body=None)
    acked = bob.last(InviteAcked)
    assert acked.request.body == ANSWER
    assert str(acked.request.content_type) == "application/sdp"


@pytest.mark.parametrize("status", [302, 404, 486, 503, 603])
def test_a_failure_is_passed_on_and_acked(
    wire: Wire, alice: Party, bob: Party, status: int
) -> None:
    invite = alice.invite(bob)
    wire.run(0.01)
    bob.respond(bob.last(InviteReceived).transaction, status, headers=(("Reason", "Q.850"),))
    wire.run(0.01)
    failed = alice.last(InviteFailed)
    assert (failed.invite, failed.status, failed.slug) == (invite, status, "refused")
    assert isinstance(failed.response, Response)
    assert failed.response.headers.get("Reason") == "Q.850"
    assert alice.kinds == ["INVITE", "ACK"]
    wire.run(40)
    assert alice.is_idle
    assert bob.is_idle


def test_nobody_answers(wire: Wire, alice: Party) -> None:
    bob = Party(wire, "bob", ("192.0.2.2", 5060), alice.settings, None)
    alice.invite(bob)
    wire.run(40)
    failed = alice.last(InviteFailed)
    assert (failed.status, failed.response, failed.slug) == (408, None, "timeout")
    assert wire.times(alice, "INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert alice.is_idle


def test_ringing_is_repeated_each_minute(wire: Wire, alice: Party, bob: Party) -> None:
    ring(alice, bob)
    wire.run(130)
    times = wire.times(bob, "180 INVITE")
    assert [round(at - times[0]) for at in times] == [0, 60, 120]


def test_100_is_sent_after_a_tenth_of_a_second_unless_something_better_is(
    wire: Wire, alice: Party, bob: Party
) -> None:
    alice.invite(bob)
    wire.run(1)
    assert wire.times(bob, "100 INVITE") == [0.101]
    assert wire.times(alice, "INVITE") == [0]
    ring(alice, bob)
    wire.run(1)
    assert len(wire.times(bob, "100 INVITE")) == 1


def test_early_media_and_its_tag(wire: Wire, alice: Party, bob: Party) -> None:
    alice.invite(bob)
    wire.run(0.01)
    bob.respond(bob.last(InviteReceived).transaction, 183, body=ANSWER)
    wire.run(0.01)
    progress = alice.last(InviteProgressed).response
    assert (progress.status, progress.body) == (183, ANSWER)


def test_a_bye_before_the_answer_ends_the_invite_with_487(
    wire: Wire, alice: Party, bob: Party
) -> None:
    ring(alice, bob)
    ringing = alice.last(InviteProgressed).response
    invite = wire.sent(alice, "INVITE")[0].message
    bye = Request(
        "BYE",
        "sip:bob@192.0.2.2",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKbye"),
            ("From", invite.headers.get("From") or ""),
            ("To", ringing.headers.get("To") or ""),
            ("Call-ID", invite.call_id),
            ("CSeq", "2 BYE"),
        ],
    )
    bob.ua.receive(bytes(bye), Flow("udp", bob.address, alice.address), wire.now)
    wire.run(0.01)
    assert bob.last(InviteEnded).slug == "bye"
    assert bob.kinds[-2:] == ["200 BYE", "487 INVITE"]
    assert alice.last(InviteFailed).status == 487


def test_a_bye_that_overtakes_the_200_fails_the_invite_and_ends_what_comes_after(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = ring(alice, bob)
    wire.impairment.drop = lambda sent: sent.kind in ("200 INVITE", "CANCEL") and wire.now < 0.9
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(0.01)
    ringing = alice.last(InviteProgressed).response
    invite = wire.sent(alice, "INVITE")[0].message
    bye = Request(
        "BYE",
        "sip:alice@192.0.2.1",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.2;rport;branch=z9hG4bKbye"),
            ("From", ringing.headers.get("To") or ""),
            ("To", invite.headers.get("From") or ""),
            ("Call-ID", invite.call_id),
            ("CSeq", "1 BYE"),
        ],
    )
    alice.ua.receive(bytes(bye), Flow("udp", alice.address, bob.address), wire.now)
    wire.run(5)
    failed = alice.last(InviteFailed)
    assert (failed.invite, failed.status, failed.slug) == (call.caller, 480, "bye")
    assert "200 BYE" in alice.kinds
    assert [kind for kind in alice.kinds if kind in ("ACK", "BYE")] == ["ACK", "BYE"]
    wire.run(70)
    assert alice.is_idle
    assert bob.is_idle


def test_hanging_up_before_the_ack_waits_for_it(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    bob.end(call.callee)
    wire.run(1)
    assert "BYE" not in bob.kinds
    alice.ack(call.caller)
    wire.run(0.1)
    assert bob.kinds[-1] == "BYE"
    assert alice.last(InviteEnded).slug == "bye"
    assert not bob.told(InviteAcked)
    wire.run(40)
    assert bob.is_idle


def test_both_hang_up_at_once(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    alice.end(call.caller)
    bob.end(call.callee)
    wire.run(1)
    assert not alice.told(InviteEnded)
    assert not bob.told(InviteEnded)
    assert alice.kinds[-2:] == ["BYE", "200 BYE"]
    assert bob.kinds[-2:] == ["BYE", "200 BYE"]
    wire.run(33)
    assert alice.is_idle
    assert bob.is_idle


def test_ending_twice_or_after_the_remote_did_does_nothing(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    alice.end(call.caller)
    alice.end(call.caller)
    wire.run(0.1)
    bob.end(call.callee)
    bob.ack(call.callee)
    bob.reinvite(call.callee)
    wire.run(0.1)
    assert wire.times(alice, "BYE") == wire.times(alice, "BYE")[:1]
    assert "BYE" not in bob.kinds


def test_a_call_over_ipv6(wire: Wire) -> None:
    alice, bob = wire.party("alice", "2001:db8::1"), wire.party("bob", "2001:db8::2")
    call = talk(alice, bob)
    invite = wire.sent(alice, "INVITE")[0].message
    assert str(invite.via).startswith("SIP/2.0/UDP [2001:db8::1]:5060;")
    assert str(invite.contacts[0]) == "<sip:alice@[2001:db8::1]:5060>"
    bob.end(call.callee)
    wire.run(0.1)
    assert wire.sent(bob, "BYE")[0].target == alice.address
    assert alice.last(InviteEnded).slug == "bye"


def test_a_registered_phone_behind_a_nat_is_reached_where_it_is_seen(
    wire: Wire, alice: Party
) -> None:
    bob = wire.party("bob", "10.0.0.5", behind=("198.51.100.7", 40123))
    call = talk(alice, bob)
    alice.end(call.caller)
    wire.run(0.1)
    targets = {sent.target for sent in wire.log if sent.source == "alice"}
    assert targets == {("198.51.100.7", 40123)}
    call = talk(bob, alice)
    alice.end(call.callee)
    wire.run(0.1)
    assert {sent.target for sent in wire.log if sent.source == "alice"} == targets
    assert bob.last(InviteEnded).invite == call.caller


def test_everything_arrives_twice_and_late_and_nothing_happens_twice(wire: Wire) -> None:
    wire.impairment = Impairment(doubles=1.0, jitter=0.005)
    alice, bob = wire.party("alice", "192.0.2.1"), wire.party("bob", "192.0.2.2")
    call = talk(alice, bob)
    alice.end(call.caller)
    wire.run(1)
    assert len(bob.told(InviteReceived)) == 1
    assert len(bob.told(InviteAcked)) == 1
    assert len(bob.told(InviteEnded)) == 1
    assert len(alice.told(InviteAnswered)) == 1


@pytest.mark.parametrize(
    "bad", ["Contact: <sip:bob@", "Record-Route: <;", "Session-Expires: soon", "Content-Type: x"]
)
def test_an_answer_with_a_senseless_field_is_an_answer_all_the_same(
    wire: Wire, alice: Party, bob: Party, bad: str
) -> None:
    call = ring(alice, bob)
    wire.impairment.drop = lambda sent: sent.kind == "200 INVITE"
    bob.respond(bob.last(InviteReceived).transaction, 200, body=ANSWER)
    wire.run(0.01)
    name = bad.partition(":")[0]
    lines = wire.sent(bob, "200 INVITE")[0].octets.split(b"\r\n")
    lines = [line for line in lines if not line.startswith(name.encode())]
    octets = b"\r\n".join([*lines[:2], bad.encode(), *lines[2:]])
    alice.ua.receive(octets, alice.flow_to(bob), wire.now)
    wire.run(0.01)
    assert alice.last(InviteAnswered).invite == call.caller
    alice.ack(call.caller)
    alice.end(call.caller)
    wire.run(0.1)
    assert bob.last(InviteEnded).slug == "bye"


def test_an_invite_that_can_only_be_given_up_leaves_nothing(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = ring(alice, bob)
    wire.impairment.drop = lambda sent: sent.source == "bob"
    alice.end(call.caller)
    alice.end(call.caller)
    wire.run(33)
    assert alice.is_idle


def test_what_is_over_is_freed_without_the_garbage_collector(
    wire: Wire, alice: Party, bob: Party
) -> None:
    bob.answer_offers()
    alice.on(ReinviteAnswered, lambda event: alice.ack(event.invite))
    gc.collect()
    gc.disable()
    try:
        for by_caller in (True, False):
            call = talk(alice, bob)
            alice.reinvite(call.caller)
            wire.run(0.1)
            ending, invite = (alice, call.caller) if by_caller else (bob, call.callee)
            ending.end(invite)
            wire.run(40)
        alice.end(ring(alice, bob).caller)
        wire.run(40)
        left = [
            kept for kept in gc.get_objects() if isinstance(kept, Usage | Transaction | Outgoing)
        ]
        assert left == []
    finally:
        gc.enable()


# Other requests in and out of the dialog.


def test_info_is_passed_on_and_its_answer_too(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    bob.answer_offers()
    body = b"Signal=5\r\n"
    request = alice.ua.request(
        call.caller, "INFO", body=body, content_type="application/dtmf-relay", now=wire.now
    )
    wire.run(0.1)
    received = bob.last(RequestReceived)
    assert (received.invite, received.request.body) == (call.callee, body)
    answered = alice.last(RequestAnswered)
    assert (answered.request_id, answered.response.status) == (request, 200)


def test_options_within_the_dialog_are_answered_inside(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    alice.ua.request(call.caller, "OPTIONS", now=wire.now)
    wire.run(0.1)
    assert alice.last(RequestAnswered).response.status == 200
    assert not bob.told(RequestReceived)


@pytest.mark.parametrize("lost", [True, False])
def test_a_dialog_that_the_remote_forgot_is_ended(
    wire: Wire, alice: Party, bob: Party, *, lost: bool
) -> None:
    call = talk(alice, bob)
    bob.forget_all()
    wire.impairment.drop = lambda sent: lost
    request = alice.ua.request(call.caller, "OPTIONS", now=wire.now)
    wire.run(40)
    ended = alice.last(InviteEnded)
    status = 408 if lost else 481
    assert (ended.slug, ended.status) == ("dialog_gone", status)
    if lost:
        assert alice.last(RequestFailed).request_id == request
    else:
        assert alice.last(RequestAnswered).response.status == 481
    assert "BYE" in alice.kinds


def test_a_request_for_a_dialog_that_is_over_fails_at_once(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    bob.end(call.callee)
    wire.run(0.1)
    request = alice.ua.request(call.caller, "INFO", now=wire.now)
    wire.run(0.1)
    failed = alice.last(RequestFailed)
    assert (failed.request_id, failed.status, failed.slug) == (request, 481, "dialog_gone")


def test_what_waits_for_an_answer_gets_487_when_the_dialog_ends(
    wire: Wire, alice: Party, bob: Party
) -> None:
    call = talk(alice, bob)
    alice.ua.request(call.caller, "INFO", now=wire.now)
    wire.run(0.1)
    bob.end(call.callee)
    wire.run(0.1)
    assert "487 INFO" in bob.kinds
    bob.respond(bob.last(RequestReceived).transaction, 200)
    wire.run(0.1)
    assert "200 INFO" not in bob.kinds


def test_an_old_cseq_is_500(wire: Wire, alice: Party, bob: Party) -> None:
    call = talk(alice, bob)
    for _ in range(2):
        alice.ua.request(call.caller, "INFO", now=wire.now)
    wire.run(0.1)
    info = wire.sent(alice, "INFO")[0].octets.replace(b"branch=z9hG4bK", b"branch=z9hG4bKnew")
    bob.ua.receive(info, Flow("udp", bob.address, alice.address), wire.now)
    wire.run(0.01)
    assert bob.kinds[-1] == "500 INFO"


def test_out_of_dialog_options_are_answered_inside(wire: Wire, alice: Party, bob: Party) -> None:
    request = alice.send("OPTIONS", bob)
    wire.run(0.1)
    answered = alice.last(RequestAnswered)
    response = answered.response
    assert (answered.request_id, response.status) == (request, 200)
    assert "INVITE" in response.allow
    assert response.headers.get("Accept") == "application/sdp"
    assert response.supported == ["timer", "replaces", "norefersub"]
    assert not bob.events
    assert bob.is_idle


def test_a_challenge_to_an_invite_is_sent_once_and_its_loss_is_made_good(
    wire: Wire, alice: Party, bob: Party
) -> None:
    bob.on(InviteReceived, lambda event: bob.respond(event.transaction, 401))
    wire.impairment.drop = lambda sent: sent.kind == "401 INVITE" and wire.now < 0.4
    alice.invite(bob)
    wire.run(40)
    assert [round(at, 1) for at in wire.times(bob, "401 INVITE")] == [0, 0.5]
    assert alice.last(InviteFailed).status == 401
    assert bob.is_idle


def test_a_late_answer_of_a_destination_that_was_left_is_no_second_outcome(
    wire: Wire, alice: Party, bob: Party
) -> None:
    carol = wire.party("carol", "192.0.2.3")
    wire.impairment.drop = lambda sent: sent.target == bob.address and wire.now < 5
    alice.send("OPTIONS", bob, destinations=[alice.flow_to(bob), alice.flow_to(carol)])
    wire.run(20)
    assert "200 OPTIONS" in bob.kinds
    assert len(alice.told(RequestAnswered)) == 1


def test_a_challenge_leaves_no_transaction_behind(wire: Wire, alice: Party, bob: Party) -> None:
    bob.on(RequestReceived, lambda event: bob.respond(event.transaction, 401))
    alice.send("REGISTER", bob)
    wire.run(0.1)
    assert alice.last(RequestAnswered).response.status == 401
    assert bob.is_idle


def test_an_unanswered_request_fails_after_64_t1(wire: Wire, alice: Party, bob: Party) -> None:
    wire.impairment.drop = lambda sent: True
    request = alice.send("OPTIONS", bob)
    wire.run(33)
    failed = alice.last(RequestFailed)
    assert (failed.request_id, failed.status, failed.slug) == (request, 408, "timeout")


# Misuse is our own defect and says so.


def test_misuse_is_named(wire: Wire, alice: Party, bob: Party) -> None:
    call = ring(alice, bob)
    with pytest.raises(UsageError, match="no confirmed dialog"):
        alice.reinvite(call.caller)
    with pytest.raises(UsageError, match="break the header"):
        alice.end(call.caller, headers=(("Reason", "SIP\r\nEvil: yes"),))
    with pytest.raises(UsageError, match="destination"):
        alice.invite(bob, destinations=[])


def test_offers_are_settled_when_the_call_is_up(wire: Wire, alice: Party, bob: Party) -> None:
    talk(alice, bob)
    for party in (alice, bob):
        dialogs = party.ua.snapshot()["dialogs"]
        assert isinstance(dialogs, list)
        assert [dialog["offer"] for dialog in dialogs] == [OfferState.NONE.value]
        assert [dialog["state"] for dialog in dialogs] == ["confirmed"]
