"""The log: a line for each record, whoever made it say what."""

from __future__ import annotations

import logging
import sys

from pbx.cli.log import OneLine


def line_of(message: str, *values: object, failed: BaseException | None = None) -> str:
    caught = None if failed is None else (type(failed), failed, failed.__traceback__)
    record = logging.LogRecord("pbx.x", logging.WARNING, "", 0, message, values, caught)
    return OneLine().format(record)


def test_what_comes_from_outside_makes_no_line_and_no_colour() -> None:
    line = line_of("call from %s", "Eve\r\n2026-11-22 00:00:00,000 ERROR pbx: fake\x1b[31m\x9b2J")
    assert line.endswith(
        " WARNING pbx.x: call from Eve··2026-11-22 00:00:00,000 ERROR pbx: fake·[31m·2J"
    )


def test_what_people_write_is_left() -> None:
    assert line_of("提示 %s", "张三 ≥ “x”").endswith("WARNING pbx.x: 提示 张三 ≥ “x”")


def test_a_traceback_is_indented_line_by_line() -> None:
    try:
        raise ValueError("a\n2026-11-22 00:00:00,000 ERROR pbx: fake\x1b[2J")
    except ValueError as error:
        lines = line_of("a defect", failed=error).splitlines()
    assert sys.exc_info() == (None, None, None)
    assert all(line.startswith("    ") for line in lines[1:])
    assert lines[-1] == "    2026-11-22 00:00:00,000 ERROR pbx: fake·[2J"
