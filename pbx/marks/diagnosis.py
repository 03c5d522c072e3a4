"""A YAML syntax error → the line that caused it and what to do about it.

YAML reports where it could not go on, which is often a line later than the mistake: a full-width
colon typed with a Chinese input method makes its whole line part of the next. Each finder below
looks for one habit of real people near the reported line; the first that finds something explains
the error, and the parser's own words are the last resort.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from pbx.marks.problem import SYNTAX, Problem

NO_VALUE_HERE = "mapping values are not allowed"  # the parser's words
NO_COLON = "could not find expected ':'"
LOOK_BACK = 4  # lines above the reported one in which the cause is looked for

FULL_WIDTH_COLON = re.compile(
    r"""^\s*(?:-\s+)?(?:"[^"]*"\s*|'[^']*'\s*|[^\s"'#:：][^"'#:：]*)(：)"""
)
CURLY_QUOTE = re.compile(r"""(?:[:：,\[{-]\s*|^\s*)([“”‘’])""")
GLUED_COLON = re.compile(r"""^\s*(?:-\s+)?(?:"[^"]*"|'[^']*'|[^\s"'#:]+)(:)[^\s:]""")
HAS_COLON = re.compile(r":(?:\s|$)")
INNER_KEY = re.compile(r":\s+([a-z_]+):\s")


@dataclass(frozen=True, slots=True)
class _Report:
    """What the parser said, with lines and columns counted from 0."""

    lines: list[str]
    line: int
    column: int
    context: str
    context_line: int
    context_column: int
    problem: str

    def near(self) -> Iterator[tuple[int, str]]:
        """Yield the reported line and those above it, nearest first."""
        last = min(self.line, len(self.lines) - 1)
        for number in range(last, max(-1, last - LOOK_BACK), -1):
            yield number, self.lines[number]


Finding = tuple[int, int, str, str | None]
"""Line and column from 0, sentence, suggestion."""


def diagnose(text: str, error: yaml.YAMLError, file: str) -> Problem:
    """Explain `error`, raised while `text` was parsed."""
    report = _report(text, error)
    for find in _FINDERS:
        if finding := find(report):
            line, column, sentence, suggestion = finding
            return Problem(SYNTAX, file, line + 1, column + 1, sentence, suggestion)
    return Problem(SYNTAX, file, report.line + 1, report.column + 1, report.problem)


def full_width_colon(line: str) -> int | None:
    """Return the column, from 0, of a full-width colon that stands where YAML wants `: `."""
    found = FULL_WIDTH_COLON.match(line)
    return found.start(1) if found else None


def _report(text: str, error: yaml.YAMLError) -> _Report:
    lines = text.splitlines() or [""]
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1)
        return _Report(
            lines, line, column, "", line, column, "a character that YAML does not allow"
        )
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    context_mark = getattr(error, "context_mark", None) or mark
    return _Report(
        lines,
        mark.line if mark else 0,
        mark.column if mark else 0,
        getattr(error, "context", None) or "",
        context_mark.line if context_mark else 0,
        context_mark.column if context_mark else 0,
        getattr(error, "problem", None) or str(error),
    )


def _unclosed_quote(report: _Report) -> Finding | None:
    if "quoted scalar" not in report.context or "end of" not in report.problem:
        return None
    sentence = "this quote is never closed"
    return report.context_line, report.context_column, sentence, "add the closing quote"


def _unknown_escape(report: _Report) -> Finding | None:
    if "unknown escape" not in report.problem:
        return None
    sentence = "a backslash in double quotes starts an escape that YAML does not know"
    return report.line, report.column, sentence, "use single quotes"


def _tab(report: _Report) -> Finding | None:
    for number, line in report.near():
        indentation = line[: len(line) - len(line.lstrip())]
        if "\t" in indentation:
            return number, indentation.index("\t"), "a tab in the indentation", "use spaces"
    return None


def _full_width(report: _Report) -> Finding | None:
    for number, line in report.near():
        column = full_width_colon(line)
        if column is not None:
            return number, column, "a full-width colon ：", 'write ": " (colon and space)'
    return None


def _full_width_comma(report: _Report) -> Finding | None:
    if "flow" not in report.context:
        return None
    for number, line in report.near():
        if "，" in line:
            return number, line.index("，"), "a full-width comma ，", 'write ", "'
    return None


def _curly_quote(report: _Report) -> Finding | None:
    for number, line in report.near():
        if found := CURLY_QUOTE.search(line):
            return number, found.start(1), f"a curly quote {found[1]}", "write \" or '"
    return None


