"""Section `features`: other codes, and names of features that are not there yet."""

from __future__ import annotations

import pytest

from pbx.plan.vocabulary import LATER_FEATURES
from tests.kit.broken import loaded, mistake


def test_features_have_the_codes_that_the_file_says() -> None:
    assert loaded('features: {echo: "*44", voicemail: 97}').features == {
        "echo": "*44",
        "voicemail": "97",
    }


def test_agents_codes_have_shorter_names_too() -> None:
    plan = loaded('features: {login: "*51", pause: "*52", agent_ready: "*53"}')
    assert plan.features == {"agent_login": "*51", "agent_pause": "*52", "agent_ready": "*53"}


@pytest.mark.parametrize("name", LATER_FEATURES)
def test_later_features_are_warned_of(name: str) -> None:
    assert mistake(f'features:\n  ▸{name}: "*8"\n') == f"W029 features: {name} is not acted on yet"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("▸ecko: 1", 'E002 unknown feature "ecko" — did you mean "echo"?'),
        ("echo: ▸x", 'E005 features.echo: "x" is no code; write digits, * and #'),
        ("echo:▸", "E005 features.echo is missing"),
        ("echo: 1\n  time: ▸1", "E010 features: time and echo have one code, 1"),
        ("login: 1\n  agent_pause: ▸1", "E010 features: agent_pause and login have one code, 1"),
    ],
)
def test_a_mistake_is_told_where_it_stands(line: str, words: str) -> None:
    assert words in mistake(f"features:\n  {line}\n")
