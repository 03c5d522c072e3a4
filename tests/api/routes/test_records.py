"""Records over the API: pages, what narrows them, CSV and JSON lines."""

from __future__ import annotations

import json

import pytest

from pbx.api.views import LiveCall
from pbx.cdr.record import RecordQuery
from pbx.errors import NotFound, Refused
from pbx.events import RecordAmended
from tests.api.office_double import OfficeDouble, client_of, record_of


def office(count: int) -> OfficeDouble:
    double = OfficeDouble()
    double.records.rows = [record_of(f"c{number}") for number in range(count)]
    return double


def test_a_record_is_the_documented_object() -> None:
    with client_of(office(1)) as api:
        record = api.get("/records/c0")
        assert api.get("/records") == [record]
        with pytest.raises(NotFound, match="no record of a call c1"):
            api.get("/records/c1")
    assert record["caller"] == {"number": "101", "name": "王小明"}
    assert (record["duration_s"], record["path"], record["agent"]) == (12.3, ["ext:102"], None)


def test_a_list_is_narrowed_by_what_is_asked() -> None:
    double = office(0)
    with client_of(double) as api:
        query = {
            "since": "2026-11-21T08:00:00+08:00",
            "until": "2026-11-21T01:00:00",
            "from": "101",
            "to": "102",
            "queue": "q",
            "agent": "7",
            "result": "busy",
            "limit": 5,
        }
        assert api.get("/records", query) == []
    assert double.records.asked == [
        RecordQuery(
            since=1795219200.0,
            until=1795222800.0,
            from_="101",
            to="102",
            queue="q",
            agent="7",
            result="busy",
            limit=5,
        )
    ]


@pytest.mark.parametrize(
    "query", [{"limit": 1001}, {"limit": 0}, {"since": "noon"}, {"result": "fine"}]
)
def test_what_cannot_be_asked_is_refused(query: dict[str, str | int]) -> None:
    (name,) = query
    with client_of(office(0)) as api, pytest.raises(Refused, match=f"^{name}: "):
        api.get("/records", query)


def test_pages_lead_on_to_the_end() -> None:
    double = office(2500)
    with client_of(double) as api:
        pages = [json.loads(page) for page in api.pages("/records", {"from": "101"})]
    assert [len(page) for page in pages] == [1000, 1000, 500]
    assert pages[1][0]["id"] == "c1000"
    assert {query.from_ for query in double.records.asked} == {"101"}


@pytest.mark.parametrize(("limit", "expected"), [(30, [30]), (1000, [1000]), (1200, [1000, 200])])
def test_a_limit_bounds_all_pages_together(limit: int, expected: list[int]) -> None:
    with client_of(office(2500)) as api:
        pages = [json.loads(page) for page in api.pages("/records", {}, limit)]
    assert [len(page) for page in pages if page] == expected


def test_csv_has_one_header_over_all_pages() -> None:
    with client_of(office(1500)) as api:
        text = b"".join(api.pages("/records", {"format": "csv"})).decode()
    lines = text.splitlines()
    assert len(lines) == 1501
    assert lines[0].startswith("id,direction,started_at")
    assert lines[1500].startswith("c1499,internal,")
    assert "王小明" in lines[1]


def test_json_lines_are_one_record_each() -> None:
    with client_of(office(3)) as api:
        text = b"".join(api.pages("/records", {"format": "jsonl"}))
    assert [json.loads(line)["id"] for line in text.splitlines()] == ["c0", "c1", "c2"]


def test_a_note_on_a_call_that_is_over_is_told_on_the_bus_and_answered_as_it_stands() -> None:
    double = office(2)
    assert double.bus is not None
    with client_of(double) as api:
        noted = api.patch("/records/c1", {"disposition": "refund", "note": "angry"})
    (stamped,) = double.bus.since(0)
    assert stamped.event == RecordAmended(
        call="c1", disposition="refund", note="angry", by="socket"
    )
    assert noted["id"] == "c1"


def test_a_note_without_a_server_amends_the_record_itself() -> None:
    double = office(2)
    double.live = double.bus = None
    with client_of(double) as api:
        noted = api.patch("/records/c1", {"note": "angry"})
        assert noted == {"id": "c1", "disposition": None, "note": "angry"}
        with pytest.raises(NotFound):
            api.patch("/records/c9", {"note": "angry"})
    assert [event for event, _ in double.records.amended] == [
        RecordAmended(call="c1", note="angry", by="socket")
    ]


def test_a_call_that_goes_on_is_noted_by_the_beginning_of_its_id() -> None:
    double = office(0)
    assert double.bus is not None
    assert double.live is not None
    double.live.up = [going_on("abc1"), going_on("abd2")]
    with client_of(double) as api:
        assert api.patch("/records/abc", {"note": "x"})["id"] == "abc1"
        with pytest.raises(Refused, match="more than one call begins with ab"):
            api.patch("/records/ab", {"note": "x"})
        with pytest.raises(Refused):
            api.patch("/records/abc", {"result": "busy"})
    assert [stamped.event.call for stamped in double.bus.since(0)] == ["abc1"]


def going_on(call: str) -> LiveCall:
    return LiveCall(
        id=call, from_="101", to="102", state="talking", since="2026-11-21T08:00:00.000Z", legs=()
    )
