"""Dialogs: identity, routes, target refresh, CSeq order, the way past a NAT."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.sip.dialog import Dialog, aim
from pbx.sip.flow import Flow
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.message import Request, Response, parse_message
from pbx.sip.writing import RequestHead

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
LOOSE = ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")
STRICT = ("<sip:p1.example.com>", "<sip:p2.example.com;lr>")


def request(
    *,
    via: str = "192.0.2.2:5060;branch=z9hG4bK1",
    contact: str | None = "<sip:bob@192.0.2.2:5060>",
    routes: tuple[str, ...] = (),
    tag: str = ";tag=bob",
) -> Request:
    fields = [
        ("Via", f"SIP/2.0/UDP {via}"),
        ("From", f"<sip:bob@example.com>{tag}"),
        ("To", "<sip:alice@example.com>"),
        ("Call-ID", "call"),
        ("CSeq", "5 INVITE"),
    ]
    fields += [("Record-Route", route) for route in routes]
    if contact:
        fields.append(("Contact", contact))
    return Request("INVITE", "sip:alice@192.0.2.1", fields)


def server_dialog(
    flow: Flow = FLOW,
    *,
    via: str = "192.0.2.2:5060;branch=z9hG4bK1",
    contact: str | None = "<sip:bob@192.0.2.2:5060>",
    routes: tuple[str, ...] = (),
    tag: str = ";tag=bob",
) -> Dialog:
    invite = request(via=via, contact=contact, routes=routes, tag=tag)
    return Dialog.of_request(invite, "alice", flow)


def client_dialog(
    *,
    flow: Flow = FLOW,
    target: str = "sip:bob@192.0.2.2",
    contact: str | None = "<sip:bob@192.0.2.2:5070>",
    routes: tuple[str, ...] = (),
) -> Dialog:
    head = RequestHead("INVITE", target, lead="", to="<sip:bob@example.com>", call_id="c", number=3)
    response = Response(200, None, [("To", "<sip:bob@example.com>;tag=b")])
    for route in routes:
        response.headers.add("Record-Route", route)
    if contact:
        response.headers.add("Contact", contact)
    local = "<sip:alice@example.com>;tag=a"
    return Dialog.of_response(head, local, Uri.parse(target), response, flow)


def written(dialog: Dialog, method: str = "BYE") -> Request:
    head = dialog.next_request(method)
    message = parse_message(head.write(method, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK9"))
    assert isinstance(message, Request)
    return message


def test_requests_of_the_callee_turn_from_and_to_round() -> None:
    bye = written(server_dialog())
    assert bye.uri_text == "sip:bob@192.0.2.2:5060"
    assert bye.headers.get("From") == "<sip:alice@example.com>;tag=alice"
    assert bye.headers.get("To") == "<sip:bob@example.com>;tag=bob"
    assert bye.call_id == "call"
    assert bye.cseq.number == 1
    assert bye.max_forwards == 70
    assert not bye.routes


def test_requests_of_the_caller_count_on_from_the_invite() -> None:
    dialog = client_dialog()
    assert written(dialog).cseq.number == 4
    assert written(dialog).cseq.number == 5
    assert dialog.head("ACK", 3).number == 3


def test_the_callee_keeps_the_order_of_record_route() -> None:
    bye = written(server_dialog(routes=LOOSE))
    assert [str(route) for route in bye.routes] == list(LOOSE)
    assert bye.uri_text == "sip:bob@192.0.2.2:5060"


def test_the_caller_reverses_it() -> None:
    bye = written(client_dialog(routes=LOOSE))
    assert [str(route) for route in bye.routes] == list(LOOSE[::-1])


def test_a_strict_router_becomes_the_request_uri_and_the_target_the_last_route() -> None:
    bye = written(server_dialog(routes=STRICT))
    assert bye.uri_text == "sip:p1.example.com"
    assert [str(route) for route in bye.routes] == [STRICT[1], "<sip:bob@192.0.2.2:5060>"]


def test_headers_of_a_target_are_never_sent() -> None:
    uri, route = aim(Uri.parse("sip:bob@192.0.2.2?Replaces=x"), [])
    assert (uri, route) == ("sip:bob@192.0.2.2", "")


def test_without_a_contact_the_address_that_called_is_the_target() -> None:
    assert written(server_dialog(contact=None)).uri_text == "sip:bob@example.com"


def test_a_target_refresh_takes_the_new_contact_and_keeps_the_routes() -> None:
    dialog = server_dialog(routes=LOOSE)
    written(dialog)
    dialog.refresh_target(request(contact="<sip:bob@192.0.2.77:5080>"))
    bye = written(dialog)
    assert bye.uri_text == "sip:bob@192.0.2.77:5080"
    assert [str(route) for route in bye.routes] == list(LOOSE)


@pytest.mark.parametrize(("number", "accepted"), [(4, False), (5, True), (6, True)])
def test_cseq_must_not_go_back(number: int, *, accepted: bool) -> None:
    assert server_dialog().accepts(number) is accepted


def test_dialogs_are_told_apart_by_call_id_and_tag_and_rfc_2543_has_none() -> None:
    dialog = server_dialog()
    assert dialog.matches("call", "bob")
    assert not dialog.matches("call", "eve")
    assert not dialog.matches("other", "bob")
    assert not dialog.matches("call", None)
    assert server_dialog(tag="").matches("call", None)


# Where requests go.


@pytest.mark.parametrize(
    ("fields", "remote"),
    [
        ({}, ("192.0.2.2", 5060)),
        # Sends from one port and listens on another.
        ({"contact": "<sip:bob@192.0.2.2:5099>"}, ("192.0.2.2", 5099)),
        # Behind a NAT: Via and Contact are private, only the source leads back.
        (
            {"via": "10.0.0.5:5060;rport;branch=z9hG4bK1", "contact": "<sip:bob@10.0.0.5:5060>"},
            ("192.0.2.2", 5060),
        ),
        # A proxy that does not record its route: the phone itself.
        ({"contact": "<sip:bob@192.0.2.50>"}, ("192.0.2.50", 5060)),
        # The first route, where it is a number.
        ({"routes": ("<sip:192.0.2.60:5062;lr>",)}, ("192.0.2.60", 5062)),
        # Names are not resolved within a dialog.
        ({"routes": ("<sip:proxy.example.com;lr>",)}, ("192.0.2.2", 5060)),
        ({"contact": "<sip:bob@phone.example.com>"}, ("192.0.2.2", 5060)),
    ],
)
def test_where_the_requests_of_the_callee_go(
    fields: dict[str, Any], remote: tuple[str, int]
) -> None:
    assert server_dialog(**fields).flows() == (FLOW._replace(remote=remote),)


@pytest.mark.parametrize(
    ("target", "contact", "remote"),
    [
        ("sip:bob@192.0.2.2", "<sip:bob@192.0.2.2:5070>", ("192.0.2.2", 5070)),
        ("sip:trunk@192.0.2.2", "<sip:media7@192.0.2.33>", ("192.0.2.33", 5060)),
        # A registered phone behind a NAT: its contact is not where it was reached.
        ("sip:bob@10.0.0.5:5060", "<sip:bob@10.0.0.5:5060>", ("192.0.2.2", 5060)),
    ],
)
def test_where_the_requests_of_the_caller_go(
    target: str, contact: str, remote: tuple[str, int]
) -> None:
    assert client_dialog(target=target, contact=contact).flows() == (FLOW._replace(remote=remote),)


def test_a_contact_with_a_transport_is_reached_by_it() -> None:
    dialog = server_dialog(contact="<sip:bob@192.0.2.2:5060;transport=TCP>")
    assert dialog.flows() == (Flow("tcp", FLOW.local, ("192.0.2.2", 5060)),)


@pytest.mark.parametrize(
    ("contact", "others"),
    [
        ("<sip:bob@192.0.2.2:5060>", []),
        ("<sip:bob@192.0.2.2:5060;transport=tcp>", []),
        ("<sip:bob@192.0.2.2:5061;transport=tls>", ["tls:192.0.2.2:5061"]),
        ("<sips:bob@192.0.2.2>", ["tls:192.0.2.2:5061"]),
        ("<sips:bob@192.0.2.2;transport=tcp>", ["tls:192.0.2.2:5061"]),
    ],
)
def test_what_began_encrypted_never_goes_on_in_the_open(contact: str, others: list[str]) -> None:
    secure = Flow("tls", ("192.0.2.1", 5061), ("192.0.2.2", 40_000))
    flows = server_dialog(secure, contact=contact).flows()
    assert [str(flow) for flow in flows] == ["tls:192.0.2.2:40000", *others]


def test_a_stream_is_used_again_and_the_contact_is_the_second_choice() -> None:
    stream = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.2", 40001))
    dialog = server_dialog(stream, contact="<sip:bob@192.0.2.2:5060;transport=tcp>")
    assert dialog.flows() == (stream, Flow("tcp", stream.local, ("192.0.2.2", 5060)))


def test_a_phone_that_speaks_from_elsewhere_is_answered_there() -> None:
    dialog = server_dialog(via="10.0.0.5;branch=z9hG4bK1;rport", contact="<sip:bob@10.0.0.5>")
    moved = FLOW._replace(remote=("192.0.2.2", 61000))
    dialog.heard_from(moved)
    assert dialog.flows() == (moved,)


def test_pre_loaded_routes_are_written_in_order() -> None:
    routes = [NameAddr.parse(route) for route in LOOSE]
    uri, line = aim(Uri.parse("sip:bob@example.com"), routes)
    assert uri == "sip:bob@example.com"
    assert line == f"Route: {LOOSE[0]}, {LOOSE[1]}\r\n"
