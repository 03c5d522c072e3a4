"""Every message of RFC 4475 through a user agent: by datagram, and by stream at every cut.

The user agent answers what it must; what it lets through is answered by a layer above that says yes
to everything, so a 180 or 200 means that the message was taken.
"""

from __future__ import annotations

import pytest

from pbx.sip.events import InviteReceived, RequestReceived
from pbx.sip.flow import Flow
from pbx.sip.settings import AgentSettings
from pbx.sip.stream import KeepAlive, StreamBuffer
from tests.kit.torture import ABSENT, torture_messages
from tests.kit.wire import Party, Wire

TORTURE = torture_messages()

DROPPED: frozenset[int] = frozenset()

EXPECTED: dict[str, frozenset[int]] = {
    "wsinv": frozenset({404}),  # it has a To tag, and its host is not ours
    "intmeth": frozenset({501}),
    "esc01": frozenset({180}),
    "escnull": frozenset({200}),
    "esc02": frozenset({501}),
    "lwsdisp": frozenset({200}),
    "longreq": frozenset({180}),
    "dblreq": frozenset({200}),
    "semiuri": frozenset({200}),
    "transports": frozenset({200}),
    "mpart01": frozenset({200}),
    "unreason": DROPPED,
    "noreason": DROPPED,
    "badinv01": frozenset({400}),
    "clerr": frozenset({400}),
    "ncl": frozenset({400}),
    "scalar02": frozenset({400}),
    "scalarlg": DROPPED,
    "quotbal": frozenset({400}),
    "ltgtruri": frozenset({400}),
    "lwsruri": frozenset({400}),
    "lwsstart": frozenset({400}),
    "trws": frozenset({400}),
    "escruri": frozenset({400}),
    "baddate": frozenset({180}),
    "regbadct": frozenset({400}),
    "badaspec": frozenset({400}),
    "baddn": frozenset({400}),
    "baddn-terminated": frozenset({400}),
    "badvers": frozenset({505}),
    "mismatch01": frozenset({400}),
    "mismatch02": frozenset({400, 501}),
    "bigcode": DROPPED,
    "badbranch": frozenset({200}),
    "insuf": frozenset({400}),
    "unkscm": frozenset({416}),
    "novelsc": frozenset({416}),
    "unksm2": frozenset({400}),
    "bext01": frozenset({420}),
    "invut": frozenset({415}),
    "regaut01": frozenset({200}),
    "multi01": frozenset({400}),
    "mcl01": frozenset({400}),
    "bcast": DROPPED,
    "zeromf": frozenset({200}),
    "cparam01": frozenset({200}),
    "cparam02": frozenset({200}),
    "regescrt": frozenset({200}),
    "sdp01": frozenset({406}),
    "inv2543": frozenset({180}),
    "test": DROPPED,  # it has no Via to be answered by
}
"""Statuses that may answer, none where the message is dropped (RFC 4475 §3)."""

UNFRAMED = frozenset({"ncl", "mcl01", "baddn", "test", "dblreq", "inv2543"})
"""Without one Content-Length nothing behind them can be found: the connection closes."""

SOURCE = ("192.0.2.99", 7777)

pytestmark = pytest.mark.skipif(not TORTURE, reason=ABSENT)


@pytest.fixture
def bob(wire: Wire) -> Party:
    """Return a party that takes every call and every request."""
    allow = (*AgentSettings().allow, "MESSAGE")
    party = wire.party("bob", "192.0.2.2", settings=AgentSettings(allow=allow))
    party.on(InviteReceived, lambda event: party.respond(event.transaction, 180))
    party.on(RequestReceived, lambda event: party.respond(event.transaction, 200))
    return party


def statuses(wire: Wire, party: Party) -> list[int]:
    """Return the statuses that were sent, 100 apart; all must have gone to the source."""
    assert {sent.target for sent in wire.log} <= {SOURCE}
    return [int(kind.split()[0]) for kind in party.kinds if not kind.startswith("100")]


def test_the_table_names_every_message() -> None:
    assert set(EXPECTED) == set(TORTURE)


@pytest.mark.parametrize("name", EXPECTED)
def test_by_datagram(wire: Wire, bob: Party, name: str) -> None:
    bob.ua.receive(TORTURE[name], Flow("udp", bob.address, SOURCE), wire.now)
    bob.flush()
    answers = statuses(wire, bob)
    if EXPECTED[name]:
        assert len(answers) == 1
        assert answers[0] in EXPECTED[name]
    else:
        assert answers == []
        assert len(bob.dropped) == 1


def stream_statuses(wire: Wire, party: Party, chunks: list[bytes]) -> tuple[list[int], bool]:
    """Return what a connection's bytes are answered, and whether it must close before its end."""
    flow = Flow("tcp", party.address, SOURCE)
    buffer = StreamBuffer()
    party.ua.flow_opened(flow, wire.now)
    items = [item for chunk in chunks for item in buffer.feed(chunk)]
    broken = buffer.broken
    for item in (*items, *buffer.finish()):
        if not isinstance(item, KeepAlive):
            party.ua.receive_message(item, flow, wire.now)
    party.flush()
    return statuses(wire, party), broken


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_by_stream_at_every_cut(wire: Wire, bob: Party, name: str, size: int) -> None:
    octets = TORTURE[name]
    chunks = [octets[at : at + size] for at in range(0, len(octets), size)]
    answers, _ = stream_statuses(wire, bob, chunks)
    expected = EXPECTED[name]
    if name == "dblreq":
        assert answers == [200, 180]  # two messages, where a datagram holds one
    elif expected:
        assert set(answers[:1]) <= expected
        assert answers or name in ("baddn", "test")  # no end of headers: nobody to answer
    else:
        assert answers == []


@pytest.mark.parametrize("name", EXPECTED)
def test_coalesced_with_others_on_a_stream(wire: Wire, bob: Party, name: str) -> None:
    before, after = options("before"), options("after")
    answers, broken = stream_statuses(wire, bob, [before + TORTURE[name] + after])
    assert answers[0] == 200
    assert broken == (name in UNFRAMED)
    if not broken and name != "clerr":  # which takes what follows for its body
        assert any(b"\r\nCall-ID: after\r\n" in sent.octets for sent in wire.log)


def options(call_id: str) -> bytes:
    """Return a request that is answered 200."""
    return (
        "OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\n"
        f"Via: SIP/2.0/TCP 192.0.2.99;branch=z9hG4bK{call_id}\r\n"
        "From: <sip:eve@example.com>;tag=e\r\nTo: <sip:bob@example.com>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()
