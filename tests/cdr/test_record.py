"""The record's JSON is the documented one, and the documentation names everything in it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from pbx import events
from pbx.cdr import record as record_module
from pbx.cdr.export import COLUMNS
from pbx.cdr.fold import INTERRUPTED_REASON
from pbx.cdr.record import (
    AgentPart,
    CalledBack,
    CallRecord,
    QualityRow,
    Segment,
    Supervised,
    Surveyed,
    utc_text,
)
from tests.cdr.story import plain_call

DOCS = Path(record_module.__file__).parents[2] / "docs" / "cdr.md"


def test_the_json_is_the_documented_object_field_for_field() -> None:
    found = msgspec.to_builtins(plain_call("7f3a").record())
    shown = found.pop("quality"), found.pop("segments")
    assert found.pop("supervision") == ()
    assert found.pop("recordings") == ()
    assert found.pop("agents") == ()
    later = ("disposition", "note", "callback")
    assert [found.pop(name) for name in later] == [None, None, None]
    assert found == {
        "id": "7f3a",
        "direction": "internal",
        "started_at": "2026-11-21T08:00:00.123Z",
        "answered_at": "2026-11-21T08:00:02.223Z",
        "ended_at": "2026-11-21T08:00:12.423Z",
        "caller": {"number": "101", "name": "Alice"},
        "called": {"number": "102"},
        "result": "answered",
        "reason": "bye",
        "cause": 16,
        "sip_status": 200,
        "ended_by": "caller",
        "duration_s": 12.3,
        "wait_s": 0.0,
        "ring_s": 2.1,
        "talk_s": 10.2,
        "hold_s": 0.0,
        "wrap_up_s": 0.0,
        "queue": None,
        "agent": None,
        "path": ("ext:102",),
        "tags": (),
        "recording": None,
        "survey": None,
        "dialplan_version": "ab12",
    }
    assert shown[0][0] == {
        "leg": "caller",
        "direction": "received",
        "codec": "PCMA",
        "packets": 500,
        "loss_percent": 0.0,
        "jitter_ms": 0.4,
        "mos": 4.41,
        "mos_worst": 4.38,
        "bursts": 0,
        "concealed_ms": 0,
        "round_trip_ms": 11.5,
    }
    assert shown[1][0] == {
        "kind": "ring",
        "with": "102",
        "started_at": "2026-11-21T08:00:00.123Z",
        "ended_at": "2026-11-21T08:00:02.223Z",
        "result": "answered",
    }


def test_a_record_survives_being_stored() -> None:
    record = plain_call().record()
    assert msgspec.json.decode(msgspec.json.encode(record), type=CallRecord) == record


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_248_000_123, "2026-11-21T08:00:00.123Z"),
        (1_795_248_000_999, "2026-11-21T08:00:00.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_utc_with_milliseconds(milliseconds: int, text: str) -> None:
    assert utc_text(milliseconds) == text


@pytest.mark.parametrize(
    "struct",
    [CallRecord, QualityRow, Segment, Supervised, Surveyed, AgentPart, CalledBack],
    ids=lambda s: s.__name__,
)
def test_every_field_is_documented(struct: type[msgspec.Struct]) -> None:
    text = DOCS.read_text()
    missing = [field for field in struct.__struct_encode_fields__ if f"| `{field}` |" not in text]
    assert missing == []


WORDS = (
    *get_args(events.Result),
    *get_args(events.EndedBy),
    *get_args(events.Direction),
    *get_args(record_module.SegmentKind),
    INTERRUPTED_REASON,
)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_record_is_documented(word: str) -> None:
    assert f"`{word}`" in DOCS.read_text()


def test_the_documented_columns_of_the_csv_exist() -> None:
    text = DOCS.read_text()
    own = {"caller_number", "caller_name", "called_number", "mos_min", "recording_sha256"}
    nested = {"caller", "called", "quality", "segments", "supervision", "recordings", "agents"}
    fields = set(CallRecord.__struct_encode_fields__) - nested
    assert set(COLUMNS) == own | fields
    assert all(f"`{name}`" in text for name in COLUMNS)
