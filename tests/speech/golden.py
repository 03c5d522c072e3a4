"""Tables of values and their words: one row a line, `format | value | words`."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 9, 28, 10, 0, tzinfo=UTC)
"""A Monday; when the words of all tables are said."""


def rows(table: str) -> list[tuple[str, str, str]]:
    """Return the rows of a table; an empty line parts nothing but the eye."""
    found = []
    for line in filter(str.strip, table.splitlines()):
        format, value, words = (part.strip() for part in line.split("|"))
        found.append((format, value, words))
    return found
