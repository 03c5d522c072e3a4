"""Section `voicemail`: boxes, and what of them is not acted on yet."""

from __future__ import annotations

import pytest

from tests.kit.broken import loaded, mistake, problems

PROMPT = "prompts: {p: {zh: 请留言。}}\n"


def test_a_box_is_read_whole() -> None:
    box = loaded(
        PROMPT + "voicemail: {s: {mail: a@b.example, greeting: p, call_mobile: ['138', '139'],"
        " repeat: 5m}}"
    ).voicemail["s"]
    assert (box.mail, box.greeting) == ("a@b.example", "p")
    assert (box.call_mobile, box.repeat_s) == (("138", "139"), 300.0)


def test_a_box_needs_nothing() -> None:
    assert loaded("voicemail:\n  s:\n").voicemail["s"].mail is None


def test_calling_a_mobile_is_a_warning() -> None:
    found = problems("voicemail:\n  s: {call_mobile: '138', repeat: 5m}\n")
    assert [str(problem) for problem in found] == [
        "d.yaml:3:7 W029 voicemail.s: call_mobile is not acted on yet",
        "d.yaml:3:27 W029 voicemail.s: repeat is not acted on yet",
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("mail: ▸me", 'E005 voicemail.s mail: "me" is no mail address'),
        ("greeting: ▸p", 'E014 voicemail.s greeting: unknown prompt "p" — write it under prompts'),
        ("▸mails: a@b", 'E002 unknown key "mails" in voicemail.s — did you mean "mail"?'),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, words: str) -> None:
    assert words in mistake(f"voicemail:\n  s: {{{keys}}}\n")
