import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.sounds.clip import UNIT_MS, Clip, Frame, Shelf, Source
from pbx.media.sounds.live_music import LiveMusic, Sound
from pbx.media.sounds.playback import Playback
from pbx.media.sounds.store import SoundStore

PCMU, PCMA = ARRAY_CODECS["PCMU"], ARRAY_CODECS["PCMA"]


def write_wav(path: Path, samples: np.ndarray, rate: int = 8000) -> str:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return f"file:{path}"


NOISE = np.random.default_rng(5).integers(-9999, 9999, 3000).astype(np.int16)


class Samples(Source):
    """Samples of 8 kHz in memory."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples

    def read(self, unit: int, rate: int) -> Frame:
        size = rate * UNIT_MS // 1000
        piece = self.samples[unit * size :][:size]
        return np.pad(piece, (0, size - len(piece)))


def clip_of(samples: np.ndarray) -> Clip:
    return Clip(Samples(samples), Shelf(), 2 * len(samples))


def code(samples: np.ndarray, codec=PCMU) -> bytes:
    return codec.encode(None, samples.reshape(1, -1))[0]


CODED = code(NOISE)


@pytest.fixture
def store() -> SoundStore:
    return SoundStore()


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_wav(tmp_path / "hello.wav", NOISE)


def play(store: SoundStore, *sources: str, loop: bool = False) -> Playback:
    return Playback(1, [store.open(source) for source in sources], loop=loop)


def payloads(playback: Playback, codec=PCMU, ptime: int = 20, most: int = 50) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < most and (payload := playback.next_payload(codec, ptime)) is not None:
        found.append(payload)
    return found


def frames(playback: Playback, rate: int = 8000, most: int = 50) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    while len(found) < most and (frame := playback.next_frame(rate)) is not None:
        found.append(frame)
    return found


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
def test_a_file_is_sent_packet_by_packet_and_filled_up_with_silence(
    store: SoundStore, source: str, ptime: int
):
    found = payloads(play(store, source), ptime=ptime)
    assert {len(payload) for payload in found} == {ptime * 8}
    assert b"".join(found) == CODED + bytes((PCMU.silence,)) * (-len(CODED) % (ptime * 8))


def test_a_file_is_mixed_frame_by_frame_and_filled_up_with_zeros(store: SoundStore, source: str):
    found = np.concatenate(frames(play(store, source)))
    assert len(found) == 19 * 160
    assert (found[:3000] == NOISE).all()
    assert not found[3000:].any()


def test_the_matrix_gets_the_wider_rate_as_well(store: SoundStore, source: str):
    found = frames(play(store, source), 16000)
    assert {frame.shape for frame in found} == {(320,)}
    assert len(found) == 19


def test_words_follow_each_other_without_a_gap(store: SoundStore, tmp_path: Path):
    words = [NOISE[:777], NOISE[777:805], NOISE[805:2500]]
    sources = [write_wav(tmp_path / f"{n}.wav", word) for n, word in enumerate(words)]
    spoken = b"".join(payloads(play(store, *sources)))
    assert spoken[:2500] == CODED[:2500]
    heard = np.concatenate(frames(play(store, *sources)))
    assert (heard[:2500] == NOISE[:2500]).all()
    assert not heard[2500:].any()


def test_a_queue_with_a_loop_goes_round_without_a_gap(store: SoundStore, tmp_path: Path):
    sources = [write_wav(tmp_path / f"{n}.wav", NOISE[n::2]) for n in range(2)]
    round_once = np.concatenate((NOISE[0::2], NOISE[1::2]))
    found = np.concatenate(frames(play(store, *sources, loop=True), most=75))
    assert (found == np.tile(round_once, 4)).all()


def test_a_loop_shorter_than_a_frame_fills_it(store: SoundStore, tmp_path: Path):
    source = write_wav(tmp_path / "tick.wav", NOISE[:7])
    playback = play(store, source, loop=True)
    assert playback.next_payload(PCMU) == (CODED[:7] * 23)[:160]


@pytest.mark.parametrize("loop", [True, False])
def test_a_file_without_sound_ends_at_once(store: SoundStore, tmp_path: Path, loop: bool):
    source = write_wav(tmp_path / "empty.wav", NOISE[:0])
    assert play(store, source, loop=loop).next_payload(PCMU) is None
    assert play(store, source, loop=loop).next_frame(8000) is None


def test_nothing_to_play_ends_at_once():
    assert Playback(1, [], loop=True).next_frame(8000) is None


def test_listeners_share_what_is_coded_and_have_their_own_place(store: SoundStore, source: str):
    first, second = play(store, source), play(store, source)
    first.next_payload(PCMU)
    assert second.next_payload(PCMU) == CODED[:160]
    assert first.next_payload(PCMU) == CODED[160:320]


def test_another_codec_goes_on_at_the_same_place(store: SoundStore, source: str):
    playback = play(store, source)
    playback.next_payload(PCMU)
    assert playback.next_payload(PCMA) == code(NOISE, PCMA)[160:320]


def test_the_matrix_takes_over_at_the_same_place_and_gives_back(store: SoundStore, source: str):
    playback = play(store, source)
    playback.next_payload(PCMU)
    frame = playback.next_frame(8000)
    assert frame is not None
    assert (frame == NOISE[160:320]).all()
    assert playback.next_payload(PCMU, 40) == CODED[320:640]


def test_a_place_is_kept_between_codecs_whose_packets_are_slices_and_those_whose_are_not(
    store: SoundStore, source: str
):
    playback = play(store, source)
    opus = ARRAY_CODECS["opus"]
    playback.next_payload(PCMU)
    first = playback.next_payload(opus)
    assert first is not None
    assert opus.duration_ms(first) == 20
    assert playback.next_payload(PCMU) == CODED[320:480]


@pytest.mark.parametrize("name", ["G722", "opus"])
@pytest.mark.parametrize("ptime", [20, 30, 50, 60])
def test_codecs_with_memory_are_heard_as_they_were_spoken(
    store: SoundStore, tmp_path: Path, name: str, ptime: int
):
    codec = ARRAY_CODECS[name]
    time = np.arange(16000) / 16000
    tone = 8000 * np.sin(2 * np.pi * 600 * time)
    source = write_wav(tmp_path / "tone.wav", tone, 16000)
    states = [codec.decoder()]
    packets = payloads(play(store, source), codec, ptime)
    heard = np.concatenate([codec.decode(states, [packet])[0] for packet in packets])
    assert len(packets) == -(-1000 // ptime)
    spectrum = np.abs(np.fft.rfft(heard[4000:12000] * np.hanning(8000)))
    assert spectrum.argmax() == 300
    spectrum[290:311] = 0
    assert np.square(spectrum).sum() < 1e-3 * (8000 * 8000 / 4) ** 2


def test_one_who_comes_later_gets_the_same_packets(store: SoundStore, source: str):
    opus = ARRAY_CODECS["opus"]
    assert payloads(play(store, source), opus) == payloads(play(store, source), opus)


def test_who_switches_to_a_codec_with_memory_in_mid_sound_does_not_wait_for_all_before(
    store: SoundStore, tmp_path: Path
):
    playback = play(store, write_wav(tmp_path / "long.wav", np.tile(NOISE, 30)))
    for _ in range(500):
        playback.next_frame(8000)
    playback.next_payload(ARRAY_CODECS["G722"])
    (clip,) = [store.open(f"file:{tmp_path / 'long.wav'}")]
    assert isinstance(clip, Clip)
    track = clip.samples(16000)
    assert len(track._units) == 2


@pytest.mark.parametrize(
    ("ptime", "packets_in_120_ms"), [(10, 12), (20, 6), (30, 4), (40, 3), (60, 2)]
)
def test_any_packet_time_is_kept(ptime: int, packets_in_120_ms: int):
    playback = Playback(1, [], loop=True)
    assert sum(playback.due(20, ptime) for _ in range(6)) == packets_in_120_ms


@pytest.mark.parametrize("take", [frames, payloads])
def test_a_file_that_becomes_shorter_ends_its_playback_with_a_sentence(
    store: SoundStore, tmp_path: Path, take: Callable[[Playback], list[bytes]]
):
    playback = play(store, write_wav(tmp_path / "cut.wav", np.tile(NOISE, 3)))
    assert playback.next_frame(8000) is not None
    with (tmp_path / "cut.wav").open("r+b") as file:
        file.truncate(5000)
    assert len(take(playback)) < 20
    assert take(playback) == []
    assert playback.error == f"{tmp_path / 'cut.wav'} became shorter while it was played"


def test_music_follows_the_greeting_and_tells_that_it_is_live(
    store: SoundStore, source: str, tmp_path: Path
):
    (tmp_path / "music").mkdir()
    write_wav(tmp_path / "music" / "a.wav", NOISE)
    playback = play(store, source, f"music:{tmp_path / 'music'}", loop=True)
    for _ in range(19):
        assert playback.live is None
        assert playback.next_payload(PCMU) is not None
    assert playback.live is store.open(f"music:{tmp_path / 'music'}")
    sounds: list[Sound] = [playback.live]
    assert isinstance(sounds[0], LiveMusic)
    assert playback.next_payload(PCMU) == sounds[0].payload(PCMU)
    frame = playback.next_frame(8000)
    assert frame is sounds[0].frame(8000)


@given(
    lengths=st.lists(st.integers(0, 700), min_size=1, max_size=5),
    asked=st.lists(st.sampled_from([0, 10, 20, 30, 40, 60]), min_size=1, max_size=30),
    loop=st.booleans(),
)
def test_however_it_is_asked_for_nothing_is_lost_or_heard_twice(
    lengths: list[int], asked: list[int], loop: bool
):
    borders = np.cumsum([0, *lengths])
    words = [NOISE[start:stop] for start, stop in pairwise(borders)]
    sounds = [clip_of(word) for word in words]
    playback = Playback(1, sounds, loop=loop)
    rounds = 1 + 30 * 480 // max(1, sum(lengths)) if loop else 1
    expected = np.tile(np.concatenate(words), rounds)
    heard = b""
    for ptime in asked:
        if ptime:
            payload = playback.next_payload(PCMU, ptime)
        else:
            frame = playback.next_frame(8000)
            payload = None if frame is None else code(frame)
        if payload is None:
            break
        heard += payload
    silence = bytes((PCMU.silence,))
    assert heard[: len(expected)] == code(expected)[: len(heard)]
    assert heard[len(expected) :].strip(silence) == b""
