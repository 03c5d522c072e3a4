from itertools import cycle

import numpy as np
import pytest

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.sounds.clip import UNIT_MS, Clip, Frame, Shelf, Source
from pbx.media.sounds.reel import FRAME, Reel

PCMU, OPUS = ARRAY_CODECS["PCMU"], ARRAY_CODECS["opus"]


class Level(Source):
    """So many samples of 8 kHz of one level."""

    def __init__(self, level: int, samples: int) -> None:
        self.level = level
        self.samples = samples

    def read(self, unit: int, rate: int) -> Frame:
        size = rate * UNIT_MS // 1000
        places = np.arange(size) + unit * size
        return np.where(places < self.samples * rate // 8000, self.level, 0).astype(np.int16)


def level(level: int, samples: int) -> Clip:
    return Clip(Level(level, samples), Shelf(), samples * 2)


def runs(reel: Reel, rate: int = 8000, most: int = 20) -> list[tuple[int, int]]:
    """Return what a reel plays as (level, samples) in turn."""
    frames = []
    while len(frames) < most and (frame := reel.frame(rate)) is not None:
        frames.append(frame)
        reel.move(FRAME)
    heard = np.concatenate(frames)
    parts = np.split(heard, np.flatnonzero(np.diff(heard)) + 1)
    return [(int(part[0]), len(part)) for part in parts]


def test_clips_follow_each_other_within_a_frame_and_the_end_is_filled_up():
    reel = Reel(iter([level(1, 200), level(2, 7), level(3, 100)]))
    assert runs(reel) == [(1, 200), (2, 7), (3, 100), (0, 13)]
    assert reel.ended
    assert reel.frame(8000) is None
    assert reel.payload(PCMU, 20) is None


def test_the_wider_rate_has_the_same_borders():
    reel = Reel(iter([level(1, 200), level(2, 7), level(3, 100)]))
    assert runs(reel, 16000) == [(1, 400), (2, 14), (3, 200), (0, 26)]


def test_clips_of_no_length_do_not_count():
    reel = Reel(iter([level(1, 0), level(2, 160), level(3, 0), level(4, 0), level(5, 160)]))
    assert runs(reel) == [(2, 160), (5, 160)]


def test_a_round_goes_on_for_ever():
    reel = Reel(cycle([level(1, 3), level(2, 4)]))
    assert runs(reel)[:4] == [(1, 3), (2, 4), (1, 3), (2, 4)]
    assert not reel.ended


def test_looking_does_not_move():
    reel = Reel(iter([level(1, 100), level(2, 500)]))
    for _ in range(3):
        frame = reel.frame(8000)
        assert frame is not None
        assert frame.sum() == 100 + 2 * 60


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
def test_payloads_follow_each_other_like_frames(ptime: int):
    reel = Reel(iter([level(1000, 200), level(3000, 7), level(5000, 700)]))
    coded = b""
    while (payload := reel.payload(PCMU, ptime)) is not None:
        assert len(payload) == ptime * 8
        coded += payload
        reel.move(ptime * 16)
    one, two, three = (
        PCMU.encode(None, np.full((1, 1), loud, np.int16))[0] for loud in (1000, 3000, 5000)
    )
    assert coded.rstrip(bytes((PCMU.silence,))) == one * 200 + two * 7 + three * 700


def test_a_packet_that_cannot_be_cut_ends_its_clip_in_silence():
    reel = Reel(iter([level(1000, 200), level(2000, 160)]))
    durations = []
    while (packet := reel.payload(OPUS, 20)) is not None:
        durations.append(OPUS.duration_ms(packet))
        reel.move(FRAME, whole=True)
    assert durations == [20, 20, 20]


def test_one_clip_may_be_skipped():
    reel = Reel(iter([level(1, 1000), level(2, 160)]))
    reel.move(FRAME)
    reel.skip()
    assert runs(reel) == [(2, 160)]
    reel.skip()
    assert reel.ended
