"""The ring of what passed, and the ladder made of it."""

from __future__ import annotations

from typing import Literal

import pytest

from pbx.events import (
    AgentStateChanged,
    AnyEvent,
    CallRouted,
    CallStarted,
    LegInvited,
    PlaybackFinished,
    QueueSwitched,
    StepTaken,
)
from pbx.events.bus import Stamped
from pbx.sip.flow import Flow
from pbx.trace import ENTRY_COST, Trace
from tests.kit.plans import flow_of, rehearsed

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.10", 5060))


def invite(call_id: str, extra: str = "") -> bytes:
    return (
        "INVITE sip:102@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:101@192.0.2.1>;tag=a\r\nTo: <sip:102@192.0.2.1>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\n{extra}Content-Length: 0\r\n\r\n"
    ).encode()


class Office:
    """A trace with a clock that counts."""

    def __init__(self, limit: int = 10**6) -> None:
        self.time = 0.0
        self.trace = Trace(self.tick, limit=limit)
        self.seq = 0

    def tick(self) -> float:
        self.time += 1.0
        return self.time

    def event(self, event: AnyEvent) -> None:
        self.seq += 1
        self.trace.sink(Stamped(self.seq, self.tick(), self.time, event))

    def message(self, octets: bytes, direction: Literal["in", "out"] = "in") -> None:
        self.trace.tap(direction, octets, FLOW, 0.0)

    def call(self, name: str, call_id: str) -> None:
        self.message(invite(call_id))
        self.event(
            CallStarted(call=name, direction="internal", caller="101", caller_name=None, called="1")
        )
        self.event(
            LegInvited(
                call=name,
                leg=1,
                role="caller",
                number="101",
                sip_call_id=call_id,
                remote="192.0.2.10:5060",
            )
        )


def test_a_ladder_holds_the_calls_own_messages_and_events_in_order() -> None:
    office = Office()
    office.call("one", "first@x")
    office.call("two", "second@x")
    ladder = office.trace.ladder("one")
    assert [entry.kind for entry in ladder] == ["sip", "event", "event"]
    assert ladder[0].summary == "INVITE"
    assert (ladder[0].party, ladder[0].leg) == ("101", 1)
    assert ladder[0].from_ == "192.0.2.10:5060"


def test_a_repeated_message_says_so() -> None:
    office = Office()
    office.call("one", "first@x")
    office.message(invite("first@x"))
    assert office.trace.ladder("one")[-1].summary == "INVITE, again"


def test_credentials_are_blotted_out() -> None:
    office = Office()
    office.call("one", "first@x")
    proof = 'Authorization: Digest username="101", nonce="n", response="0123456789abcdef"\r\n'
    office.message(invite("first@x", proof))
    detail = office.trace.ladder("one")[-1].detail
    assert detail is not None
    assert "0123456789abcdef" not in detail
    assert 'username="101"' in detail


def test_every_proof_of_a_header_is_blotted_out_wherever_it_stands() -> None:
    office = Office()
    office.call("one", "first@x")
    proof = (
        'Authorization: Digest username="101", cnonce="secret1",\r\n'
        ' response = "secret2", uri="sip:102"\r\n'
        "Authentication-Info: rspauth=secret3, qop=auth\r\n"
        "Subject: response=kept\r\n"
    )
    office.message(invite("first@x", proof))
    detail = office.trace.ladder("one")[-1].detail
    assert detail is not None
    assert "secret" not in detail
    assert all(kept in detail for kept in ('uri="sip:102"', "qop=auth", "response=kept"))


def test_keys_of_srtp_are_blotted_out() -> None:
    office = Office()
    office.call("one", "first@x")
    key = "A1B2c3d4" * 5
    lines = [
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^20|1:4",
        f"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{key}|1:4;inline:{key}|2:4 KDR=0",
        f"A=CRYPTO: 3 AEAD_AES_128_GCM INLINE:{key}",
        f"a = crypto :{key}",
    ]
    for end in ("\r\n", "\n", "\r"):
        body = end.join(["v=0", *lines, "a=rtpmap:0 PCMU/8000", ""]).encode()
        octets = invite("first@x", "Content-Type: application/sdp\r\n")
        length = f"Content-Length: {len(body)}".encode()
        office.message(octets.replace(b"Content-Length: 0", length) + body)
        detail = office.trace.ladder("one")[-1].detail
        assert detail is not None
        assert "A1B2" not in detail
        assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…" in detail
        assert "a=rtpmap:0 PCMU/8000" in detail


