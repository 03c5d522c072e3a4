from pathlib import Path

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.sounds.live_music import PATIENCE, LiveMusic
from pbx.media.sounds.playback import Playback
from pbx.media.sounds.store import SoundStore
from tests.kit.tones import Sound, tone, write_wav

PCMA, PCMU = ARRAY_CODECS["PCMA"], ARRAY_CODECS["PCMU"]
LEVEL = -20.0  # dBFS of a sine that is about as loud as music is made


@pytest.fixture
def store() -> SoundStore:
    return SoundStore()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "queue"
    folder.mkdir()
    for name, hertz in (("1.wav", 500), ("2.wav", 900), ("3.WAV", 1300)):
        write_wav(folder / name, tone(hertz, 0.5, level_dbfs=LEVEL))
    return folder


def open_music(store: SoundStore, path: Path) -> LiveMusic:
    music = store.open(f"music:{path}")
    assert isinstance(music, LiveMusic)
    return music


def listen(store: SoundStore, music: LiveMusic, ticks: int, rate: int = 8000) -> np.ndarray:
    heard = []
    for _ in range(ticks):
        heard.append(music.frame(rate))
        store.advance()
    return np.concatenate(heard)


def pitch(samples: np.ndarray, rate: int = 8000) -> float:
    window = np.hanning(len(samples))
    return float(np.abs(np.fft.rfft(samples * window)).argmax() * rate / len(samples))


def test_a_thousand_listeners_are_one_coding(store: SoundStore, folder: Path):
    listeners = [Playback(n, [store.open(f"music:{folder}")]) for n in range(1000)]
    for tick in range(1, 4):
        payloads = {listener.next_payload(PCMA) for listener in listeners}
        assert len(payloads) == 1
        assert store.music_frames == tick
        store.advance()


def test_each_codec_is_one_coding_more(store: SoundStore, folder: Path):
    listeners = [Playback(n, [store.open(f"music:{folder}")]) for n in range(10)]
    for listener, codec in zip(listeners, [PCMA, PCMU, ARRAY_CODECS["G722"]] * 3, strict=False):
        listener.next_payload(codec)
    assert store.music_frames == 3


def test_who_comes_later_hears_the_same_place(store: SoundStore, folder: Path):
    first = Playback(1, [store.open(f"music:{folder}")])
    for _ in range(30):
        first.next_frame(8000)
        store.advance()
    second = Playback(2, [store.open(f"music:{folder}")])
    assert second.next_frame(8000) is first.next_frame(8000)
    assert second.next_payload(PCMA) == first.next_payload(PCMA)


def test_one_path_written_in_two_ways_is_one_music(store: SoundStore, folder: Path):
    assert store.open(f"music:{folder}") is store.open(f"music:{folder}/../{folder.name}/")


def test_the_files_of_a_folder_play_in_turn_and_round(store: SoundStore, folder: Path):
    music = open_music(store, folder)
    for hertz in (500, 900, 1300, 500):
        assert pitch(listen(store, music, 25)) == hertz


def test_the_next_file_begins_without_a_gap(store: SoundStore, tmp_path: Path):
    for name in ("1.wav", "2.wav"):
        write_wav(tmp_path / name, tone(500, 0.377, level_dbfs=LEVEL))
    heard = listen(store, open_music(store, tmp_path), 37).astype(float)
    levels = np.sqrt((heard.reshape(-1, 80) ** 2).mean(axis=1))
    assert levels.min() > 0.8 * levels.mean()


def test_both_rates_are_at_one_place(store: SoundStore, folder: Path):
    music = open_music(store, folder)
    assert pitch(listen(store, music, 25, 16000), 16000) == 500
    assert pitch(listen(store, music, 25, 8000)) == 900


def test_music_stands_still_while_nobody_hears_it(store: SoundStore, folder: Path):
    write_wav(folder / "1.wav", tone(487, 0.5, level_dbfs=LEVEL))
    music = open_music(store, folder)
    before = music.frame(8000)
    store.advance()
    for _ in range(100):
        store.advance()
    following = music.frame(8000)
    again = SoundStore()
    copy = open_music(again, folder)
    assert (listen(again, copy, 2)[160:] == following).all()
    assert not np.array_equal(before, following)


