"""Prompts in the languages that callers may have."""

from __future__ import annotations

from dataclasses import replace

from tests.ivr.check.told import FACTS, sentences, told

TEXT = """numbers: {"400": {to: flow:door, language: yue}}
prompts:
  hello: {zh: 您好。, yue: sounds/hello.wav}
flows: {door: [say: hello, hangup]}
"""


def test_a_file_that_cannot_be_played_is_a_warning_while_another_language_can() -> None:
    facts = replace(FACTS, sounds=lambda path: f"there is no file {path}")
    assert sentences(TEXT, facts) == [
        "W022 prompts.hello cannot be played in yue: there is no file sounds/hello.wav"
    ]
    assert told(TEXT.replace("zh: 您好。, ", ""), facts) == ["E015:3"]


def test_what_was_recorded_by_phone_stands_in_for_a_file() -> None:
    recorded = "sounds/yue/hello.wav"
    facts = replace(FACTS, sounds=lambda path: None if path == recorded else "there is none")
    assert told(TEXT, facts) == []


def test_languages_are_those_that_callers_may_have() -> None:
    text = TEXT.replace("say: hello", "language: en, say: hello").replace(
        "{to: flow:door, language: yue}", "flow:door"
    )
    assert sentences(text) == ["W022 prompts.hello is missing in en — such callers hear zh"]
    maybe = text.replace("language: en", 'language: "${caller.name or \\"en\\"}"')
    assert told(maybe) == ["W022:3"]
    assert told(text.replace("language: en", 'language: "${caller.name}"')) == []


def test_a_prompt_said_in_one_language_alone_needs_no_other() -> None:
    text = TEXT.replace("say: hello", "say: {prompt: hello, language: zh}")
    assert told(text.replace(", yue: sounds/hello.wav", "")) == []
    assert told(text.replace("zh: 您好。, ", "")) == ["W022:3"]
