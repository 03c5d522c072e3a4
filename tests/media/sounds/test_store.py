import os
from pathlib import Path

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.sounds.clip import ENDLESS, Clip
from pbx.media.sounds.playback import Playback
from pbx.media.sounds.store import MAX_CLIPS, MAX_SILENCE_MS, SoundStore
from tests.kit.tones import Sound, tone, write_wav

PCMU = ARRAY_CODECS["PCMU"]


@pytest.fixture
def store() -> SoundStore:
    return SoundStore()


def open_clip(store: SoundStore, source: str) -> Clip:
    clip = store.open(source)
    assert isinstance(clip, Clip)
    return clip


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_a_file_is_as_long_as_it_was(store: SoundStore, tmp_path: Path, rate: int):
    path = write_wav(tmp_path / "a.wav", tone(500, 0.5, rate=rate))
    assert open_clip(store, f"file:{path}").length == pytest.approx(8000, abs=2)


def test_a_file_at_the_wanted_rate_passes_bit_by_bit(store: SoundStore, tmp_path: Path):
    noise = np.random.default_rng(1).integers(-32768, 32768, 5000).astype(np.int16)
    path = write_wav(tmp_path / "a.wav", Sound(noise, 16000))
    heard = open_clip(store, f"file:{path}").samples(16000).cut(0, 5000)
    assert (heard == noise).all()


def test_a_loud_file_is_clipped_and_does_not_wrap(store: SoundStore, tmp_path: Path):
    square = np.where(np.arange(16000) // 40 % 2, -32768, 32767).astype(np.int16)
    path = write_wav(tmp_path / "a.wav", Sound(square, 16000))
    heard = open_clip(store, f"file:{path}").samples(8000).cut(1600, 14400)
    inside = np.sign(square[1600:14400:2]) == np.sign(heard)
    assert inside.mean() > 0.95


def test_a_source_is_opened_once(store: SoundStore, tmp_path: Path):
    path = write_wav(tmp_path / "a.wav", tone(500, 0.1))
    for source in (f"file:{path}", "tone:ring", "silence:500", f"music:{tmp_path}"):
        assert store.open(source) is store.open(source)


def test_a_changed_file_is_opened_anew(store: SoundStore, tmp_path: Path):
    path = write_wav(tmp_path / "a.wav", tone(500, 0.1))
    before = store.open(f"file:{path}")
    write_wav(path, tone(700, 0.2))
    os.utime(path, (1, 1))
    assert store.open(f"file:{path}") is not before


def test_the_tones_are_those_of_the_country(tmp_path: Path):
    lengths = {}
    for country in ("cn", "us"):
        clip = open_clip(SoundStore(country=country), "tone:busy")
        sound = np.abs(clip.samples(8000).cut(0, 16000).astype(int))
        lengths[country] = np.flatnonzero(sound > 100)[0:6000:1].max() if sound.any() else 0
        assert clip.length == ENDLESS
    assert lengths["cn"] != lengths["us"]
    with pytest.raises(Refused, match=r"^there are no tones of xx; choose of cn, de, fr"):
        SoundStore(country="xx")


def test_silence_lasts_as_long_as_it_says(store: SoundStore):
    playback = Playback(1, [store.open("silence:100"), store.open("tone:beep")])
    frames = [playback.next_frame(8000) for _ in range(6)]
    assert all(frame is not None and not frame.any() for frame in frames[:5])
    assert frames[5] is not None
    assert frames[5].any()
    assert open_clip(store, "silence:99999999").length == MAX_SILENCE_MS * 16


def test_long_silence_takes_no_room(store: SoundStore):
    playback = Playback(1, [store.open("silence:600000")])
    for _ in range(1000):
        assert playback.next_payload(PCMU) == bytes((PCMU.silence,)) * 160
    assert store._shelf.octets < 10_000


def test_what_is_kept_is_bounded_and_made_again_when_wanted(tmp_path: Path):
    store = SoundStore(limit=50_000)
    path = write_wav(tmp_path / "a.wav", tone(500, 10.0))
    first = [Playback(1, [store.open(f"file:{path}")]) for _ in range(2)]
    early = [first[0].next_payload(PCMU) for _ in range(500)]
    assert store._shelf.octets <= 50_000
    assert [first[1].next_payload(PCMU) for _ in range(500)] == early


def test_files_that_are_open_are_bounded(store: SoundStore, tmp_path: Path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(MAX_CLIPS + 10):
        path = write_wav(tmp_path / f"{number}.wav", tone(500, 0.02))
        store.open(f"file:{path}")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + MAX_CLIPS


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("hello.wav", "hello.wav is no sound; write file:, tone:, music: or silence: before it"),
        ("flute:x", "flute:x is no sound; write file:, tone:, music: or silence: before it"),
        ("file", "file is no sound; write file:, tone:, music: or silence: before it"),
        ("file:/no/such.wav", "/no/such.wav cannot be read: No such file or directory"),
        ("file:/tmp", "/tmp is not a file"),
        ("file:a\0b", "a\0b cannot be read: no such name"),
        ("music:a\0b", "a\0b cannot be read: no such name"),
        ("silence:soon", "silence:soon is no time; give milliseconds, as silence:500"),
        ("silence:-5", "silence:-5 is no time; give milliseconds, as silence:500"),
    ],
)
def test_a_wrong_source_is_refused_in_one_sentence(store: SoundStore, source: str, says: str):
    with pytest.raises(Refused) as refused:
        store.open(source)
    assert str(refused.value) == says
