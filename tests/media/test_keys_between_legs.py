"""Keys between legs of a real switchboard: whatever each side speaks, and whatever is withheld."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.keys.detect import KeyDetector
from pbx.media.keys.key_tones import key_frames
from pbx.media.keys.telephone_event import EventReader, TelephoneEvent
from pbx.media.packets.rtp import RtpPacket, sequence_distance, timestamp_distance
from pbx.media.protocol import (
    CodeHeard,
    DigitHeard,
    Enter,
    FreeLeg,
    Leave,
    PayloadMap,
    Play,
    PlaybackDone,
    SendDigits,
    SetCodes,
    SetGains,
    SetPart,
    Talking,
    UpdateLeg,
    Watch,
)
from tests.kit.rtp import Board, RtpPhone, phones

PCMU = PayloadMap("PCMU", 0, 0, 8000, event_send=101, event_receive=101, event_clock=8000)
PCMA = PayloadMap("PCMA", 8, 8, 8000, event_send=96, event_receive=97, event_clock=8000)
TONES_ONLY = PayloadMap("PCMA", 8, 8, 8000)
BRIDGE = 5


@pytest.fixture
def board() -> Iterator[Board]:
    opened = Board()
    yield opened
    opened.close()


@pytest.fixture
def pair() -> Iterator[list[RtpPhone]]:
    with phones("127.0.0.1", "127.0.0.1") as opened:
        yield opened


def bridged(board: Board, *members: tuple[RtpPhone, PayloadMap]) -> list[int]:
    """Put phones into one bridge, sources locked; return their legs."""
    legs = [board.add(phone, payload=payload) for phone, payload in members]
    for _ in range(3):
        for phone, payload in members:
            phone.say(payload_type=payload.receive)
        board.settle()
    board.do(*(Enter(leg, BRIDGE) for leg in legs))
    talk(board, 15, *members)
    for phone, _ in members:
        phone.hear()
    return legs


def talk(board: Board, frames: int, *members: tuple[RtpPhone, PayloadMap]) -> None:
    for _ in range(frames):
        for phone, payload in members:
            phone.say(payload_type=payload.receive)
        board.settle()
        board.advance(0.02)


def press(board: Board, phone: RtpPhone, payload: PayloadMap, keys: str) -> None:
    """Press keys as telephone-events, 60 ms each, in real time."""
    assert payload.event_receive is not None
    for key in keys:
        event = "0123456789*#ABCD".index(key)
        timestamp = phone.timestamp
        for n in range(6):
            told = TelephoneEvent(event, n > 2, min(160 * (n + 1), 480))
            phone.say(
                payload_type=payload.event_receive,
                timestamp=timestamp,
                payload=bytes(told),
                marker=n == 0,
            )
            board.settle()
            board.advance(0.02)


def events_of(packets: list[RtpPacket], number: int | None) -> str:
    """Return the keys that arrived as telephone-events of that number."""
    reader = EventReader()
    keys = []
    for packet in packets:
        event = TelephoneEvent.parse(packet.payload)
        if packet.payload_type == number and event is not None:
            keys += reader.read(event, timestamp=packet.timestamp, marker=packet.marker, now=0.0)
    return "".join(key.digit for key in keys + reader.finish())


def tones_of(packets: list[RtpPacket], payload: PayloadMap) -> str:
    """Return the keys that arrived as tones."""
    codec = ARRAY_CODECS[payload.codec]
    detector = KeyDetector()
    coded = [packet.payload for packet in packets if packet.payload_type == payload.send]
    samples = codec.decode(None, coded).ravel() if coded else np.zeros(0, dtype=np.int16)
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    keys = [key for frame in frames for key in detector.feed(frame)] + detector.finish()
    return "".join(digit for digit, _ in keys)


def assert_one_stream(packets: list[RtpPacket], payload: PayloadMap) -> None:
    """Check that numbers go on by one, and that the timeline of sound never goes back."""
    assert len({packet.ssrc for packet in packets}) == 1
    steps = [sequence_distance(b.sequence, a.sequence) for a, b in pairwise(packets)]
    assert set(steps) <= {1}
    sound = [packet for packet in packets if packet.payload_type == payload.send]
    times = [timestamp_distance(b.timestamp, a.timestamp) for a, b in pairwise(sound)]
    assert all(step > 0 for step in times)


def reported(board: Board) -> str:
    return "".join(event.digit for event in board.events(DigitHeard))


def test_digits_are_sent_to_a_leg_that_hears_nothing_else(board: Board, pair: list[RtpPhone]):
    phone = pair[0]
    leg = board.add(phone)
    board.lock(phone)
    board.do(SendDigits(leg, "15#", 80))
    board.advance(1)
    packets = phone.hear()
    assert events_of(packets, 101) == "15#"
    assert len(packets) == 3 * 6
    assert_one_stream(packets, PCMU)


def test_digits_take_the_place_of_relayed_sound(board: Board, pair: list[RtpPhone]):
    a, b = pair
    members = (a, PCMU), (b, PCMU)
    _, leg = bridged(board, *members)
    board.do(SendDigits(leg, "7", 100))
    talk(board, 20, *members)
    packets = b.hear()
    assert events_of(packets, 101) == "7"
    assert 10 <= len([p for p in packets if p.payload_type == 0]) <= 14
    assert_one_stream(packets, PCMU)
    assert len(a.hear()) == 20


def test_digits_take_the_place_of_mixed_sound(board: Board, pair: list[RtpPhone]):
    a, b = pair
    members = (a, PCMU), (b, PCMA)
    _, leg = bridged(board, *members)
    board.do(SendDigits(leg, "7", 100))
    talk(board, 20, *members)
    packets = b.hear()
    assert events_of(packets, 96) == "7"
    assert 10 <= len([p for p in packets if p.payload_type == 8]) <= 15
    assert_one_stream(packets, PCMA)


@pytest.mark.parametrize("other", [PCMU, TONES_ONLY], ids=["relayed", "mixed"])
def test_a_leg_without_telephone_event_gets_tones(
    board: Board, pair: list[RtpPhone], other: PayloadMap
):
    a, b = pair
    members = (a, TONES_ONLY if other is TONES_ONLY else PCMU), (b, TONES_ONLY)
    _, leg = bridged(board, *members)
    board.do(SendDigits(leg, "19*", 100))
    board.advance(0.7)
    packets = b.hear()
    assert tones_of(packets, TONES_ONLY) == "19*"
    talk(board, 10, *members)
    assert len(b.hear()) >= 9
    assert_one_stream(packets, TONES_ONLY)


def test_an_event_crosses_a_mixed_bridge_under_the_other_legs_number(
    board: Board, pair: list[RtpPhone]
):
    a, b = pair
    members = (a, PCMU), (b, PCMA)
    bridged(board, *members)
    press(board, a, PCMU, "42")
    talk(board, 20, *members)
    packets = b.hear()
    assert events_of(packets, 96) == "42"
    assert_one_stream(packets, PCMA)
    assert reported(board) == "42"
    assert events_of(a.hear(), 101) == ""
    press(board, b, PCMA, "8")
    board.advance(0.3)
    assert events_of(a.hear(), 101) == "8"


def test_an_event_becomes_a_tone_where_the_other_takes_no_events(
    board: Board, pair: list[RtpPhone]
):
    a, b = pair
    members = (a, PCMU), (b, TONES_ONLY)
    bridged(board, *members)
    press(board, a, PCMU, "6")
    board.advance(0.4)
    assert tones_of(b.hear(), TONES_ONLY) == "6"
    assert reported(board) == "6"


def test_a_tone_becomes_an_event_too_where_it_is_watched_for(board: Board, pair: list[RtpPhone]):
    a, b = pair
    members = (a, PCMU), (b, TONES_ONLY)
    _, leg = bridged(board, *members)
    board.do(Watch(leg, keys=True))
    talk(board, 10, (a, PCMU))
    a.hear()
    coded = ARRAY_CODECS["PCMA"].encode(None, key_frames("05", 100, 8000))
    for payload in [*coded, *[b"\xd5" * 160] * 20]:
        b.say(payload_type=8, payload=payload)
        board.settle()
        board.advance(0.02)
    assert events_of(a.hear(), 101) == "05"
    heard = board.events(DigitHeard)
    assert [(event.digit, event.source) for event in heard] == [("0", "inband"), ("5", "inband")]
    assert all(80 <= event.duration_ms <= 110 for event in heard)


@pytest.mark.parametrize("other", [PCMU, PCMA], ids=["relayed", "mixed"])
def test_nobody_hears_the_keys_of_a_code(board: Board, pair: list[RtpPhone], other: PayloadMap):
    a, b = pair
    members = (a, PCMU), (b, other)
    leg, _ = bridged(board, *members)
    board.do(SetCodes(leg, ("*1", "##")))
    press(board, a, PCMU, "*1")
    talk(board, 60, *members)
    packets = b.hear()
    assert {packet.payload_type for packet in packets} == {other.send}
    assert_one_stream(packets, other)
    assert board.events(CodeHeard) == [CodeHeard(leg, "*1")]
    assert reported(board) == "*1"


@pytest.mark.parametrize("other", [PCMU, PCMA], ids=["relayed", "mixed"])
def test_a_withheld_key_arrives_after_a_second(
    board: Board, pair: list[RtpPhone], other: PayloadMap
):
    a, b = pair
    members = (a, PCMU), (b, other)
    leg, _ = bridged(board, *members)
    board.do(SetCodes(leg, ("*1",)))
    press(board, a, PCMU, "*")
    talk(board, 40, *members)
    early = b.hear()
    assert events_of(early, other.event_send) == ""
    talk(board, 30, *members)
    late = b.hear()
    assert events_of(late, other.event_send) == "*"
    assert_one_stream(early + late, other)


@pytest.mark.parametrize("other", [PCMU, PCMA, TONES_ONLY], ids=["relayed", "mixed", "tones"])
def test_keys_of_no_code_keep_their_order(board: Board, pair: list[RtpPhone], other: PayloadMap):
    a, b = pair
    members = (a, PCMU), (b, other)
    leg, _ = bridged(board, *members)
    board.do(SetCodes(leg, ("*1", "##")))
    press(board, a, PCMU, "5*7#9")
    talk(board, 60, *members)
    packets = b.hear()
    if other.event_send is None:
        assert tones_of(packets, other) == "5*7#9"
    else:
        assert events_of(packets, other.event_send) == "5*7#9"
    assert_one_stream(packets, other)
    assert board.events(CodeHeard) == []


def test_a_key_that_begins_no_code_is_relayed_while_it_is_down(board: Board, pair: list[RtpPhone]):
    a, b = pair
    leg, _ = bridged(board, (a, PCMU), (b, PCMU))
    board.do(SetCodes(leg, ("*1",)))
    a.say(payload_type=101, payload=bytes(TelephoneEvent(5, False, 160)), marker=True)
    board.settle()
    assert [packet.payload_type for packet in b.hear()] == [101]


def test_in_a_conference_keys_are_told_and_heard_by_nobody(board: Board):
    with phones(*["127.0.0.1"] * 4) as four:
        members = [(phone, PCMU) for phone in four]
        bridged(board, *members)
        press(board, four[0], PCMU, "1")
        board.advance(0.4)
        assert reported(board) == "1"
        assert [events_of(phone.hear(), 101) for phone in four] == [""] * 4


def test_keys_go_only_to_those_who_hear_the_leg(board: Board):
    with phones(*["127.0.0.1"] * 3) as three:
        customer, agent, supervisor = three
        legs = bridged(board, *[(phone, PCMU) for phone in three])
        board.do(SetGains(BRIDGE, ((legs[0], legs[2], 0.0),)))  # the supervisor whispers
        press(board, supervisor, PCMU, "3")
        board.advance(0.4)
        assert events_of(customer.hear(), 101) == ""
        assert events_of(agent.hear(), 101) == "3"
        board.do(SetPart(legs[2], speaks=False))
        press(board, supervisor, PCMU, "4")
        board.advance(0.4)
        assert events_of(agent.hear(), 101) == ""


def test_what_is_being_dialled_ends_with_the_leg_or_its_codec(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = bridged(board, (a, PCMU), (b, TONES_ONLY))
    board.do(SendDigits(first, "123456"), SendDigits(second, "123456"))
    board.advance(0.1)
    board.update(second, b, payload=PCMU)
    board.do(FreeLeg(first))
    board.advance(1)
    assert events_of(a.hear(), 101) == "1"
    assert {packet.payload_type for packet in b.hear()[-1:]} <= {0, 8}


def test_talking_is_told_and_its_end_when_the_party_leaves(board: Board, pair: list[RtpPhone]):
    a, b = pair
    leg, _ = bridged(board, (a, PCMU), (b, PCMU))
    board.do(Watch(leg, talk=True))
    at = np.arange(8000) / 8000
    pulse = sum(
        np.exp(-(((n * 125 - formant) / 150) ** 2)) * np.sin(2 * np.pi * n * 125 * at)
        for formant in (600, 1100, 2400)
        for n in range(1, 24)
    )
    vowel = (6000 * pulse / abs(pulse).max()).astype(np.int16).reshape(-1, 160)
    for payload in ARRAY_CODECS["PCMU"].encode(None, vowel):
        a.say(payload=payload)
        board.settle()
        board.advance(0.02)
    assert board.events(Talking) == [Talking(leg, True)]
    board.do(FreeLeg(leg))
    assert board.events(Talking) == [Talking(leg, False)]


def test_keys_that_were_withheld_are_for_those_whom_the_leg_leaves(
    board: Board, pair: list[RtpPhone]
):
    a, b = pair
    leg, _ = bridged(board, (a, PCMU), (b, PCMU))
    board.do(SetCodes(leg, ("*1",)))
    press(board, a, PCMU, "*")
    board.do(Leave(leg))
    board.advance(0.3)
    assert events_of(b.hear(), 101) == "*"


def test_a_key_ends_a_prompt_when_it_goes_down(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = board.add(a), board.add(b)
    board.lock(a, b)
    board.do(Watch(second, keys=True))
    for leg in (first, second):
        board.do(Play(leg, leg, ("tone:ring",), stop_on_key=True))
    board.advance(0.1)
    a.say(payload_type=101, payload=bytes(TelephoneEvent(5, False, 160)), marker=True)
    board.settle()
    assert board.events(PlaybackDone) == [PlaybackDone(first, first, False)]
    for payload in ARRAY_CODECS["PCMU"].encode(None, key_frames("5", 300, 8000)[:10]):
        b.say(payload=payload)
        board.settle()
        board.advance(0.02)
    assert board.events(PlaybackDone) == [PlaybackDone(second, second, False)]
    assert reported(board) == ""


def test_keys_do_not_disturb_who_hears_music_instead(board: Board, pair: list[RtpPhone]):
    a, b = pair
    _, second = bridged(board, (a, PCMU), (b, PCMU))
    board.do(Play(second, 1, ("tone:ring",)))
    press(board, a, PCMU, "1")
    board.advance(0.3)
    packets = b.hear()
    assert {packet.payload_type for packet in packets} == {0}
    assert_one_stream(packets, PCMU)


def test_codes_hold_in_the_next_bridge_too(board: Board, pair: list[RtpPhone]):
    a, b = pair
    leg, other = bridged(board, (a, PCMU), (b, PCMU))
    board.do(SetCodes(leg, ("*1",)), Leave(leg), Enter(leg, 77), Leave(other), Enter(other, 77))
    press(board, a, PCMU, "*1")
    board.advance(0.3)
    assert board.events(CodeHeard) == [CodeHeard(leg, "*1")]
    assert events_of(b.hear(), 101) == ""
    board.do(SetCodes(leg, ()))
    press(board, a, PCMU, "*1")
    board.advance(0.3)
    assert events_of(b.hear(), 101) == "*1"


def test_keys_go_on_to_a_held_leg_no_more(board: Board, pair: list[RtpPhone]):
    a, b = pair
    _, second = bridged(board, (a, PCMU), (b, PCMA))
    board.do(UpdateLeg(second, b.address, (b.host, b.port + 1), None, PCMA, direction="recvonly"))
    press(board, a, PCMU, "1")
    board.advance(0.3)
    assert b.hear() == []
