"""The table to review: every format, every language, nothing left as it was."""

from __future__ import annotations

import pytest

from pbx.plan.text import FORMATS
from pbx.speech.review import review
from pbx.speech.values import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_format_is_shown_in_words(language: str) -> None:
    table = review(language)
    assert {format for format, _, _ in table} == set(FORMATS)
    assert all(words != value for _, value, words in table)


def test_the_table_is_the_same_values_in_each_language() -> None:
    zh, yue, en = ([row[:2] for row in review(language)] for language in LANGUAGES)
    assert zh == yue == en
    assert ("number", "22222", "两万二千二百二十二") in review("zh")
