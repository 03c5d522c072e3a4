"""Section `prompts`: texts and files per language."""

from __future__ import annotations

import pytest

from pbx.plan.model import PromptFile, PromptText
from tests.kit.broken import loaded, mistake


def test_a_prompt_is_a_text_or_a_file_in_each_language() -> None:
    prompt = loaded(
        "prompts:\n  p: {en: Press 1. Or 2.wav or not, yue: sounds/a.WAV, zh: '${x:date}。'}\n"
    ).prompts["p"]
    assert list(prompt.spoken) == ["zh", "yue", "en"]
    spoken = prompt.spoken
    assert isinstance(spoken["zh"], PromptText)
    assert spoken["zh"].text.names == {"x"}
    assert isinstance(spoken["en"], PromptText)
    assert spoken["yue"] == PromptFile("sounds/a.WAV", spoken["yue"].mark)
    assert (spoken["yue"].mark.line, spoken["yue"].mark.column) == (3, 42)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("▸p:", "E015 prompts.p has neither text nor file in any language — write {zh: TEXT}"),
        ("▸p: {}", "E015 prompts.p has neither"),
        ("p: ▸您好", "E005 prompts.p must hold lines of KEY: VALUE — KEY is zh, yue or en"),
        ("p: {▸cn: 您好}", 'E002 unknown key "cn" in prompts.p — write zh, yue or en'),
        ("p: {zh: ▸../a.wav}", "is outside of the office's folder — put the file under sounds/"),
        ("p: {zh: ▸/etc/a.wav}", "is outside of the office's folder"),
        ('p: {zh: ▸"${a b}"}', "names no value; write ${name}"),
        ('p: {zh: ▸"${a:data}"}', 'has the unknown format ":data"'),
        ('p: {zh: ▸"${secret.crm}"}', "E005 prompts.p zh: ${secret.crm} may stand only in"),
        ("p: {zh: ▸{caller}}", 'did you mean "${caller}"?'),
        ('p: {zh: ▸"  "}', "E005 prompts.p zh is empty"),
        (
            "▸my prompt: {zh: a}",
            'E005 prompts: "my prompt" cannot be a name here — write my_prompt',
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(line: str, words: str) -> None:
    assert words in mistake(f"prompts:\n  {line}\n")
