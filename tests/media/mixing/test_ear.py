"""Banks of ears: what goes out to each, in packets whose numbers go on from where they were."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pbx.media.codecs.array_codec import ArrayCodec
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.mixing.ear import Ear, EarBank
from pbx.media.packets.relay import OutgoingStream
from pbx.media.packets.rtp import RtpPacket
from pbx.media.protocol import PayloadMap

NOW = 100.0


class Stub:
    """An ear with what was sent to it."""

    def __init__(self, codec: str = "PCMU", *, ptime: int = 20, payload_type: int = 0) -> None:
        payload = PayloadMap(codec, payload_type, payload_type, 8000, ptime)
        self.out = OutgoingStream(ssrc=payload_type + 5, sequence=1000, timestamp=70_000)
        self.out.tune(payload)
        self.sent: list[RtpPacket] = []
        self.failures: list[OSError] = []
        self.broken = False
        self.ear = Ear(ARRAY_CODECS[codec], payload, self.out, self._send, self._fail)

    def _send(self, packet: memoryview) -> None:
        if self.broken:
            raise ConnectionRefusedError
        parsed = RtpPacket.parse(bytes(packet))
        assert parsed is not None
        self.sent.append(parsed)

    def _fail(self, error: OSError, packet: memoryview) -> None:
        self.failures.append(error)


class Payloads:
    """A source of numbered payloads that sometimes has none."""

    def __init__(self, *payloads: bytes | None) -> None:
        self._payloads = list(payloads)

    def next_payload(self, codec: ArrayCodec, ptime: int) -> bytes | None:
        return self._payloads.pop(0) if self._payloads else None


def bank_of(mixed: Sequence[Stub], alone: Sequence[Stub] = (), **changes: Any) -> EarBank:
    stub = [*mixed, *alone][0]
    bank = EarBank(stub.ear.shape)
    bank.arrange([stub.ear for stub in mixed], [stub.ear for stub in alone], NOW)
    return bank


def frames(*levels: int, samples: int = 160) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.repeat(np.array([levels], dtype=np.int16).T, samples, axis=1)


def test_each_ear_gets_its_own_frame():
    a, b = Stub(), Stub()
    bank = bank_of([a, b])
    bank.send(frames(1000, -1000), NOW)
    coded = ARRAY_CODECS["PCMU"].encode(None, frames(1000, -1000))
    assert [a.sent[0].payload, b.sent[0].payload] == coded


def test_numbers_count_packets_and_samples_and_only_the_first_has_the_marker():
    a = Stub()
    bank = bank_of([a])
    for _ in range(3):
        bank.send(frames(0), NOW)
    assert [packet.sequence for packet in a.sent] == [1001, 1002, 1003]
    assert [packet.timestamp for packet in a.sent] == [70_000, 70_160, 70_320]
    assert [packet.marker for packet in a.sent] == [True, False, False]
    assert {packet.ssrc for packet in a.sent} == {5}


def test_a_stream_that_was_fed_by_others_goes_on_where_it_was():
    a = Stub()
    a.out.sent(1500, 80_000, 160, NOW - 0.02)
    bank = bank_of([a])
    bank.send(frames(0), NOW)
    assert (a.sent[0].sequence, a.sent[0].timestamp) == (1501, 80_160)


def test_numbers_wrap():
    a = Stub()
    a.out.sequence, a.out.timestamp, a.out.sent_at = 0xFFFF, 0xFFFF_FFFF, NOW
    bank = bank_of([a])
    bank.send(frames(0), NOW)
    bank.send(frames(0), NOW)
    assert [(packet.sequence, packet.timestamp) for packet in a.sent] == [(0, 159), (1, 319)]


def test_the_stream_is_brought_up_to_date_when_it_is_asked():
    a = Stub()
    bank = bank_of([a])
    for _ in range(5):
        bank.send(frames(0), NOW + 1)
    a.out.settle()
    a.out.settle()
    assert (a.out.sequence, a.out.timestamp, a.out.sent_at) == (1005, 70_640, NOW + 1)
    assert (a.out.packets, a.out.octets) == (5, 800)


def test_ears_that_stay_see_nothing_of_those_who_come_and_go():
    a, b, c = Stub(), Stub(), Stub()
    bank = bank_of([a, b])
    bank.send(frames(0, 0), NOW)
    a.ear.leave()
    bank.arrange([c.ear, b.ear], [], NOW)
    bank.send(frames(0, 0), NOW)
    assert [packet.sequence for packet in b.sent] == [1001, 1002]
    assert [packet.marker for packet in b.sent] == [True, False]
    assert [packet.marker for packet in c.sent] == [True]
    assert (len(a.sent), a.out.packets, a.out.feeder) == (1, 1, None)


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
@pytest.mark.parametrize("codec", ["PCMA", "L16"])
def test_packets_are_as_long_as_their_leg_wants(codec: str, ptime: int):
    a = Stub(codec, ptime=ptime)
    bank = bank_of([a])
    codec_row = ARRAY_CODECS[codec]
    samples = codec_row.rate // 50
    sound = np.arange(30 * samples, dtype=np.int16).reshape(30, 1, samples)
    for frame in sound:
        bank.send(frame, NOW)
    assert len(a.sent) == 600 // ptime
    whole = b"".join(codec_row.encode(None, sound.reshape(1, -1)))
    assert b"".join(packet.payload for packet in a.sent) == whole


def test_opus_packets_have_lengths_of_their_own():
    a = Stub("opus")
    bank = bank_of([a])
    noise = np.random.default_rng(2).integers(-9000, 9000, (10, 1, 320)).astype(np.int16)
    for frame in noise:
        bank.send(frame, NOW)
    a.out.settle()
    assert len({len(packet.payload) for packet in a.sent}) > 1
    assert a.out.octets == sum(len(packet.payload) for packet in a.sent)


def test_one_that_cannot_be_sent_to_does_not_keep_the_others_from_theirs():
    ears = [Stub() for _ in range(4)]
    bank = bank_of(ears)
    ears[1].broken = ears[3].broken = True
    bank.send(frames(0, 0, 0, 0), NOW)
    assert [len(stub.sent) for stub in ears] == [1, 0, 1, 0]
    assert [len(stub.failures) for stub in ears] == [0, 1, 0, 1]


def test_a_source_is_heard_alone_as_it_is():
    a, b = Stub(), Stub()
    b.ear.source = Payloads(b"1" * 160, b"2" * 160)
    bank = bank_of([a], [b])
    bank.send(frames(0), NOW)
    bank.send(frames(0), NOW)
    assert [packet.payload[:1] for packet in b.sent] == [b"1", b"2"]
    assert len(a.sent) == 2


@pytest.mark.parametrize("mixed", [0, 1])
@pytest.mark.parametrize("codec", ["PCMU", "G722"])
def test_music_that_is_the_same_for_all_is_heard_by_each_of_them(codec: str, mixed: int):
    stubs = [Stub(codec) for _ in range(3 + mixed)]
    music, other = b"m" * 160, b"o" * 160
    for n, stub in enumerate(stubs[mixed:]):
        stub.ear.source = Payloads(music, music if n else other, music)
    bank = bank_of(stubs[:mixed], stubs[mixed:])
    for _ in range(3):
        bank.send(frames(*[0] * mixed, samples=160 if codec == "PCMU" else 320), NOW)
    heard = [[packet.payload for packet in stub.sent] for stub in stubs[mixed:]]
    assert heard == [[music, other, music], [music] * 3, [music] * 3]
    assert all(len(stub.sent) == 3 for stub in stubs[:mixed])


def test_a_source_that_has_nothing_leaves_no_hole_in_the_numbers():
    a = Stub()
    a.ear.source = Payloads(b"1" * 160, None, b"2" * 160)
    bank = bank_of([], [a])
    for _ in range(3):
        bank.send(np.zeros((0, 160), np.int16), NOW)
    assert [packet.sequence for packet in a.sent] == [1001, 1002]
    a.out.settle()
    assert (a.out.packets, a.out.sequence) == (2, 1002)


def test_an_ear_changes_from_a_source_to_the_mix_without_a_jump():
    a = Stub()
    a.ear.source = Payloads(b"1" * 160)
    bank = bank_of([], [a])
    bank.send(np.zeros((0, 160), np.int16), NOW)
    a.ear.source = None
    bank.arrange([a.ear], [], NOW)
    bank.send(frames(0), NOW)
    assert [packet.sequence for packet in a.sent] == [1001, 1002]
    assert [packet.timestamp for packet in a.sent] == [70_000, 70_160]
    assert [packet.marker for packet in a.sent] == [True, False]


def test_an_encoder_that_fails_costs_its_own_ear_one_packet(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    a, b = Stub("opus"), Stub("opus")
    bank = bank_of([a, b])
    broken = b.ear.state
    encode = type(a.ear.codec).encode

    def fail(self: ArrayCodec, states: Sequence[Any], frames: Any) -> list[bytes]:
        if any(state is broken for state in states):
            raise RuntimeError("a defect")
        return encode(self, states, frames)

    monkeypatch.setattr(type(a.ear.codec), "encode", fail)
    with caplog.at_level(logging.CRITICAL):
        for _ in range(3):
            bank.send(frames(100, 100, samples=320), NOW)
    assert [packet.sequence for packet in a.sent] == [1001, 1002, 1003]
    assert [packet.sequence for packet in b.sent] == [1001, 1002]
