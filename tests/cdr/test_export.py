"""Records as CSV and JSON lines, read back by the readers that others use."""

from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest

from pbx.cdr.export import COLUMNS, csv_header, csv_line, json_line
from pbx.cdr.record import CallRecord
from tests.cdr.story import Story, plain_call


def read(*records: CallRecord) -> list[dict[str, str]]:
    text = csv_header() + "".join(map(csv_line, records))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_header_and_a_line_for_each_call() -> None:
    rows = read(plain_call("a").record(), plain_call("b").record())
    assert [row["id"] for row in rows] == ["a", "b"]
    assert list(rows[0]) == list(COLUMNS)


def test_a_csv_line_says_what_the_record_says() -> None:
    (row,) = read(plain_call().record())
    assert row["started_at"] == "2026-11-21T08:00:00.123Z"
    assert (row["caller_number"], row["caller_name"], row["called_number"]) == (
        "101",
        "Alice",
        "102",
    )
    assert (row["talk_s"], row["cause"], row["path"]) == ("10.2", "16", "ext:102")
    assert (row["queue"], row["survey"], row["mos_min"]) == ("", "", "4.41")


def test_a_survey_is_its_name_and_the_key() -> None:
    asked = Story().started().answered().asked("csat")
    (row,) = read(asked.left("caller").over().record())
    assert row["survey"] == "csat:"
    answered = Story().started().answered().asked("csat").rates("csat", "2", "fair")
    (row,) = read(answered.left("caller").over().record())
    assert row["survey"] == "csat:2"


def test_commas_quotes_and_line_ends_in_a_name_stay_in_their_cell() -> None:
    name = 'Müller, "Ann"\r\n王'
    (row,) = read(Story().began(name=name).over("failed", "x").record())
    assert row["caller_name"] == name


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("+8613800138000", "+8613800138000"),
        ("-5", "-5"),
        ("Ann = Bea", "Ann = Bea"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(name: str, cell: str) -> None:
    (row,) = read(Story().began(name=name).over("failed", "x").record())
    assert row["caller_name"] == cell


def test_an_absent_name_is_an_empty_cell() -> None:
    (row,) = read(Story().began(name=None).over("failed", "x").record())
    assert (row["caller_name"], row["answered_at"], row["mos_min"]) == ("", "", "")


def test_a_json_line_is_the_record() -> None:
    record = plain_call().record()
    line = json_line(record)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert json.loads(line) == json.loads(msgspec.json.encode(record))
