"""callpbx's own phrases: three languages each, the same values in all, spoken."""

from __future__ import annotations

import pytest

from pbx.speech.phrases import PLACE, PLURAL, fixed, phrase
from pbx.speech.saying import Saying
from pbx.speech.values import FORMATS, LANGUAGES
from pbx.speech.wordings import PHRASES, Row
from tests.speech.golden import NOW
from tests.speech.test_values import CODINGS

VALUES = {"number": "101", "count": "3", "index": "2", "when": "2026-09-28T15:30", "key": "1"}


@pytest.mark.parametrize("name", sorted(PHRASES))
def test_every_language_has_the_same_places(name: str) -> None:
    row = PHRASES[name]
    names = [{place[1] for place in PLACE.finditer(words)} for words in row]
    assert names[0] == names[1] == names[2]
    for words in row:
        assert words.strip()
        assert "{" not in PLACE.sub("", words)
        for place in PLACE.finditer(words):
            assert place[2] in (None, PLURAL, *FORMATS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_is_written_in_the_characters_of_its_language(language: str) -> None:
    for name, row in PHRASES.items():
        words = PLACE.sub("", getattr(row, language))
        assert words.encode(CODINGS[language]), name
        assert words.isascii() == (language == "en"), name


def test_no_two_phrases_of_a_language_are_the_same() -> None:
    for words in zip(*PHRASES.values(), strict=True):
        assert len(set(words)) == len(words)


def test_a_phrase_is_a_saying_that_a_file_of_the_office_may_replace() -> None:
    assert phrase("goodbye", "yue") == Saying(
        "yue", words="多謝你嘅來電，再見。", name="goodbye", phrase=True
    )


def test_an_unknown_language_is_spoken_to_in_mandarin() -> None:
    assert phrase("please-wait", "fr") == phrase("please-wait", "zh")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", "第二条，共三条，今天下午三点半收到，来自幺零幺。"),
        ("yue", "第二個，總共三個，今日下晝三點半收到，由一零一打嚟。"),
        ("en", "Message two of three, received today at three thirty p.m., from one zero one."),
    ],
)
def test_values_are_spoken(language: str, words: str) -> None:
    values = {name: VALUES[name] for name in ("index", "count", "when", "number")}
    assert phrase("message-heading", language, now=NOW, **values).words == words


@pytest.mark.parametrize(
    ("new", "old", "zh", "en"),
    [
        ("0", "1", "您有零条新留言，一条已保存的留言。", "no new messages and one saved message."),
        (
            "2",
            "2",
            "您有两条新留言，两条已保存的留言。",
            "two new messages and two saved messages.",
        ),
    ],
)
def test_what_is_counted_agrees_with_its_number(new: str, old: str, zh: str, en: str) -> None:
    assert phrase("you-have", "zh", new=new, old=old).words == zh
    assert phrase("you-have", "en", new=new, old=old).words == f"You have {en}"


def test_a_sentence_has_one_full_stop() -> None:
    assert phrase("time-is", "en", when="09:30").words == "The time is nine thirty a.m."
    assert phrase("time-is", "en", when="00:00").words == "The time is midnight."


def test_a_value_is_never_read_as_a_phrase() -> None:
    words = phrase("confirm-call", "en", group="{key} {group}", key="*").words
    assert words == "A call for {key} {group}. Press * to take it."


def test_a_missing_phrase_or_value_is_a_defect() -> None:
    with pytest.raises(KeyError, match="no-such-phrase"):
        phrase("no-such-phrase", "zh")
    with pytest.raises(KeyError, match="number"):
        phrase("your-number-is", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_fixed_phrases_are_those_without_values(language: str) -> None:
    names = {saying.name for saying in fixed(language)}
    assert {"goodbye", "conference-pin", "message-menu"} <= names
    assert not names & {"time-is", "you-have", "message-heading"}
    assert all(saying.phrase and saying.language == language for saying in fixed(language))


def test_rows_are_in_the_order_of_the_languages() -> None:
    assert Row._fields == tuple(LANGUAGES)


def test_the_reasons_of_a_conferences_door_all_have_a_phrase() -> None:
    for reason in ("pin", "wrong-pin", "pin-locked", "name", "locked", "full"):
        assert f"conference-{reason}" in PHRASES
