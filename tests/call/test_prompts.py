"""Prompts become sayings: the caller's language, or the first that there is."""

from __future__ import annotations

import pytest

from pbx.call.prompts import prompt_saying
from pbx.plan.model import Prompt, PromptFile, PromptText
from pbx.plan.text import parse_text
from pbx.speech.saying import Saying

PROMPT = Prompt(
    "closed",
    {"zh": PromptFile("closed/zh.wav"), "en": PromptText(parse_text("Closed, ${name}."))},
)


@pytest.mark.parametrize(
    ("language", "saying"),
    [
        ("zh", Saying("zh", path="closed/zh.wav", name="closed")),
        ("yue", Saying("zh", path="closed/zh.wav", name="closed")),
        ("en", Saying("en", words="Closed, .", name="closed")),
    ],
)
def test_a_prompt_is_said_in_a_language_that_it_has(language: str, saying: Saying) -> None:
    assert prompt_saying(PROMPT, language) == saying


def test_values_are_put_in_by_whoever_knows_them() -> None:
    said = prompt_saying(PROMPT, "en", lambda text, _: text.fill({"name": "Ann"}))
    assert said == Saying("en", words="Closed, Ann.", name="closed")


def test_a_prompt_without_words_says_nothing() -> None:
    assert prompt_saying(Prompt("empty", {}), "zh") is None
