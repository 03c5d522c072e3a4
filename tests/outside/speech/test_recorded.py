"""Recorded words in place of a voice, from a folder laid out as Debian's prompt packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.outside.speech.recorded import recorded_words
from pbx.speech.saying import Saying
from pbx.speech.values import spoken
from tests.outside.speech.kit import write_wav

ALLISON = Path("/usr/share/asterisk/sounds/en_US_f_Allison")

WORDS = (
    *("vm-goodbye", "digits/3", "digits/20", "digits/h-20", "digits/mon-8", "digits/thousand"),
    *("letters/a", "hello", "digits/0"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a few words."""
    for word in WORDS:
        write_wav(tmp_path / f"{word}.wav")
    return tmp_path


def said(folder: Path, saying: Saying) -> list[str]:
    """Return the files that say it, without folder and suffix."""
    found = recorded_words(folder, saying)
    return [path.relative_to(folder).with_suffix("").as_posix() for path in found]


def test_a_phrase_is_the_file_of_its_name(folder: Path) -> None:
    assert said(folder, Saying("en", words="Bye now!", name="vm-goodbye")) == ["vm-goodbye"]


def test_a_value_is_said_word_by_word(folder: Path) -> None:
    assert said(folder, Saying("en", words="Twenty-three thousand.")) == [
        "digits/20",
        "digits/3",
        "digits/thousand",
    ]
    assert said(folder, Saying("en", words="September twentieth")) == [
        "digits/mon-8",
        "digits/h-20",
    ]
    assert said(folder, Saying("en", words="hello A 3")) == ["hello", "letters/a", "digits/3"]


def test_where_one_word_is_missing_none_is_said(folder: Path) -> None:
    assert said(folder, Saying("en", words="three apples")) == []
    assert said(folder, Saying("en", words="")) == []
    assert said(folder / "letters", Saying("en", words="../hello")) == []
    assert said(folder / "letters", Saying("en", name="../hello", words="x")) == []


@pytest.mark.skipif(not ALLISON.exists(), reason="apt-get install asterisk-core-sounds-en-wav")
def test_debians_words_say_numbers_and_days() -> None:
    for value, format in (("4711", "number"), ("10086", "digits"), ("2026-10-01", "date")):
        saying = Saying("en", words=spoken(value, format, "en"))
        assert recorded_words(ALLISON, saying), saying.words
    assert recorded_words(ALLISON, Saying("en", name="vm-goodbye"))