def test_a_key_pressed_by_info_is_blotted_out() -> None:
    office = Office()
    office.call("one", "first@x")
    octets = invite("first@x", "Content-Type: application/dtmf-relay\r\n")
    office.message(octets.replace(b"Content-Length: 0", b"Content-Length: 8") + b"Signal=5")
    entry = office.trace.ladder("one")[-1]
    assert entry.detail is not None
    assert "Signal=5" not in entry.detail
    assert entry.summary == "INVITE"


def test_a_call_id_that_is_part_of_others_shows_only_its_own_messages() -> None:
    office = Office()
    office.call("one", "1")
    office.message(invite("11@x"))
    office.message(invite("21"))
    assert [entry.kind for entry in office.trace.ladder("one")] == ["sip", "event", "event"]


def test_a_leg_that_was_never_invited_shows_no_message() -> None:
    office = Office()
    office.message(invite("other@x"))
    office.call("one", "")
    assert "Call-ID: other@x" not in str(office.trace.ladder("one"))


def test_what_is_no_message_is_shown_all_the_same() -> None:
    office = Office()
    office.call("one", "first@x")
    office.message(b"\x00\r\nCall-ID: first@x\r\n\xff")
    assert office.trace.ladder("one")[-1].summary.startswith("not a SIP message")


def test_the_ring_is_bounded_and_forgets_the_oldest() -> None:
    office = Office(limit=20 * (len(invite("x")) + ENTRY_COST))
    office.call("one", "first@x")
    for _ in range(100):
        office.message(invite("y"))
    assert office.trace.ladder("one") == []


def step(kind: str, name: str, text: str, line: int, file: str = "dialplan.yaml") -> StepTaken:
    return StepTaken(call="one", kind=kind, name=name, text=text, file=file, line=line)


STORY = (
    (step("numbers", "8000", "→ flow:front_door", 14), "numbers 8000 → flow:front_door"),
    (step("flow", "front_door", "begins", 17), "flow front_door: begins"),
    (
        step("if", "", 'customer.level is vip → no (customer.level="")', 18, "dialplan.d/vip.yaml"),
        'if: customer.level is vip → no (customer.level="")',
    ),
    (step("hours", "office", "→ open (mon-fri 09:00-12:00)", 19), None),
    (step("menu", "main", "welcome main_menu, key 1", 24), "menu main: welcome main_menu, key 1"),
    (step("goto", "", "→ menu:main", 25), "goto → menu:main"),
)


def test_steps_of_the_dialplan_are_told_with_their_lines() -> None:
    office = Office()
    for taken, _ in STORY:
        office.event(taken)
    ladder = office.trace.ladder("one")
    assert {entry.kind for entry in ladder} == {"step"}
    assert [(entry.file, entry.line) for entry in ladder] == [
        (taken.file, taken.line) for taken, _ in STORY
    ]
    for entry, (_, sentence) in zip(ladder, STORY, strict=True):
        assert entry.summary == (sentence or "hours office → open (mon-fri 09:00-12:00)")


def test_a_step_that_stands_in_no_file_has_no_place() -> None:
    office = Office()
    office.event(step("operator", "", "→ queue:service", 0, ""))
    (entry,) = office.trace.ladder("one")
    assert (entry.summary, entry.file, entry.line) == ("operator → queue:service", None, None)


def test_a_secret_is_told_by_no_step() -> None:
    plan = flow_of("""
        - ask: {prompt: number_please, save: pin, digits: 4, secret: yes, give_up: hangup}
        - if: pin is 4711
          then: [{set: {known: "${pin}"}}]
    """)
    office = Office()
    for event in rehearsed(plan, press="4711").events:
        office.event(event)
    ladder = office.trace.ladder("rehearsal")
    told = [entry.summary for entry in ladder if entry.kind == "step"]
    assert "ask pin: pin = ••••" in told
    assert "set known: known = ••••" in told
    conditions = [each for each in told if each.startswith("if")]
    assert conditions == ['if: pin is 4711 → yes (pin="••••")']


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("file:/srv/office/sounds/en/welcome.wav", "played en/welcome.wav"),
        ("tone:beep", "played tone:beep"),
    ],
)
def test_sounds_are_told_by_their_names(source: str, told: str) -> None:
    office = Office()
    office.event(CallRouted(call="one", destination="menu:main"))
    office.event(PlaybackFinished(call="one", leg=1, file=source))
    assert [entry.summary for entry in office.trace.ladder("one")] == ["goes to menu:main", told]


def test_events_about_no_call_are_in_nobodys_ladder() -> None:
    office = Office()
    office.event(AgentStateChanged(agent="102", state="paused", previous="available", seconds=1.0))
    office.call("c1", "a@x")
    assert all("102 is paused" not in entry.summary for entry in office.trace.ladder("c1"))
    office.event(QueueSwitched(queue="service", open=False))
