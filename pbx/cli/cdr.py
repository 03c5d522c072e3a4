"""`callpbx cdr …`: records of calls."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from pbx.api.client import ApiClient, segment
from pbx.cli.office import connect, pass_home
from pbx.cli.output import (
    as_json,
    cell,
    clock_length,
    figures,
    list_time,
    local_time,
    print_json,
    print_table,
    short_id,
)
from pbx.config import Home, duration
from pbx.errors import Refused

RESULTS = (
    "answered",
    "no_answer",
    "busy",
    "rejected",
    "unavailable",
    "cancelled",
    "abandoned",
    "voicemail",
    "failed",
    "interrupted",
)


def moment_of(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Return a moment as people write it in ISO 8601, with the offset of this machine's zone."""
    if value is None:
        return None
    try:
        return moment(value, datetime.now().astimezone()).isoformat()
    except ValueError:
        examples = '2026-11-21, "2026-11-21 08:00", today, yesterday or 2h (ago)'
        raise click.BadParameter(f'"{value}" is no time; write {examples}') from None


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that `text` means at `now`; raises ValueError where it means none.

    Times without an offset are in the time zone of `now`. `2h` is two hours ago.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if text == "today":
        return midnight.astimezone()
    if text == "yesterday":
        return (midnight - timedelta(days=1)).astimezone()
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        return now - timedelta(seconds=duration(text))


def narrowing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that lists and exports are narrowed by."""
    for option in (
        click.option("--result", type=click.Choice(RESULTS), help="How it ended."),
        click.option("--agent", help="The agent's number."),
        click.option("--queue", help="The queue's name."),
        click.option("--to", help="The number that was called."),
        click.option("--from", "from_", help="The caller's number."),
        click.option("--until", callback=moment_of, help="Only calls that began before this."),
        click.option("--since", callback=moment_of, help="Only calls that began at or after this."),
    ):
        command = option(command)
    return command


@click.group()
def cdr() -> None:
    """Records of calls: list, show, export."""


@cdr.command("list")
@narrowing
@click.option("--limit", type=click.IntRange(min=1), default=50, help="How many; 50.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json
@pass_home
def list_(home: Home, /, limit: int, as_csv: bool, as_json: bool, **wanted: str | None) -> None:
    """List records, newest first."""
    with connect(home) as api:
        if as_csv:
            for text in _pages(api, wanted, "csv", limit):
                sys.stdout.buffer.write(text)
            return
        rows = [row for page in _pages(api, wanted, "json", limit) for row in json.loads(page)]
        if as_json:
            print_json(rows)
        elif wanted["result"] == "abandoned":
            _print_abandoned(rows, _served_later(api, rows))
        else:
            _print_list(rows, of_queues=bool(wanted["queue"] or wanted["agent"]))


def _print_list(rows: list[dict[str, Any]], *, of_queues: bool) -> None:
    """Print records; calls of queues with their wait and agent in place of the reason."""
    asked = [figures("Waited"), "Agent"] if of_queues else ["Why"]
    print_table(
        ["Call", "Began", "From", "To", "Result", figures("Talked"), *asked],
        [
            (
                short_id(row["id"]),
                list_time(row["started_at"]),
                _caller(row),
                row["called"]["number"],
                row["result"],
                clock_length(row["talk_s"]) if row["talk_s"] else None,
                *((clock_length(row["wait_s"]), row["agent"]) if of_queues else (row["reason"],)),
            )
            for row in rows
        ],
        empty="No records",
    )


def _print_abandoned(rows: list[dict[str, Any]], served: dict[str, str]) -> None:
    """Print callers who were lost, and whether somebody spoke to them since."""
    print_table(
        ["Call", "Began", "From", "Queue", figures("Waited"), "Called back?"],
        [
            (
                short_id(row["id"]),
                list_time(row["started_at"]),
                _caller(row),
                row["queue"],
                clock_length(row["wait_s"]),
                served.get(row["id"], "no"),
            )
            for row in rows
        ],
        empty="No records",
    )


def _served_later(api: ApiClient, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return, by call, when its caller was called back, or called again, and was answered."""
    found = {}
    for row in rows:
        number = row["caller"]["number"]
        asked = {"result": "answered", "since": row["ended_at"], "limit": 1}
        for way, words in (("to", "yes"), ("from", "called again")):
            later = api.get("/records", {**asked, way: number})
            if later and any(map(str.isdigit, number)):
                found[row["id"]] = f"{words}, {local_time(later[0]['started_at'])}"
                break
    return found


@cdr.command()
@click.argument("call")
@as_json
@pass_home
def show(home: Home, call: str, as_json: bool) -> None:
    """Show one record with its segments and the quality of its audio."""
    with connect(home) as api:
        record = api.get(f"/records/{segment(call)}")
    if as_json:
        print_json(record)
        return
    _show(record)


@cdr.command()
@click.argument("call")
@click.option("--disposition", help='What came of it, in a word; "" takes it back.')
@click.option("--note", help='What there is to say about it; "" takes it back.')
@as_json
@pass_home
def note(home: Home, call: str, disposition: str | None, note: str | None, as_json: bool) -> None:
    """Write down what came of a call, during it or afterwards."""
    if disposition is None and note is None:
        raise click.UsageError("say --disposition or --note")
    with connect(home) as api:
        body = {"disposition": disposition, "note": note}
        noted = api.patch(f"/records/{segment(call)}", body)
    if as_json:
        print_json(noted)
        return
    click.echo(f"Call {noted['id']}: {_noted(noted) or 'nothing is noted'}")


