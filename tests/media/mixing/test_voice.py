from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.media.codecs.array_codec import ArrayCodec, Frames
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.mixing.voice import LegVoice, decode_tick
from pbx.media.protocol import PayloadMap

PCMU, PCMA = ARRAY_CODECS["PCMU"], ARRAY_CODECS["PCMA"]


class Remembering(ArrayCodec):
    """A codec with memory, 16-bit samples as they are, that counts what its decoders see."""

    name, rate, octets_per_ms, silence = "REMEMBERING", 8000, 16, 0

    def decoder(self) -> list[bytes]:
        return []

    def decode(self, states: Sequence[list[bytes]] | None, payloads: Sequence[bytes]) -> Frames:
        for state, payload in zip(states or (), payloads, strict=True):
            state.append(payload)
        return np.array([np.frombuffer(payload, np.int16) for payload in payloads])

    def encode(self, states: object, frames: Frames) -> list[bytes]:
        return [frame.tobytes() for frame in frames]


class Speaker:
    """Sends a sound to a voice, a packet a tick, and keeps what comes out."""

    def __init__(self, codec: ArrayCodec = PCMU, *, clock: int = 8000, frame_ms: int = 20) -> None:
        self.codec = codec
        self.voice = LegVoice(PayloadMap(codec.name, 0, 0, clock, frame_ms), codec)
        self.frame_ms = frame_ms
        self.now = 0.0
        self.number = 0
        self.first = 0
        self.out: list[Frames] = []
        self.frames = np.full((1, codec.rate // 50), 99, np.int16)

    def send(self, frame: Frames | None) -> None:
        """Send a packet; None loses it on the way."""
        if frame is not None:
            payload = self.codec.encode(None, frame.reshape(1, -1))[0]
            timestamp = self.number * self.frame_ms * self.voice.buffer.clock // 1000
            self.voice.push(self.number & 0xFFFF, timestamp, payload, self.now)
        self.number += 1

    def begin_again(self, number: int) -> None:
        self.number = self.first = number
        self.out.clear()

    def tick(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.now += 0.02
            decode_tick([self.voice], self.frames, self.now)
            self.out.append(self.frames[0].copy())

    def speak(self, sound: Frames, lost: Sequence[int] = ()) -> None:
        """Send all of a sound in packets, playing as much as was sent; `lost` ones are missing."""
        size = self.codec.rate * self.frame_ms // 1000
        for number, begin in enumerate(range(0, len(sound) - size + 1, size)):
            self.send(None if number in lost else sound[begin : begin + size])
            while len(self.out) * 20 < (self.number - self.first) * self.frame_ms:
                self.tick()

    @property
    def heard(self) -> Frames:
        return np.concatenate(self.out)


def vowel(seconds: float, rate: int = 8000, hertz: float = 150) -> Frames:
    time = np.arange(round(rate * seconds)) / rate
    waves = [np.sin(2 * np.pi * hertz * n * time + n) / n for n in range(1, 6)]
    return (5000 * np.sum(waves, axis=0)).astype(np.int16)


def coded(codec: ArrayCodec, sound: Frames) -> Frames:
    return codec.decode(None, codec.encode(None, sound.reshape(1, -1)))[0]


def largest_step(sound: Frames) -> int:
    return int(np.abs(np.diff(sound.astype(int))).max())


@pytest.mark.parametrize("codec", [PCMU, PCMA], ids=lambda codec: codec.name)
def test_what_is_said_is_heard_sample_for_sample(codec: ArrayCodec):
    speaker, sound = Speaker(codec), vowel(1)
    speaker.speak(sound)
    expected = coded(codec, sound)
    heard = speaker.heard[2 * 160 :]  # the delay at the start
    assert (heard[160:] == expected[160 : len(heard)]).all()
    assert speaker.voice.plain
    assert not speaker.voice.silent


def test_nobody_there_is_silence():
    speaker = Speaker()
    speaker.tick(3)
    assert not speaker.heard.any()
    assert speaker.voice.silent


@pytest.mark.parametrize("frame_ms", [10, 30, 40, 60])
def test_packets_of_other_lengths_are_heard_without_a_seam(frame_ms: int):
    speaker, sound = Speaker(frame_ms=frame_ms), vowel(1.2)
    speaker.speak(sound)
    heard = speaker.heard
    begin = int(np.flatnonzero(heard)[0]) // 160 * 160 + 160
    assert any(
        (heard[begin:] == coded(PCMU, sound)[at : at + len(heard) - begin]).all()
        for at in range(0, 960, 80)
    )


def test_a_lost_packet_is_concealed_and_counted():
    speaker, sound = Speaker(), vowel(1)
    speaker.speak(sound, lost=[20])
    gap = slice(22 * 160, 23 * 160)
    error = speaker.heard[gap].astype(float) - coded(PCMU, sound)[20 * 160 : 21 * 160]
    assert np.sqrt(np.mean(error**2)) < 0.3 * np.std(sound)
    assert speaker.voice.concealed_ms == 20
    assert speaker.voice.lost == 1
    assert largest_step(speaker.heard[480:]) < 1.3 * largest_step(sound)


def test_after_a_loss_all_is_as_it_was():
    speaker, sound = Speaker(), vowel(1)
    speaker.speak(sound, lost=[20, 21, 30])
    expected = coded(PCMU, sound)
    heard = speaker.heard[2 * 160 :]
    assert (heard[31 * 160 :] == expected[31 * 160 : len(heard)]).all()
    assert (heard[23 * 160 : 30 * 160] == expected[23 * 160 : 30 * 160]).all()
    assert speaker.voice.plain


def test_losses_in_close_succession_look_back_on_what_was_played():
    speaker, sound = Speaker(), vowel(1)
    speaker.speak(sound, lost=range(20, 40, 2))
    heard = speaker.heard[2 * 160 :]
    for number in range(20, 40, 2):
        assert np.std(heard[number * 160 : number * 160 + 160]) > 0.5 * np.std(sound)


def test_a_sender_that_falls_silent_fades_away_and_comes_back():
    speaker, sound = Speaker(), vowel(0.4)
    speaker.speak(sound)
    speaker.tick(50)
    assert not speaker.out[-1].any()
    assert speaker.voice.silent
    assert speaker.voice.concealed_ms == 0
    speaker.number += 50  # the timestamp goes on, the sequence number does not
    voice, at = speaker.voice, speaker.number
    for packet in range(20):
        payload = PCMU.encode(None, sound[packet * 160 : packet * 160 + 160].reshape(1, -1))[0]
        voice.push(20 + packet, (at + packet) * 160, payload, speaker.now)
        speaker.tick()
    assert not voice.silent
    assert voice.lost == voice.underruns == voice.concealed_ms == 0
    assert largest_step(speaker.heard) < 1.3 * largest_step(sound)


def test_rows_are_played_each_by_its_own_codec_and_state():
    sound = vowel(0.5)
    speakers = [Speaker(PCMU), Speaker(PCMA), Speaker(PCMU), Speaker(PCMA)]
    silent = LegVoice(PayloadMap("PCMU", 0, 0, 8000), PCMU)
    frames = np.full((5, 160), 99, np.int16)
    voices = [*(speaker.voice for speaker in speakers), silent]
    for number in range(25):
        part = sound[number * 160 : number * 160 + 160]
        for row, speaker in enumerate(speakers):
            speaker.send(None if row == 2 and number == 22 else part // (row + 1))
        decode_tick(voices, frames, number * 0.02)
        if number in (20, 23):
            played = sound[(number - 2) * 160 : (number - 1) * 160]
            for row, speaker in enumerate(speakers):
                assert (frames[row] == coded(speaker.codec, played // (row + 1))).all()
    assert not frames[4].any()
    assert (frames[2] != 99).all()
    assert [voice.lost for voice in voices] == [0, 0, 1, 0, 0]


def test_a_decoder_with_memory_sees_each_payload_once_and_in_order():
    speaker, sound = Speaker(Remembering(), clock=8000), vowel(1)
    speaker.speak(sound, lost=[10, 20, 21])
    sent = [sound[at : at + 160].tobytes() for at in range(0, len(sound), 160)]
    expected = [payload for number, payload in enumerate(sent) if number not in (10, 20, 21)]
    assert speaker.voice.state == expected[: len(speaker.voice.state)]
    assert len(speaker.voice.state) >= 45
    gap = speaker.heard[12 * 160 : 13 * 160]
    assert np.std(gap) > 0.7 * np.std(sound)


def test_the_delay_comes_down_in_a_silence():
    speaker = Speaker()
    quiet = np.random.default_rng(1).normal(0, 20, 8000).astype(np.int16)
    sound = np.concatenate((vowel(5), quiet, vowel(1)))
    speaker.speak(sound)
    assert speaker.voice.plain
    assert speaker.voice.buffer_ms <= 40
    assert speaker.voice.concealed_ms == speaker.voice.late == 0
    assert largest_step(speaker.heard) < 1.1 * largest_step(sound)
    assert (speaker.out[-1] == coded(PCMU, vowel(1))[-320:-160]).all()


@pytest.mark.parametrize("wish", [-1, 1])
def test_the_delay_is_changed_in_speech_too_when_there_is_no_silence(wish: int):
    speaker, sound = Speaker(), vowel(2)
    for begin in range(0, len(sound), 160):
        speaker.send(sound[begin : begin + 160])
        if begin == 160 * 30:
            speaker.send(sound[begin : begin + 160])
            speaker.voice.buffer.wish = wish
            speaker.voice.buffer.urgent = True
        speaker.tick()
    assert speaker.voice.plain
    assert speaker.voice.concealed_ms == 0
    assert largest_step(speaker.heard[320:]) < 1.3 * largest_step(sound)


def test_skew_is_followed_without_a_loss():
    speaker = Speaker()
    rng = np.random.default_rng(2)
    sound = np.concatenate(
        [part for _ in range(20) for part in (vowel(0.5), rng.normal(0, 20, 2000).astype(np.int16))]
    )
    for tick in range(len(sound) // 160):
        speaker.now = tick * 0.02
        while speaker.number * 0.02 < speaker.now * 1.004 and speaker.number < len(sound) // 160:
            speaker.send(sound[speaker.number * 160 : speaker.number * 160 + 160])
        speaker.tick()
    voice = speaker.voice
    assert voice.concealed_ms == voice.lost == voice.late == 0
    assert voice.buffer_ms <= 80
    assert largest_step(speaker.heard) < 1.1 * largest_step(sound)


def test_retune_changes_the_codec_and_begins_anew():
    speaker = Speaker()
    speaker.speak(vowel(0.2))
    speaker.voice.retune(PayloadMap("PCMA", 8, 8, 8000), PCMA)
    speaker.codec = PCMA
    speaker.begin_again(500)
    speaker.speak(vowel(0.4))
    heard = speaker.heard[2 * 160 :]
    assert (heard[160:] == coded(PCMA, vowel(0.4))[160 : len(heard)]).all()


def test_reset_takes_another_stream_at_once():
    speaker = Speaker()
    speaker.speak(vowel(0.2))
    speaker.voice.reset()
    speaker.begin_again(30_000)
    speaker.speak(vowel(0.4))
    assert np.flatnonzero(speaker.heard)[0] <= 2 * 160 + 5
    assert speaker.voice.lost == 0


def test_payloads_of_odd_sizes_do_no_harm():
    speaker = Speaker()
    speaker.speak(vowel(0.3))
    for number, size in enumerate([1, 159, 161, 0, 1400, 80, 160, 160], start=15):
        speaker.voice.push(number, number * 160, bytes(size), speaker.now)
        speaker.tick()
    speaker.tick(30)
    assert speaker.voice.silent


def test_keys_between_the_voice_are_no_loss():
    speaker = Speaker()
    speaker.speak(vowel(0.4))
    for _ in range(8):
        speaker.voice.skip(speaker.number)
        speaker.number += 1
        speaker.tick()
    speaker.speak(vowel(0.4))
    assert speaker.voice.lost == speaker.voice.concealed_ms == speaker.voice.underruns == 0


@pytest.mark.parametrize("name", sorted(ARRAY_CODECS))
@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from([0, 1, 1, 1, 2, 3, 9, 40, 5000, 65_535]),
            st.sampled_from([0, 1, 80, 160, 160, 160, 320, 480, 960, 5000, 2**31, 2**32 - 160]),
            st.one_of(st.sampled_from([160, 640, 80, 240, 20]), st.integers(0, 1500)),
            st.integers(-1, 1),
        ),
        max_size=80,
    )
)
def test_nothing_that_is_sent_breaks_the_tick(
    name: str, steps: list[tuple[int, int, int, int, int]]
):
    codec = ARRAY_CODECS[name]
    voice = LegVoice(PayloadMap(name, 0, 0, 48_000 if name == "opus" else 8000), codec)
    frames = np.zeros((1, codec.rate // 50), np.int16)
    noise = np.random.default_rng(1).integers(0, 256, 1500).astype(np.uint8).tobytes()
    sequence = timestamp = 0
    for number, (ticks, sequence_step, timestamp_step, size, wish) in enumerate(steps):
        sequence = (sequence + sequence_step) & 0xFFFF
        timestamp = (timestamp + timestamp_step) & 0xFFFF_FFFF
        voice.push(sequence, timestamp, noise[-size:] if size else b"", number * 0.02)
        voice.buffer.wish = voice.buffer.wish or wish
        voice.buffer.urgent = wish > 0
        for _ in range(ticks):
            decode_tick([voice], frames, number * 0.02)
    assert voice.buffer_ms >= 0
    assert voice.concealed_ms >= 0
