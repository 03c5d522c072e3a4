"""`callpbx voicemail …`: the messages in all boxes, their sound, PINs and addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pbx.api.client import ApiClient, segment
from pbx.cli.office import connect, pass_home
from pbx.cli.output import as_json, clock_length, figures, local_time, print_json, print_table
from pbx.cli.player import play_sound
from pbx.config import Home
from pbx.errors import ConfigError, NotFound, Refused
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import check_plan


@click.group()
def voicemail() -> None:
    """Voicemail: list, play, export, delete messages; set PINs and addresses."""


@voicemail.command("list")
@click.argument("box", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=50, help="How many; 50.")
@as_json
@pass_home
def list_(home: Home, box: str | None, limit: int, as_json: bool) -> None:
    """List messages of BOX, or of all boxes, newest first."""
    with connect(home) as api:
        pages = api.pages("/voicemail/messages", {"box": box}, limit)
        rows = [row for page in pages for row in json.loads(page)]
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Message", "Box", "Left", "From", figures("Length"), "State", "Remark"],
        [
            (
                row["id"],
                row["box"],
                local_time(row["received_at"]),
                " ".join(filter(None, (row["caller"], row["caller_name"]))),
                clock_length(row["seconds"]),
                row["state"],
                row["error"],
            )
            for row in rows
        ],
        empty="No messages" if box is None else f"No messages in mailbox {box}",
    )


@voicemail.command()
@as_json
@pass_home
def boxes(home: Home, as_json: bool) -> None:
    """List the boxes that have messages, or for which something was set."""
    with connect(home) as api:
        rows = api.get("/voicemail/boxes")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Box", figures("New"), figures("Heard"), "PIN", "Mailed to", "Greeting"],
        [
            (
                row["box"],
                row["new"],
                row["old"],
                "set" if row["pin"] else None,
                row["mail"],
                "its own" if row["greeting"] else None,
            )
            for row in rows
        ],
        empty="No messages, and nothing is set for a mailbox",
    )


@voicemail.command()
@click.argument("message")
@pass_home
def play(home: Home, message: str) -> None:
    """Play a message on this machine; it stays new."""
    with connect(home) as api:
        api.get(f"/voicemail/messages/{segment(message)}")
        audio = f"/voicemail/messages/{segment(message)}/audio"
        kept = home.voicemail / f"{message}.wav"
        play_sound(api, audio, kept=kept, what=f"message {message}")


@voicemail.command()
@click.argument("message")
@click.argument("file", type=click.Path(path_type=Path))
@pass_home
def export(home: Home, message: str, file: Path) -> None:
    """Write the sound of a message to FILE.wav."""
    if file.suffix != ".wav":
        raise Refused(f"a message is a .wav file; name it {file.with_suffix('.wav')}")
    with connect(home) as api:
        entry: dict[str, Any] = api.get(f"/voicemail/messages/{segment(message)}")
        try:
            with file.open("xb") as out:
                for part in api.download(f"/voicemail/messages/{segment(message)}/audio"):
                    out.write(part)
        except FileExistsError:
            raise Refused(f"{file} exists; choose another name or remove it") from None
        except OSError as error:
            raise Refused(f"{file} cannot be written: {error.strerror}") from None
        except Refused:
            file.unlink()
            raise
    click.echo(f"{file} is written: SHA-256 {entry['sha256']}")


@voicemail.command()
@click.argument("message")
@pass_home
def delete(home: Home, message: str) -> None:
    """Delete a message and its sound."""
    with connect(home) as api:
        api.delete(f"/voicemail/messages/{segment(message)}")
    click.echo(f"Message {message} is deleted")


@voicemail.command("set")
@click.argument("box")
@click.option("--pin", help='What the owner keys, 4 to 10 digits; "" for no PIN.')
@click.option("--mail", help='Where messages are mailed to; "" for nowhere.')
@click.option("--standard-greeting", is_flag=True, help="Forget the greeting that was recorded.")
@pass_home
def set_(home: Home, box: str, pin: str | None, mail: str | None, standard_greeting: bool) -> None:
    """Set the PIN of BOX, an extension's number or a box of dialplan.yaml, or its address."""
    if pin is None and mail is None and not standard_greeting:
        raise click.UsageError("Say what to set: --pin P, --mail ADDRESS, --standard-greeting")
    wanted = {"pin": pin, "mail": mail, "standard_greeting": standard_greeting}
    with connect(home) as api:
        remark = "" if _is_known(home, api, box) else "; but nobody has such a mailbox yet"
        api.put(f"/voicemail/boxes/{segment(box)}", wanted)
    click.echo(f"Mailbox {box} is set{remark}")


def _is_known(home: Home, api: ApiClient, box: str) -> bool:
    """Tell whether a box is an extension's, or stands in a dialplan that can be read."""
    try:
        plan, _ = check_plan(home.dialplan, VOCABULARY)
    except ConfigError:
        return True
    if plan is None or box in plan.voicemail:
        return True
    try:
        api.get(f"/extensions/{segment(box)}")
    except NotFound:
        return False
    return True
