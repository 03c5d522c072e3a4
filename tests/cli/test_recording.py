"""`callpbx recording …` with and without a server: lists, players, archives, refusals."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from pbx.api.views import LiveCall
from pbx.cdr.record import Caller
from pbx.cli.player import find_player
from pbx.config import Home, load_settings
from pbx.office import open_office
from pbx.recordings.index import RecordingIndex
from pbx.recordings.model import RecordingEntry
from tests.api.office_double import OfficeDouble, record_of
from tests.cli.conftest import Command
from tests.recordings.shelf import START, Shelf


@pytest.fixture
def recorded(office: Home) -> Home:
    """Give an office with two recordings, one of which goes on, and one whose file is gone."""

    async def record() -> None:
        async with open_office(office, load_settings(office)) as opened:
            shelf = Shelf(office.recordings)
            shelf.index = RecordingIndex(opened.database, office.recordings)
            shelf.record("c1-1", START, seconds=75.0)
            shelf.record("c2-1", START + 60).unlink()
            shelf.begin("c3-1", START + 120)
            await shelf.index.flush()

    asyncio.run(record())
    return office


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a player on the PATH that copies what it plays; return where to."""
    played = tmp_path / "played"
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "aplay"
    script.write_text(f'#!/bin/sh\n/bin/cat "$2" > {played}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return played


def test_the_list_is_newest_first(recorded: Home, command: Command) -> None:
    status, out, _ = command("recording", "list")
    assert status == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["c3-1", "c2-1", "c1-1"]
    assert "1:15" in lines[3]
    rows = json.loads(command("recording", "list", "--json", "--call", "c1")[1])
    assert [row["id"] for row in rows] == ["c1-1"]
    until = command("recording", "list", "--json", "--until", "2026-11-21T08:01:30+00:00")[1]
    assert [row["id"] for row in json.loads(until)] == ["c2-1", "c1-1"]
    assert len(json.loads(command("recording", "list", "--json", "--limit", "1")[1])) == 1


def test_an_office_without_recordings_says_so(office: Home, command: Command) -> None:
    assert command("recording", "list") == (0, "No recordings\n", "")


def test_a_recording_is_played_by_what_is_there(
    recorded: Home, command: Command, player: Path
) -> None:
    assert command("recording", "play", "c1-1")[0] == 0
    assert player.read_bytes() == (recorded.recordings / "2026/11/21/c1-1.wav").read_bytes()
    assert find_player(".opus") is None, "aplay would play it as noise"


def test_without_a_player_it_says_where_the_file_is(
    recorded: Home, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    status, _, error = command("recording", "play", "c1-1")
    assert status == 1
    assert str(recorded.recordings / "2026/11/21/c1-1.wav") in error


def test_a_player_that_fails_is_told(recorded: Home, command: Command, player: Path) -> None:
    (player.parent / "bin" / "aplay").write_text("#!/bin/sh\nexit 3\n")
    assert command("recording", "play", "c1-1")[2] == "aplay could not play recording c1-1\n"


@pytest.mark.parametrize(
    ("recording", "sentence"),
    [("c2-1", "is gone"), ("c3-1", "still going on"), ("c9-1", "no recording c9-1")],
)
def test_what_cannot_be_heard_is_refused_in_a_sentence(
    recorded: Home, command: Command, player: Path, tmp_path: Path, recording: str, sentence: str
) -> None:
    for words in (("play", recording), ("export", recording, str(tmp_path / "x.wav"))):
        status, _, error = command("recording", *words)
        assert status == 1
        assert sentence in error
    assert not (tmp_path / "x.wav").exists()


def test_one_recording_is_exported_with_its_hash(
    recorded: Home, command: Command, tmp_path: Path
) -> None:
    target = tmp_path / "out.wav"
    status, out, _ = command("recording", "export", "c1-1", str(target))
    assert status == 0
    assert "SHA-256" in out
    assert target.read_bytes() == (recorded.recordings / "2026/11/21/c1-1.wav").read_bytes()
    assert "exists" in command("recording", "export", "c1-1", str(target))[2]
    assert ".wav file" in command("recording", "export", "c1-1", str(tmp_path / "x.mp3"))[2]


def test_a_day_is_exported_as_one_archive_with_a_list(
    recorded: Home, command: Command, tmp_path: Path
) -> None:
    target = tmp_path / "day.zip"
    status, out, _ = command("recording", "export", str(target), "--since", "2026-11-21")
    assert (status, out) == (0, f"{target} is written: 1 recording\n")
    with zipfile.ZipFile(target) as archive:
        assert set(archive.namelist()) == {"c1-1.wav", "recordings.csv"}
        whole = (recorded.recordings / "2026/11/21/c1-1.wav").read_bytes()
        assert archive.read("c1-1.wav") == whole
        rows = list(csv.DictReader(io.StringIO(archive.read("recordings.csv").decode())))
    assert [(row["id"], row["file"]) for row in rows] == [
        ("c3-1", ""),
        ("c2-1", ""),
        ("c1-1", "c1-1.wav"),
    ]
    assert "gone" in rows[1]["error"]
    assert len(rows[2]["sha256"]) == 64


def test_nobody_writes_a_formula_into_the_list(
    live: OfficeDouble, command: Command, tmp_path: Path
) -> None:
    live.records.rows = [record_of("c1", caller=Caller(number="=1+1", name=None))]
    live.recordings.rows = [
        RecordingEntry(
            id="c1-1",
            call="c1",
            started_at="2026-11-21T08:00:00.000Z",
            state="missing",
            format="ulaw",
            file="c1-1.wav",
        )
    ]
    assert command("recording", "export", str(tmp_path / "x.zip"))[0] == 0
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        (row,) = csv.DictReader(io.StringIO(archive.read("recordings.csv").decode()))
    assert (row["from"], row["to"]) == ("'=1+1", "102")


def test_wrong_words_are_wrong_usage(recorded: Home, command: Command) -> None:
    assert command("recording", "export", "out.wav")[0] == 2
    assert command("recording", "export", "a", "b", "out.zip")[0] == 2
    assert command("recording", "export")[0] == 2


def test_what_goes_on_is_begun_paused_and_stopped(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    live.live.up = [
        LiveCall(id="c8", from_="101", to="102", state="talking", since="2026-11-21T08:00:00.000Z")
    ]
    assert command("recording", "start", "c8")[1] == "Recording c8-1 has begun\n"
    assert json.loads(command("recording", "start", "c8", "--json")[1]) == {"id": "c8-1"}
    for what in ("pause", "resume", "stop"):
        assert command("recording", what, "c8-1")[0] == 0
    assert [done[0] for done in live.live.done] == ["record", "record", "pause", "resume", "stop"]


def test_without_a_server_nothing_is_begun(office: Home, command: Command) -> None:
    status, _, error = command("recording", "start", "c8")
    assert status == 1
    assert "callpbx is not running" in error
