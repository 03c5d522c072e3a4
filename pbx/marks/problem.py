"""What is wrong in a file that a user wrote: a stable code, a place, one sentence and, where one is
known, the way out.

Codes beginning with E stop a file from being used, those with W do not. They are listed in
docs/dialplan.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from pbx.errors import ConfigError

SYNTAX = "E001"
UNKNOWN_KEY = "E002"
DUPLICATE_KEY = "E003"
LOST_KEY = "E004"
WRONG_TYPE = "E005"
TWO_STEPS = "E006"
OVERLAP = "E010"
KEY_IS_EXTENSION = "E011"
UNKNOWN_VARIABLE = "E012"
UNSAFE_SQL = "E013"
UNDEFINED = "E014"
NO_PROMPT = "E015"
MISSING_OUTCOME = "E016"
ENDLESS = "E017"
NO_EMERGENCY = "E018"
TEST_FAILED = "E019"
UNREACHABLE = "W020"
MENU_HABITS = "W021"
PROMPT_LANGUAGE = "W022"
HOURS_HABITS = "W023"
LOOKUP_BEFORE_ANSWER = "W024"
NO_AGENT = "W025"
NO_EMERGENCY_LINE = "W026"
NOT_CONFIGURED = "W027"
KEY_WAITS = "W028"
NOT_ACTED_ON = "W029"
FLOW_ENDS = "W030"


LONGEST: Final = 300
"""Characters of a sentence; what a file holds may be much longer than anybody reads."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `line` and `column` count from 1; sentence and suggestion are cut in their
    middle where they quote too much."""

    code: str
    file: str
    line: int
    column: int
    sentence: str
    suggestion: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentence", _cut(self.sentence))
        if self.suggestion is not None:
            object.__setattr__(self, "suggestion", _cut(self.suggestion))

    @property
    def severity(self) -> Literal["error", "warning"]:
        """Tell whether the file can be used in spite of it."""
        return "error" if self.code.startswith("E") else "warning"

    @property
    def text(self) -> str:
        """Return the sentence with its code and suggestion, without the place."""
        ending = f" — {self.suggestion}" if self.suggestion else ""
        return f"{self.code} {self.sentence}{ending}"

    def error(self) -> ConfigError:
        """Return the exception that says the same."""
        return ConfigError(self.text, file=self.file, line=self.line, column=self.column)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} {self.text}"


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    kept = LONGEST // 2
    return f"{text[:kept]} … {text[-kept:]}"


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean "…"?` with the nearest of `known`, None where nothing is near."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else None