@cdr.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@narrowing
@pass_home
def export(home: Home, /, file: Path, **wanted: str | None) -> None:
    """Write records to FILE.csv or FILE.jsonl, newest first."""
    kind = {".csv": "csv", ".jsonl": "jsonl"}.get(file.suffix)
    if kind is None:
        raise click.UsageError("the file must end in .csv or .jsonl")
    with connect(home) as api:
        pages = _pages(api, wanted, kind, None)
        try:
            with file.open("xb") as out:
                for text in pages:
                    out.write(text)
        except FileExistsError:
            raise Refused(f"{file} exists; choose another name or remove it") from None
        except OSError as error:
            raise Refused(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"{file} is written")


def _pages(
    api: ApiClient, wanted: dict[str, str | None], kind: str, limit: int | None
) -> Iterator[bytes]:
    """Yield the records as `kind`, a page at a time, at most `limit` of them."""
    query = {key.rstrip("_"): value for key, value in wanted.items()}
    return api.pages("/records", {**query, "format": kind}, limit)


def _caller(record: dict[str, Any]) -> str:
    caller = record["caller"]
    return f"{caller['number']} {caller['name']}" if caller["name"] else str(caller["number"])


def _show(record: dict[str, Any]) -> None:
    ended = f"{record['result']} ({record['reason']}), ended by {record['ended_by']}"
    lines = [
        ("Call", record["id"]),
        ("Direction", record["direction"]),
        ("From", _caller(record)),
        ("To", record["called"]["number"]),
        ("Began", local_time(record["started_at"])),
        ("Answered", local_time(record["answered_at"])),
        ("Ended", local_time(record["ended_at"])),
        ("Result", ended),
        ("Codes", f"SIP {cell(record['sip_status'])}, Q.850 {cell(record['cause'])}"),
        ("Seconds", _seconds(record)),
        ("Path", " → ".join(record["path"])),
    ]
    if record["tags"]:
        lines.append(("Tags", ", ".join(record["tags"])))
    if record["agent"]:
        lines.append(("Agent", f"{record['agent']}, queue {cell(record['queue'])}"))
    if record["disposition"] or record["note"]:
        lines.append(("Noted", _noted(record)))
    if record["callback"]:
        lines.append(("Call-back", _called_back(record["callback"])))
    if record["survey"]:
        lines.append(("Survey", _opinion(record["survey"])))
    for label, text in lines:
        click.echo(f"{label:<10} {cell(text)}")
    for part, show in (
        ("segments", _print_segments),
        ("agents", _print_agents),
        ("supervision", _print_supervision),
        ("recordings", _print_recordings),
        ("quality", _print_quality),
    ):
        if record[part]:
            click.echo()
            show(record[part])


def _opinion(survey: dict[str, Any]) -> str:
    if survey["key"] is None:
        return f"{survey['name']}: no answer"
    return f"{survey['name']}: {survey['key']} ({survey['meaning']})"


def _noted(record: dict[str, Any]) -> str:
    return ": ".join(text for text in (record["disposition"], record["note"]) if text)


def _called_back(callback: dict[str, Any]) -> str:
    by = f" by {callback['agent']}" if callback["agent"] else ""
    waited = "" if callback["waited_s"] is None else f" after {clock_length(callback['waited_s'])}"
    tries = callback["tries"]
    return f"{callback['number']}: {callback['result']}{by}{waited}, tries: {tries}"


def _seconds(record: dict[str, Any]) -> str:
    names = ("duration", "wait", "ring", "talk", "hold", "wrap_up")
    return ", ".join(f"{name.replace('_', '-')} {record[name + '_s']:.1f}" for name in names)


def _print_segments(segments: list[dict[str, Any]]) -> None:
    print_table(
        ["Segment", "With", "From", figures("Seconds"), "Result"],
        [
            (
                part["kind"],
                part["with"],
                local_time(part["started_at"]),
                _between(part["started_at"], part["ended_at"]),
                part["result"],
            )
            for part in segments
        ],
        empty="",
    )


def _print_agents(parts: list[dict[str, Any]]) -> None:
    lengths = ("ring_s", "talk_s", "hold_s", "wrap_up_s")
    print_table(
        ["Agent", "From", *map(figures, ("Rang", "Talked", "Held", "After call")), "Result"],
        [
            (
                part["agent"],
                local_time(part["began_at"]),
                *(part[length] for length in lengths),
                part["result"],
            )
            for part in parts
        ],
        empty="",
    )


def _print_supervision(stretches: list[dict[str, Any]]) -> None:
    print_table(
        ["Supervisor", "Did", "From", figures("Seconds")],
        [
            (
                watch["by"],
                watch["mode"],
                local_time(watch["started_at"]),
                _between(watch["started_at"], watch["ended_at"]),
            )
            for watch in stretches
        ],
        empty="",
    )


def _print_recordings(recordings: list[dict[str, Any]]) -> None:
    print_table(
        ["Recording", "From", figures("Seconds"), "Remark"],
        [
            (row["id"], local_time(row["started_at"]), row["seconds"], row["error"])
            for row in recordings
        ],
        empty="",
    )


def _between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _print_quality(rows: list[dict[str, Any]]) -> None:
    print_table(
        [
            "Audio",
            "Direction",
            "Codec",
            figures("Packets"),
            figures("Lost %"),
            figures("Bursts"),
            figures("Jitter ms"),
            figures("Round trip ms"),
            figures("MOS"),
            figures("Worst"),
        ],
        [
            (
                row["leg"],
                row["direction"],
                row["codec"],
                row["packets"],
                row["loss_percent"],
                row["bursts"],
                row["jitter_ms"],
                row["round_trip_ms"],
                _score(row["mos"]),
                _score(row["mos_worst"]),
            )
            for row in rows
        ],
        empty="",
    )


def _score(mos: float | None) -> str | None:
    return None if mos is None else f"{mos:.2f}"
