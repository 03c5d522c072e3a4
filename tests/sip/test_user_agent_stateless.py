"""What is answered without a call: refusals, malformed and foreign messages, limits."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.events import InviteFailed, InviteReceived, RequestAnswered, RequestReceived
from pbx.sip.flow import Flow
from pbx.sip.message import Request
from pbx.sip.settings import AgentSettings
from tests.kit.dialogs import ring, talk
from tests.kit.wire import OFFER, Party, Wire

STRANGER = Flow("udp", ("192.0.2.2", 5060), ("192.0.2.66", 7777))


def invite(*fields: tuple[str, str], method: str = "INVITE", body: bytes = b"") -> Request:
    """Return a request of a stranger; `fields` replace or add header fields."""
    request = Request(
        method,
        "sip:bob@192.0.2.2",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.66:7777;rport;branch=z9hG4bKx"),
            ("From", "<sip:eve@example.com>;tag=e"),
            ("To", "<sip:bob@example.com>"),
            ("Call-ID", "c"),
            ("CSeq", f"1 {method}"),
            ("Max-Forwards", "70"),
            ("Contact", "<sip:eve@192.0.2.66:7777>"),
        ],
        body,
    )
    for name, value in fields:
        request.headers.set(name, value)
    return request


def receive(party: Party, request: Request | bytes) -> str:
    """Give a party a stranger's request; return the kind of its answer, "" for none."""
    before = len(party.kinds)
    party.ua.receive(bytes(request), STRANGER, party.wire.now)
    party.wire.run(0.11)
    return " ".join(party.kinds[before:])


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (invite(method="BREW"), "501 BREW"),
        (invite(method="NOTIFY"), "405 NOTIFY"),
        (invite(("Require", "100rel, timer")), "420 INVITE"),
        (invite(("Content-Type", "text/plain"), body=b"x"), "415 INVITE"),
        (invite(body=b"x"), "415 INVITE"),
        (
            invite(("Content-Type", "application/sdp"), ("Content-Encoding", "gzip"), body=b"x"),
            "415 INVITE",
        ),
        (invite(("Accept", "text/plain")), "406 INVITE"),
        (invite(("Session-Expires", "30"), ("Supported", "timer")), "422 INVITE"),
        (invite(("Session-Expires", "soon")), "400 INVITE"),
        (invite(("Max-Forwards", "0")), "483 INVITE"),
        (invite(("Contact", "<sip:eve@")), "400 INVITE"),
        (invite(("To", "<sip:bob@example.com>;tag=gone")), "481 INVITE"),
        (invite(method="BYE"), "481 BYE"),
        (invite(method="UPDATE"), "481 UPDATE"),
        (invite(method="CANCEL"), "481 CANCEL"),
        (invite(("To", "<sip:b@x>;tag=gone"), method="OPTIONS"), "481 OPTIONS"),
        (invite(("Max-Forwards", "0"), method="OPTIONS"), "200 OPTIONS"),
        (invite(("Accept", "application/*;q=0.5")), "100 INVITE"),
        (invite(("Require", "path"), method="REGISTER"), ""),
    ],
)
def test_what_a_strangers_request_is_answered(bob: Party, request_: Request, answer: str) -> None:
    assert receive(bob, request_) == answer
    assert bool(bob.events) == (answer in ("", "100 INVITE"))


@pytest.mark.parametrize(
    ("request_", "header", "value"),
    [
        (invite(("Require", "a, timer, b")), "Unsupported", "a, b"),
        (invite(("Content-Type", "text/plain"), body=b"x"), "Accept", "application/sdp"),
        (invite(("Session-Expires", "30"), ("Supported", "timer")), "Min-SE", "90"),
        (invite(method="BREW"), "Allow", ", ".join(AgentSettings().allow)),
    ],
)
def test_a_refusal_says_what_would_do(
    wire: Wire, bob: Party, request_: Request, header: str, value: str
) -> None:
    receive(bob, request_)
    response = wire.log[-1].message
    assert response.headers.get(header) == value
    assert response.headers.get("Server") == "bob"
    assert response.to_tag


def test_copies_of_a_refused_request_get_the_same_tag(wire: Wire, bob: Party) -> None:
    for _ in range(2):
        receive(bob, invite(method="BREW"))
    first, second = wire.log
    assert first.octets == second.octets
    assert bob.is_idle


def test_an_ack_is_never_answered(bob: Party) -> None:
    assert receive(bob, invite(method="ACK")) == ""
    assert receive(bob, invite(("CSeq", "x"), method="ACK")) == ""
    assert receive(bob, invite(("To", "<sip:bob@example.com>;tag=gone"), method="ACK")) == ""
    assert receive(bob, invite(("To", "<sip:bob@"), method="ACK", body=b"x")) == ""
    assert bob.dropped == ["stray_ack", "stray_ack", "stray_ack", "unbalanced_brackets"]


