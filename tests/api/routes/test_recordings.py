"""Recordings over the API: pages, the sound by ranges, what is done to those that go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.api import client
from pbx.api.views import LiveCall
from pbx.errors import NotFound, NotRunning, Refused
from pbx.recordings.model import Pause, RecordingEntry, RecordingQuery
from tests.api.office_double import OfficeDouble, client_of


def entry(id: str) -> RecordingEntry:
    return RecordingEntry(
        id=id,
        call=id.partition("-")[0],
        started_at="2026-11-21T08:00:00.000Z",
        state="complete",
        format="ulaw",
        seconds=12.5,
        octets=200_058,
        sha256="0" * 64,
        pauses=(Pause(from_s=2.0, to_s=4.0),),
        file=f"2026/11/21/{id}.wav",
    )


@pytest.fixture
def office(tmp_path: Path) -> OfficeDouble:
    double = OfficeDouble()
    double.recordings.rows = [entry(f"c{n}-1") for n in range(5)]
    sound = tmp_path / "c0-1.wav"
    sound.write_bytes(bytes(range(256)) * 40)
    double.recordings.files["c0-1"] = sound
    return double


def test_a_recording_is_the_documented_object(office: OfficeDouble) -> None:
    with client_of(office) as api:
        found = api.get("/recordings/c0-1")
        with pytest.raises(NotFound, match="no recording c9-1"):
            api.get("/recordings/c9-1")
    assert found["accesses"] == []
    assert found["recording"] == {
        "id": "c0-1",
        "call": "c0",
        "started_at": "2026-11-21T08:00:00.000Z",
        "state": "complete",
        "format": "ulaw",
        "seconds": 12.5,
        "octets": 200_058,
        "sha256": "0" * 64,
        "error": None,
        "pauses": [{"from_s": 2.0, "to_s": 4.0}],
        "file": "2026/11/21/c0-1.wav",
    }


def test_a_list_is_narrowed_by_what_is_asked(office: OfficeDouble) -> None:
    with client_of(office) as api:
        api.get(
            "/recordings",
            {
                "since": "2026-11-21T08:00:00+08:00",
                "until": "2026-11-21T01:00:00",
                "call": "c1",
                "limit": 7,
            },
        )
    assert office.recordings.asked == [
        RecordingQuery(since=1795219200.0, until=1795222800.0, call="c1", limit=7)
    ]


def test_pages_lead_to_their_successors(
    office: OfficeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_PAGE", 2)
    with client_of(office) as api:
        pages = list(api.pages("/recordings", {}))
    assert len(pages) == 3
    assert [query.before for query in office.recordings.asked] == [None, "c1-1", "c3-1"]


def test_the_sound_is_the_file_and_fetching_it_is_noted_once(
    office: OfficeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SLICE", 1000)
    with client_of(office) as api:
        slices = list(api.download("/recordings/c0-1/audio"))
        with pytest.raises(Refused, match="cannot be heard"):
            list(api.download("/recordings/c1-1/audio"))
    assert len(slices) == 11
    assert b"".join(slices) == office.recordings.files["c0-1"].read_bytes()
    assert office.recordings.fetched == ["socket"]


def test_what_goes_on_is_begun_paused_and_stopped(office: OfficeDouble) -> None:
    assert office.live is not None
    office.live.up = [
        LiveCall(id="c8", from_="101", to="102", state="talking", since="2026-11-21T08:00:00.000Z")
    ]
    with client_of(office) as api:
        assert api.post("/recordings", {"call": "c8"}) == {"id": "c8-1"}
        for what in ("pause", "resume", "stop"):
            api.order(f"/recordings/c8-1/{what}")
        with pytest.raises(NotFound):
            api.post("/recordings", {"call": "c9"})
        with pytest.raises(NotFound):
            api.order("/recordings/c8-9/pause")
    assert office.live.done == [
        ("record", "c8"),
        *((what, "c8-1") for what in ("pause", "resume", "stop")),
    ]


def test_without_a_server_nothing_goes_on(office: OfficeDouble) -> None:
    office.live = None
    with client_of(office) as api, pytest.raises(NotRunning):
        api.post("/recordings", {"call": "c8"})
