"""Texts in one language at a time, a sentence at a time."""

from __future__ import annotations

import pytest

from pbx.outside.speech.studio.texts import LONGEST, clauses, runs, sentences


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("普通话请按1。", [("zh", "普通话请按1。")]),
        (
            "粤语请按2，for English press 3。",
            [("zh", "粤语请按2，"), ("en", "for English press 3")],
        ),
        ("VIP客户请按1", [("en", "VIP"), ("zh", "客户请按1")]),
        ("A座12楼", [("en", "A"), ("zh", "座12楼")]),
        ("。，", []),
    ],
)
def test_english_words_in_a_chinese_text_are_runs_of_their_own(
    words: str, found: list[tuple[str, str]]
) -> None:
    assert runs(words, "zh") == found


def test_an_english_text_is_one_run() -> None:
    assert runs("Press 1 for 中文.", "en") == [("en", "Press 1 for 中文.")]
    assert runs("...", "en") == []


def test_sentences_end_at_their_signs_and_long_ones_at_commas() -> None:
    assert sentences("您好，欢迎。请按1！") == ["您好，欢迎。", "请按1！"]
    assert sentences("It is 3.14. Good: yes?") == ["It is 3.14.", "Good:", "yes?"]
    long = "a word, " * 20
    assert len(long) > LONGEST
    assert sentences(long) == ["a word,"] * 20
    assert sentences(" \n ") == []


def test_clauses_keep_the_sign_after_them() -> None:
    assert clauses("您好，欢迎。") == [("您好", ","), ("欢迎", ".")]
    assert clauses("It is 3.14, yes") == [("It is 3.14", ","), ("yes", "")]
