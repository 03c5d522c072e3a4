"""`callpbx recording …`: what was recorded, its sound, and what goes on."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from pbx.api.client import ApiClient, segment
from pbx.cli.cdr import moment_of
from pbx.cli.office import connect, connect_live, pass_home
from pbx.cli.output import as_json, clock_length, figures, local_time, print_json, print_table
from pbx.cli.player import play_sound
from pbx.config import Home
from pbx.errors import NotFound, Refused

KEPT = ("complete", "interrupted")
"""States in which there is something to hear."""

COLUMNS = (
    *("id", "call", "started_at", "from", "to", "seconds", "state", "sha256", "error", "file"),
)
"""Of the list in an archive."""


def narrowing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that lists and exports are narrowed by."""
    for option in (
        click.option("--call", help="Only recordings of this call."),
        click.option("--until", callback=moment_of, help="Only those that began before this."),
        click.option("--since", callback=moment_of, help="Only those that began at or after this."),
    ):
        command = option(command)
    return command


@click.group()
def recording() -> None:
    """Recordings: list, play, export; start, pause, resume, stop."""


@recording.command("list")
@narrowing
@click.option("--limit", type=click.IntRange(min=1), default=50, help="How many; 50.")
@as_json
@pass_home
def list_(home: Home, /, limit: int, as_json: bool, **wanted: str | None) -> None:
    """List recordings, newest first."""
    with connect(home) as api:
        rows = list(_rows(api, wanted, limit))
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Recording", "Began", figures("Length"), "State", "Remark"],
        [
            (
                row["id"],
                local_time(row["started_at"]),
                None if row["seconds"] is None else clock_length(row["seconds"]),
                row["state"],
                row["error"],
            )
            for row in rows
        ],
        empty="No recordings",
    )


@recording.command()
@click.argument("recording")
@pass_home
def play(home: Home, recording: str) -> None:
    """Play a recording on this machine."""
    with connect(home) as api:
        entry = _entry(api, recording)
        audio = f"/recordings/{segment(recording)}/audio"
        kept = home.recordings / entry["file"]
        play_sound(api, audio, kept=kept, what=f"recording {recording}")


@recording.command()
@click.argument("words", nargs=-1, required=True, metavar="[RECORDING] FILE")
@narrowing
@pass_home
def export(home: Home, /, words: tuple[str, ...], **wanted: str | None) -> None:
    """Write one recording to FILE, or all that match to FILE.zip with a list of them."""
    *named, file = words
    target = Path(file)
    if len(named) > 1:
        raise click.UsageError("name one recording, or none and write FILE.zip")
    if not named and target.suffix != ".zip":
        raise click.UsageError("several recordings go into FILE.zip; for one, give its id first")
    with connect(home) as api:
        entry = _entry(api, named[0]) if named else None
        if entry is not None and target.suffix != Path(entry["file"]).suffix:
            kind = Path(entry["file"]).suffix
            raise Refused(f"recording {entry['id']} is a {kind} file; name it FILE{kind}")
        try:
            with target.open("xb") as out:
                what = _export_one(api, entry, out) if entry else _export_all(api, wanted, out)
        except FileExistsError:
            raise Refused(f"{file} exists; choose another name or remove it") from None
        except OSError as error:
            raise Refused(f"{file} cannot be written: {error.strerror}") from None
        except Refused:
            target.unlink()
            raise
    click.echo(f"{file} is written: {what}")


@recording.command()
@click.argument("call")
@as_json
@pass_home
def start(home: Home, call: str, as_json: bool) -> None:
    """Record a call that is going on."""
    with connect_live(home) as api:
        begun = api.post("/recordings", {"call": call})
    if as_json:
        print_json(begun)
    else:
        click.echo(f"Recording {begun['id']} has begun")


@recording.command()
@click.argument("recording")
@pass_home
def pause(home: Home, recording: str) -> None:
    """Record silence, for two minutes at most."""
    _act(home, recording, "pause")
    click.echo(f"Recording {recording} is silent for two minutes, or until it is resumed")


@recording.command()
@click.argument("recording")
@pass_home
def resume(home: Home, recording: str) -> None:
    """Record sound again."""
    _act(home, recording, "resume")
    click.echo(f"Recording {recording} goes on")


@recording.command()
@click.argument("recording")
@pass_home
def stop(home: Home, recording: str) -> None:
    """End a recording; its call goes on."""
    _act(home, recording, "stop")
    click.echo(f"Recording {recording} is ended")


def _act(home: Home, recording: str, what: str) -> None:
    with connect_live(home) as api:
        api.order(f"/recordings/{segment(recording)}/{what}")


def _rows(
    api: ApiClient, wanted: dict[str, str | None], limit: int | None
) -> Iterator[dict[str, Any]]:
    for page in api.pages("/recordings", wanted, limit):
        yield from json.loads(page)


def _entry(api: ApiClient, recording: str) -> dict[str, Any]:
    entry: dict[str, Any] = api.get(f"/recordings/{segment(recording)}")["recording"]
    return entry


def _export_one(api: ApiClient, entry: dict[str, Any], out: BinaryIO) -> str:
    for part in api.download(f"/recordings/{segment(entry['id'])}/audio"):
        out.write(part)
    return f"SHA-256 {entry['sha256']}"


def _export_all(api: ApiClient, wanted: dict[str, str | None], out: BinaryIO) -> str:
    """Write an archive: what can be heard, and `recordings.csv` with a line for each."""
    listing = io.StringIO()
    lines = csv.DictWriter(listing, COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    lines.writeheader()
    written = 0
    with zipfile.ZipFile(out, "w") as archive:
        for row in _rows(api, wanted, None):
            heard = row["state"] in KEPT and _add(archive, api, row)
            written += heard
            file = Path(row["file"]).name if heard else ""
            lines.writerow({**row, **_parties(api, row["call"]), "file": file})
        archive.writestr("recordings.csv", listing.getvalue())
    return "1 recording" if written == 1 else f"{written} recordings"


def _add(archive: zipfile.ZipFile, api: ApiClient, row: dict[str, Any]) -> bool:
    """Put the sound of a recording into the archive; False where it is gone."""
    parts = api.download(f"/recordings/{segment(row['id'])}/audio")
    try:
        first = next(parts, b"")
    except Refused as refusal:
        row["error"] = str(refusal)
        return False
    with archive.open(Path(row["file"]).name, "w", force_zip64=True) as file:
        file.write(first)
        for part in parts:
            file.write(part)
    return True


def _parties(api: ApiClient, call: str) -> dict[str, str]:
    """Return who talked to whom, as far as the call's record is there."""
    try:
        record = api.get(f"/records/{segment(call)}")
    except NotFound:
        return {}
    numbers = {"from": record["caller"]["number"], "to": record["called"]["number"]}
    return {name: _no_formula(number) for name, number in numbers.items()}


def _no_formula(text: str) -> str:
    """Return a text with an apostrophe before what a spreadsheet would compute."""
    suspicious = text[:1] in ("=", "@", "+", "-", "\t", "\r") and not text[1:].isdigit()
    return f"'{text}" if suspicious else text
