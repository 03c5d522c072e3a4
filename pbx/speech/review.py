"""A table of values in words, for somebody who speaks the language to read or hear through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pbx.speech.values import spoken

NOW: Final = datetime(2026, 9, 28, 10, 0, tzinfo=UTC)
"""When the table is spoken."""

_VALUES: Final = (
    *(("number", value) for value in ("0", "2", "10", "12", "20", "22", "101", "110", "200")),
    *(("number", value) for value in ("1001", "1010", "2002", "2200", "10010", "22222")),
    *(("number", value) for value in ("100000", "102000", "200000000", "-5", "3.14")),
    *(("digits", value) for value in ("101", "10086", "13800138000", "+85221234567", "*97")),
    *(("money", value) for value in ("2", "12.50", "0.05", "250.05", "HKD 200", "USD 2.20")),
    *(("date", value) for value in ("2026-09-27", "2026-09-28", "2026-09-29", "2026-10-01")),
    *(("date", value) for value in ("2026-12-22", "2027-02-02")),
    *(("time", value) for value in ("00:00", "02:05", "07:15", "09:30", "12:00", "14:02")),
    *(("time", value) for value in ("19:45", "22:22")),
    *(("datetime", value) for value in ("2026-09-28 09:05", "2026-10-08 18:30")),
)


def review(language: str) -> list[tuple[str, str, str]]:
    """Return rows of format, value and its words in `language`, as said at `NOW`."""
    return [(format, value, spoken(value, format, language, now=NOW)) for format, value in _VALUES]