def test_files_are_heard_at_one_level(store: SoundStore, tmp_path: Path):
    write_wav(tmp_path / "1.wav", tone(997, 1.0, level_dbfs=-12))
    write_wav(tmp_path / "2.wav", tone(997, 1.0, level_dbfs=-34))
    music = open_music(store, tmp_path)
    first, second = (
        np.sqrt((listen(store, music, 50).astype(float) ** 2).mean()) for _ in range(2)
    )
    assert first == pytest.approx(second, rel=0.03)
    assert 20 * np.log10(first / 32768) == pytest.approx(-26, abs=1)


@pytest.mark.parametrize("ptime", [10, 30, 40, 50, 60])
@pytest.mark.parametrize("name", ["PCMA", "G722", "opus"])
def test_other_packet_times_are_whole_and_shared(
    store: SoundStore, tmp_path: Path, ptime: int, name: str
):
    codec = ARRAY_CODECS[name]
    write_wav(tmp_path / "a.wav", tone(600, 2.0, level_dbfs=LEVEL))
    listeners = [Playback(n, [store.open(f"music:{tmp_path}")]) for n in range(4)]
    got: list[list[bytes]] = [[] for _ in listeners]
    for tick in range(60):
        for number, listener in enumerate(listeners):
            if tick >= number:  # each has its own moment
                for _ in range(listener.due(20, ptime)):
                    payload = listener.next_payload(codec, ptime)
                    assert payload is not None
                    got[number].append(payload)
        store.advance()
    assert store.music_frames <= 60 * 20 // ptime + 5
    for packets in got:
        states = [codec.decoder()]
        heard = np.concatenate([codec.decode(states, [packet])[0] for packet in packets])
        settled = heard[-codec.rate // 2 :].astype(float)
        levels = np.sqrt((settled.reshape(-1, codec.rate // 100) ** 2).mean(axis=1))
        assert levels.min() > 0.7 * levels.mean()
        assert pitch(settled, codec.rate) == 600


def test_a_packet_stream_that_nobody_wants_is_given_up(store: SoundStore, folder: Path):
    music = open_music(store, folder)
    Playback(1, [music]).next_payload(PCMA, 30)
    for _ in range(PATIENCE + 5):
        store.advance()
    coded = store.music_frames
    store.advance()
    assert store.music_frames == coded


def test_a_file_that_cannot_be_played_is_passed_over(store: SoundStore, folder: Path):
    (folder / "0.wav").write_text("not sound")
    write_wav(folder / "00.wav", Sound(np.zeros(0, np.int16), 8000))
    assert pitch(listen(store, open_music(store, folder), 25)) == 500


def test_a_folder_that_vanishes_falls_silent_and_is_opened_anew(store: SoundStore, folder: Path):
    music = open_music(store, folder)
    listen(store, music, 1)
    files = sorted(folder.iterdir())
    kept = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    folder.rmdir()
    heard = listen(store, music, 60)
    assert heard[:3800].any()
    assert not heard[-160:].any()
    assert music.ended
    with pytest.raises(Refused):
        store.open(f"music:{folder}")
    folder.mkdir()
    for file, body in zip(files, kept, strict=True):
        file.write_bytes(body)
    assert pitch(listen(store, open_music(store, folder), 25)) == 500


def test_no_music_is_refused_in_one_sentence(store: SoundStore, tmp_path: Path):
    with pytest.raises(Refused, match=r"holds no sound; put WAV files there$"):
        store.open(f"music:{tmp_path}")
    with pytest.raises(Refused, match=r"no.wav cannot be read: No such file or directory$"):
        store.open(f"music:{tmp_path / 'no.wav'}")
    (tmp_path / "text.wav").write_text("not sound")
    with pytest.raises(Refused, match=r"text.wav is not a WAV file; save it as one"):
        store.open(f"music:{tmp_path}")


def test_a_name_that_cannot_be_is_refused(store: SoundStore):
    with pytest.raises(Refused, match=r"cannot be read: File name too long$"):
        store.open("music:" + "x" * 300)


def test_a_file_that_is_cut_while_it_plays_makes_room_for_the_next(store: SoundStore, folder: Path):
    music = open_music(store, folder)
    listen(store, music, 5)
    with (folder / "1.wav").open("r+b") as file:
        file.truncate(2000)
    listen(store, music, 15)
    assert pitch(listen(store, music, 5)) == 900
