import weakref
from collections import Counter

import numpy as np
import pytest

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.sounds.clip import (
    ENDLESS,
    PER_MS,
    UNIT,
    UNIT_MS,
    Clip,
    Frame,
    Shelf,
    Silence,
    Source,
    repeats_after,
)

PCMU = ARRAY_CODECS["PCMU"]


class Counting(Source):
    """Samples that count up from 0; counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[int, int]] = Counter()

    def read(self, unit: int, rate: int) -> Frame:
        self.asked[unit, rate] += 1
        size = rate * UNIT_MS // 1000
        return (np.arange(size) + unit * size).astype(np.int16)


def clip_of(source: Source, shelf: Shelf | None = None, *, repeats: int | None = None) -> Clip:
    return Clip(source, shelf or Shelf(), ENDLESS, repeats=repeats)


def test_a_unit_is_made_once_for_each_rate():
    source = Counting()
    clip = clip_of(source)
    for _ in range(3):
        for rate in (8000, 16000):
            clip.samples(rate).unit(2)
    assert source.asked == {(2, 8000): 1, (2, 16000): 1}


def test_a_cut_may_lie_across_units():
    track = clip_of(Counting()).samples(8000)
    assert track.cut(UNIT - 320, UNIT + 320).tolist() == list(range(800, 1120))
    assert track.cut(0, 3 * UNIT).tolist() == list(range(2880))


def test_places_are_the_same_at_both_rates():
    source = Counting()
    clip = clip_of(source)
    assert clip.samples(8000).cut(320, 640)[0] == 160
    assert clip.samples(16000).cut(320, 640)[0] == 320


def test_what_is_shared_cannot_be_written_to():
    frame = clip_of(Counting()).samples(8000).cut(0, 320)
    with pytest.raises(ValueError, match="read-only"):
        frame[0] = 1


def test_a_clip_that_repeats_takes_no_more_units():
    source = Counting()
    clip = clip_of(source, repeats=3)
    track = clip.samples(8000)
    far = 1_000_000 * 3 * UNIT
    assert (track.cut(far + UNIT, far + 2 * UNIT) == track.cut(UNIT, 2 * UNIT)).all()
    assert sum(source.asked.values()) == 1


def test_octets_are_cut_where_samples_are():
    source = Counting()
    clip = clip_of(source)
    coded = clip.coded(PCMU, 20).cut(UNIT - 160, UNIT + 320)
    samples = clip.samples(8000).cut(UNIT - 160, UNIT + 320)
    assert coded == PCMU.encode(None, samples.reshape(1, -1))[0]


def test_packet_times_share_what_can_be_cut_and_not_what_cannot():
    source = Counting()
    clip = clip_of(source)
    opus = ARRAY_CODECS["opus"]
    assert clip.coded(PCMU, 20) is clip.coded(PCMU, 30)
    assert clip.coded(opus, 20) is not clip.coded(opus, 60)


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
def test_packets_that_cannot_be_cut_have_their_length(ptime: int):
    opus = ARRAY_CODECS["opus"]
    track = clip_of(Counting()).coded(opus, ptime)
    step = ptime * PER_MS
    packets = [track.cut(place, place + step) for place in range(0, 8 * UNIT, step)]
    assert {opus.duration_ms(packet) for packet in packets} == {ptime}


def test_a_stream_with_memory_is_as_if_it_were_coded_in_one_go():
    codec = ARRAY_CODECS["G722"]
    source = Counting()
    clip = clip_of(source)
    whole = clip.samples(16000).cut(0, 3 * UNIT)
    coded = codec.encode([codec.encoder()], whole.reshape(1, -1))[0]
    track = clip.coded(codec, 20)
    parts = [track.cut(place, place + 320) for place in range(0, 3 * UNIT, 320)]
    assert b"".join(parts) == coded


def test_a_stream_with_memory_that_begins_in_the_middle_hears_one_unit_before():
    source = Counting()
    clip = clip_of(source)
    clip.coded(ARRAY_CODECS["G722"], 20).unit(700)
    assert set(source.asked) == {(699, 16000), (700, 16000)}


def test_the_shelf_forgets_what_was_made_first():
    source, shelf = Counting(), Shelf(5 * 1920)
    clip = clip_of(source, shelf)
    track = clip.samples(8000)
    for number in range(8):
        track.unit(number)
    assert shelf.octets == 5 * 1920
    track.unit(7)
    track.unit(0)
    assert source.asked[7, 8000] == 1
    assert source.asked[0, 8000] == 2


def test_a_unit_too_large_for_the_shelf_is_played_all_the_same():
    track = clip_of(Counting(), Shelf(100)).samples(8000)
    assert track.cut(0, 320)[-1] == 159
    assert track.cut(320, 640)[-1] == 319


def test_silence_is_one_unit_whatever_its_length():
    clip = clip_of(Silence(), repeats=1)
    assert not clip.samples(8000).cut(500_000, 500_320).any()
    assert len(clip.samples(8000)._units) == 1


@pytest.mark.parametrize(("period", "units"), [(120, 1), (5000, 125), (700, 35), (1990, 199)])
def test_a_period_repeats_after_whole_units(period: int, units: int):
    assert repeats_after(period) == units
    assert units * UNIT_MS % period == 0


def test_a_clip_that_nobody_plays_is_gone_at_once():
    source = Counting()
    gone = weakref.ref(source)
    clip = clip_of(source)
    clip.coded(PCMU, 20).cut(0, 320)
    del clip, source
    assert gone() is None
