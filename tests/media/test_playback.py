import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.media.codecs import ARRAY_CODECS
from pbx.media.playback import ClipStore, Playback

PCMU, PCMA = ARRAY_CODECS["PCMU"], ARRAY_CODECS["PCMA"]


def write_wav(path: Path, samples: np.ndarray, rate: int = 8000) -> str:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return str(path)


NOISE = np.random.default_rng(5).integers(-9999, 9999, 1000).astype(np.int16)
CODED = PCMU.encode(None, NOISE.reshape(1, -1))[0]


@pytest.fixture
def store() -> Iterator[ClipStore]:
    store = ClipStore()
    yield store
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return write_wav(tmp_path / "hello.wav", NOISE)


def packets(playback: Playback, octets: int = 160, most: int = 50) -> list[bytes]:
    found = []
    while len(found) < most and (payload := playback.next_payload(octets)) is not None:
        found.append(payload)
    return found


def test_a_file_is_played_frame_by_frame_and_filled_up_with_silence(store: ClipStore, path: str):
    clip = store.open(path, "PCMU")
    found = packets(Playback(1, path, clip, loop=False))
    assert {len(payload) for payload in found} == {160}
    assert b"".join(found) == CODED + bytes((PCMU.silence,)) * 120


def test_a_loop_goes_round_without_a_gap(store: ClipStore, path: str):
    clip = store.open(path, "PCMU")
    assert b"".join(packets(Playback(1, path, clip, loop=True), most=25)) == CODED * 4


def test_a_loop_shorter_than_a_frame_fills_it(store: ClipStore, tmp_path: Path):
    path = write_wav(tmp_path / "tick.wav", NOISE[:7])
    clip = store.open(path, "PCMU")
    assert Playback(1, path, clip, loop=True).next_payload(160) == (CODED[:7] * 23)[:160]


@pytest.mark.parametrize("loop", [True, False])
def test_a_file_without_sound_ends_at_once(store: ClipStore, tmp_path: Path, loop: bool):
    path = write_wav(tmp_path / "empty.wav", NOISE[:0])
    clip = store.open(path, "PCMU")
    assert Playback(1, path, clip, loop=loop).next_payload(160) is None


def test_listeners_share_a_clip_and_have_their_own_place(store: ClipStore, path: str):
    first = Playback(1, path, store.open(path, "PCMU"), loop=False)
    first.next_payload(160)
    assert store.open(path, "PCMU") is store.open(path, "PCMU")
    second = Playback(2, path, store.open(path, "PCMU"), loop=False)
    assert second.next_payload(160) == CODED[:160]
    assert first.next_payload(160) == CODED[160:320]


def test_another_codec_goes_on_at_the_same_place(store: ClipStore, path: str):
    playback = Playback(1, path, store.open(path, "PCMU"), loop=False)
    playback.next_payload(160)
    playback.recode(store.open(path, "PCMA"))
    alaw = PCMA.encode(None, NOISE.reshape(1, -1))[0]
    assert playback.next_payload(160) == alaw[160:320]


def test_a_changed_file_is_read_again(store: ClipStore, path: str):
    store.open(path, "PCMU").payload(0, 10)
    write_wav(Path(path), NOISE[::-1][:500])
    reversed_code = PCMU.encode(None, NOISE[::-1].reshape(1, -1))[0]
    assert store.open(path, "PCMU").payload(0, 10) == reversed_code[:10]


def test_the_clips_heard_longest_ago_are_forgotten(tmp_path: Path):
    store = ClipStore(limit=2500)
    paths = [write_wav(tmp_path / f"{n}.wav", NOISE) for n in range(3)]
    clips = [store.open(path, "PCMU") for path in paths]
    for clip in clips:
        clip.payload(0, 5000)
    store.open(paths[2], "PCMU")
    assert store.open(paths[1], "PCMU") is clips[1]
    assert store.open(paths[0], "PCMU") is not clips[0]
    store.close()


@pytest.mark.parametrize(
    ("ptime", "packets_in_120_ms"), [(10, 12), (20, 6), (30, 4), (40, 3), (60, 2)]
)
def test_any_packet_time_is_kept(store: ClipStore, path: str, ptime: int, packets_in_120_ms: int):
    playback = Playback(1, path, store.open(path, "PCMU"), loop=True)
    assert sum(playback.due(20, ptime) for _ in range(6)) == packets_in_120_ms


def test_what_cannot_be_played_is_refused_in_one_sentence(
    store: ClipStore, tmp_path: Path, path: str
):
    with pytest.raises(Refused, match=r"hello.wav cannot be played in G722 yet$"):
        store.open(path, "G722")
    with pytest.raises(Refused, match=r"no.wav cannot be read: No such file or directory$"):
        store.open(str(tmp_path / "no.wav"), "PCMU")
    with pytest.raises(Refused, match=r"is not a file$"):
        store.open(str(tmp_path), "PCMU")
    (tmp_path / "text.wav").write_text("not sound")
    with pytest.raises(Refused, match=r"text.wav is not a WAV file$"):
        store.open(str(tmp_path / "text.wav"), "PCMU")