def test_an_ack_with_the_number_of_no_answer_is_dropped(
    wire: Wire, alice: Party, bob: Party
) -> None:
    talk(alice, bob)
    ack = wire.sent(alice, "ACK")[0].octets.replace(b"1 ACK", b"9 ACK")
    bob.ua.receive(ack, bob.flow_to(alice), wire.now)
    bob.flush()
    assert bob.dropped == ["stray_ack"]


def test_responses_that_are_not_ours_are_dropped(wire: Wire, alice: Party, bob: Party) -> None:
    ring(alice, bob)
    ringing = wire.sent(bob, "180 INVITE")[0].octets
    foreign = ringing.replace(b"branch=z9hG4bK", b"branch=z9hG4bKother")
    behind_us = ringing.replace(b"From:", b"Via: SIP/2.0/UDP 255.255.255.255\r\nFrom:")
    for octets in (foreign, behind_us, b"SIP/2.0 200 OK\r\n\r\n"):
        alice.ua.receive(octets, alice.flow_to(bob), wire.now)
    alice.flush()
    assert alice.dropped == ["unmatched_response", "response_for_another", "no_via"]


@pytest.mark.parametrize("octets", [b"\r\n\r\n", b"\0", b"\r\n", b"\0\0\0\0"])
def test_keep_alives_are_no_event(bob: Party, octets: bytes) -> None:
    assert receive(bob, octets) == ""
    assert not bob.dropped


@pytest.mark.parametrize("octets", [b"hello", b"\x80" * 40, b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_sip_is_dropped_by_name(bob: Party, octets: bytes) -> None:
    assert receive(bob, octets) == ""
    assert len(bob.dropped) == 1


def test_a_request_without_via_cannot_be_answered(bob: Party) -> None:
    request = invite()
    request.headers.remove("Via")
    assert receive(bob, request) == ""
    assert bob.dropped == ["no_via"]


def test_a_request_is_answered_where_it_came_from(wire: Wire, bob: Party) -> None:
    receive(bob, invite(("Via", "SIP/2.0/UDP 198.51.100.1:9;maddr=203.0.113.1;branch=z9hG4bKy")))
    assert wire.log[-1].target == STRANGER.remote


def test_a_dialog_of_another_host_is_404(bob: Party) -> None:
    request = invite(("To", "<sip:bob@example.com>;tag=gone"))
    request.uri_text = "sip:bob@elsewhere.example.com"
    assert receive(bob, request) == "404 INVITE"


def test_a_transport_says_what_its_stream_could_not_read(wire: Wire, bob: Party) -> None:
    error = MessageError(400, "bad_content_length", partial=invite())
    bob.ua.receive_message(error, STRANGER._replace(transport="tcp"), wire.now)
    bob.flush()
    assert wire.log[-1].kind == "400 INVITE"


# Limits.


def test_beyond_the_limit_an_invite_is_503_with_retry_after(wire: Wire, alice: Party) -> None:
    bob = wire.party("bob", "192.0.2.2", settings=AgentSettings(max_invites=2))
    for _ in range(3):
        alice.invite(bob)
    wire.run(0.1)
    assert len(bob.told(InviteReceived)) == 2
    failed = alice.last(InviteFailed)
    assert failed.status == 503
    assert failed.response is not None
    assert failed.response.headers.get("Retry-After") == "5"


def test_the_table_of_transactions_has_a_limit_too(wire: Wire, alice: Party) -> None:
    bob = wire.party("bob", "192.0.2.2", settings=AgentSettings(max_transactions=2))
    for _ in range(3):
        alice.send("REGISTER", bob)
    wire.run(0.1)
    assert len(bob.told(RequestReceived)) == 2
    assert alice.last(RequestAnswered).response.status == 503


def test_a_flood_of_options_leaves_nothing_behind(bob: Party) -> None:
    for number in range(1000):
        via = f"SIP/2.0/UDP 192.0.2.66;branch=z9hG4bK{number}"
        receive(bob, invite(("Via", via), method="OPTIONS"))
    assert bob.is_idle
    assert bob.ua.next_timer() is None


def test_an_rfc_2543_phone_can_call_and_hang_up(wire: Wire, bob: Party) -> None:
    old = invite(
        ("Via", "SIP/2.0/UDP 192.0.2.66:7777"),
        ("From", "sip:eve@example.com"),
        ("Content-Type", "application/sdp"),
        body=OFFER,
    )
    old.headers.remove("Max-Forwards")
    old.headers.remove("Contact")
    assert receive(bob, old) == "100 INVITE"
    assert receive(bob, old) == "100 INVITE"
    received = bob.told(InviteReceived)
    assert len(received) == 1
    bob.respond(received[0].transaction, 200, body=OFFER)
    bob.flush()
    answer = wire.log[-1].message
    for method, expected in (("ACK", ""), ("BYE", "200 BYE")):
        request = Request(method, "sip:bob@192.0.2.2", list(old.headers))
        request.headers.set("To", answer.headers.get("To") or "")
        request.headers.set("CSeq", f"{1 if method == 'ACK' else 2} {method}")
        request.headers.remove("Content-Type")
        assert receive(bob, request) == expected
    wire.run(40)
    assert bob.is_idle
