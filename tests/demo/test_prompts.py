"""Prompts are known by their tones, in the order in which they were heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pbx.demo.prompts import Said, find_in_order, marked_prompts, said
from pbx.demo.tones import Sound, read_wav, tone

NAMES = ("en/welcome", "en/choices", "zh/welcome")


def joined(*sounds: Sound) -> Sound:
    return Sound(np.concatenate([sound.samples for sound in sounds]), sounds[0].rate)


def test_prompts_are_told_in_order_with_their_ends(tmp_path: Path) -> None:
    marks = marked_prompts(tmp_path, NAMES, seconds=0.5)
    files = {name: read_wav(tmp_path / "sounds" / f"{name}.wav") for name in NAMES}
    sound = joined(*(files[name] for name in ("en/choices", "zh/welcome", "zh/welcome")))
    found = said(sound, marks)
    assert [each.name for each in found] == ["en/choices", "zh/welcome", "zh/welcome"]
    assert [each.end_s for each in found] == pytest.approx([0.5, 1.3, 2.1])


def test_what_still_goes_on_and_what_is_no_prompt_is_left_out(tmp_path: Path) -> None:
    marks = marked_prompts(tmp_path, NAMES)
    (hz, *_) = marks
    assert said(tone(hz, 0.5), marks) == []
    assert said(joined(tone(1_000, 0.5), tone(hz, 0.5, level_dbfs=-60.0)), marks) == []


@pytest.mark.parametrize(
    ("names", "end"),
    [(["a", "b"], 2.0), (["b", "c"], 3.0), (["b"], 2.0), (["a", "c"], None), (["c", "a"], None)],
)
def test_prompts_are_found_one_right_after_the_other(names: list[str], end: float | None) -> None:
    found = [Said("a", 1.0), Said("b", 2.0), Said("c", 3.0)]
    last = find_in_order(found, names)
    assert (last and last.end_s) == end