def _value_in_brackets(report: _Report) -> Finding | None:
    if "flow" not in report.context:
        return None
    for number, line in report.near():
        if found := re.search(r"[\[,]\s*(\$\{)", line):
            return number, found.start(1), "${…} inside [ ] needs quotes", 'write "${…}"'
    return None


def _unclosed_bracket(report: _Report) -> Finding | None:
    if "flow" not in report.context:
        return None
    last = min(report.context_line, len(report.lines) - 1)
    for number in range(last, -1, -1):
        end = report.context_column + 1 if number == report.context_line else None
        column = max(report.lines[number].rfind(bracket, 0, end) for bracket in "[{")
        if column >= 0:
            bracket = report.lines[number][column]
            return number, column, f"this {bracket} is never closed, or a comma is missing", None
    return None


def _reserved_character(report: _Report) -> Finding | None:
    found = re.search(r"found character '(.)' that cannot start", report.problem)
    if not found:
        return None
    sentence = f"a value cannot begin with {found[1]} unless it is quoted"
    return report.line, report.column, sentence, "put it in quotes"


def _glued_colon(report: _Report) -> Finding | None:
    for number, line in report.near():
        found = GLUED_COLON.match(line)
        if found and ": " not in line and not line.rstrip().endswith(":"):
            return number, found.start(1), "no space after the colon", 'write ": "'
    return None


def _two_colons(report: _Report) -> Finding | None:
    if NO_VALUE_HERE not in report.problem:
        return None
    line = report.lines[report.line] if report.line < len(report.lines) else ""
    if ": " not in line[: report.column]:
        return None
    sentence, suggestion = "a second colon on one line", "put the value in quotes"
    if found := INNER_KEY.search(line):
        suggestion = f"put a text in quotes, keys in braces: {{{found[1]}: …}}"
    return report.line, report.column, sentence, suggestion


def _missing_colon(report: _Report) -> Finding | None:
    if NO_COLON in report.problem and report.context_line < len(report.lines):
        line = report.lines[report.context_line]
        column = len(line) - len(line.lstrip())
        return report.context_line, column, "no colon on this line", 'write "KEY:"'
    if NO_VALUE_HERE not in report.problem:
        return None
    here = report.lines[report.line] if report.line < len(report.lines) else ""
    for number, line in list(report.near())[1:]:
        word = line.lstrip(" -")
        column = len(line) - len(word)
        listed = line.lstrip().startswith("- ") and column != len(here) - len(here.lstrip())
        if word and not listed and not word.startswith("#") and not HAS_COLON.search(word):
            return number, column, "no colon on this line", 'write "KEY:"'
    return None


def _opened_before(report: _Report, quote: str) -> tuple[int, int] | None:
    """Return where a quote was opened that was taken for closed on the reported line."""
    if report.lines[report.line][: report.column].count(quote) % 2 == 0:
        return None
    for number, line in list(report.near())[1:]:
        if line.count(quote) % 2:
            return number, line.rindex(quote)
    return None


def _bare_star(report: _Report) -> Finding | None:
    if "expected alphabetic or numeric character" not in report.problem:
        return None
    line = report.lines[report.line] if report.line < len(report.lines) else ""
    column = max(0, report.column - 1)
    if line[column : column + 1] not in ("*", "&"):
        return None
    sentence = f"{line[column]} without quotes is not a text in YAML"
    return report.line, column, sentence, f'quote it: "{line[column]}"'


def _behind_quote(report: _Report) -> Finding | None:
    line = report.lines[report.line] if report.line < len(report.lines) else ""
    if "but found" not in report.problem or not line[: report.column].rstrip().endswith(("'", '"')):
        return None
    if opened := _opened_before(report, line[: report.column].rstrip()[-1]):
        return *opened, "this quote is never closed", "add the closing quote"
    sentence = "words behind a closing quote"
    return report.line, report.column, sentence, "put the whole value in quotes of the other kind"


def _indentation(report: _Report) -> Finding | None:
    signs = ("block end", "document start", NO_VALUE_HERE)
    if "block collection" not in report.context and not any(s in report.problem for s in signs):
        return None
    sentence = "this line does not fit the lines above it"
    return report.line, report.column, sentence, "give lines of one block the same indentation"


_FINDERS: tuple[Callable[[_Report], Finding | None], ...] = (
    _unclosed_quote,
    _unknown_escape,
    _tab,
    _full_width,
    _full_width_comma,
    _curly_quote,
    _value_in_brackets,
    _unclosed_bracket,
    _reserved_character,
    _glued_colon,
    _two_colons,
    _missing_colon,
    _bare_star,
    _behind_quote,
    _indentation,
)
