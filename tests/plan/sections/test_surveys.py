"""Section `surveys`: a question and what keys mean."""

from __future__ import annotations

import pytest

from tests.kit.broken import loaded, mistake

PROMPT = "prompts: {p: {zh: 请评分。}}\n"


def test_a_survey_is_read_whole() -> None:
    survey = loaded(
        PROMPT + "surveys: {s: {prompt: p, keys: {1: 满意, '#': no}, timeout: 5s, comment: yes}}"
    ).surveys["s"]
    assert (survey.prompt, survey.keys) == ("p", {"1": "满意", "#": "no"})
    assert (survey.timeout_s, survey.comment) == (5.0, True)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("prompt: ▸q, keys: {1: a}", 'E014 surveys.s prompt: unknown prompt "q" — did you mean'),
        ("prompt: p, keys: {▸12: a}", 'E005 surveys.s keys: "12" is no key of a phone'),
        ("prompt: p, keys: {1: ▸[]}", "E005 surveys.s keys 1 must be a text"),
        ("prompt: p, keys: ▸x", "E005 surveys.s keys must hold lines of KEY: VALUE"),
        ("prompt: p, keys: {1: a}, comment: ▸maybe", '"maybe" is neither yes nor no'),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, words: str) -> None:
    text = "prompts: {qq: {zh: a}, p: {zh: a}}\nsurveys:\n  s: {" + keys + "}\n"
    assert words in mistake(text)
