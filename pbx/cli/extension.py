"""`callpbx extension …`: the directory of phones."""

from __future__ import annotations

import sys
from typing import Any

import click

from pbx.api.client import segment
from pbx.cli.office import connect, pass_home
from pbx.cli.output import as_json, figures, print_json, print_table, span
from pbx.config import Home, duration

SRTP = click.Choice(("required", "optional", "off"))
RESET = "callpbx extension set {} --new-password"


def seconds_of(_ctx: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of a length of time with its unit: 20s, 2m."""
    try:
        return None if value is None else duration(value)
    except ValueError as error:
        raise click.BadParameter(f'"{value}" {error}') from None


@click.group()
def extension() -> None:
    """Phones: add, list, show, set, remove."""


@extension.command()
@click.argument("number")
@click.option("--name", help="The name that others see.")
@click.option("--password", help="Made and shown once where it is left out.")
@click.option("--contact", help="SIP URI of a device that never registers.")
@click.option("--srtp", type=SRTP, default="optional", help="Whether its speech is encrypted.")
@click.option("--qr/--no-qr", default=None, help="Draw a QR code; the default on a terminal.")
@as_json
@pass_home
def add(
    home: Home,
    number: str,
    name: str | None,
    password: str | None,
    contact: str | None,
    srtp: str,
    qr: bool | None,
    as_json: bool,
) -> None:
    """Add a phone and show what to type into it."""
    body = {
        "number": number,
        "name": name,
        "password": password,
        "contact": contact,
        "srtp": srtp,
    }
    with connect(home) as api:
        created = api.post("/extensions", body)
    _show_account(created, qr=qr, as_json=as_json)


@extension.command("list")
@as_json
@pass_home
def list_(home: Home, as_json: bool) -> None:
    """List all phones."""
    with connect(home) as api:
        rows = api.get("/extensions")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Number", "Name", "Registered", figures("No answer"), "Voicemail", "SRTP", "Contact"],
        [
            (
                row["number"],
                row["name"],
                row["registered"],
                span(row["no_answer_s"]),
                row["voicemail"],
                row["srtp"],
                row["contact"],
            )
            for row in rows
        ],
        empty="No phones yet; add one with callpbx extension add 101",
    )


@extension.command()
@click.argument("number")
@as_json
@pass_home
def show(home: Home, number: str, as_json: bool) -> None:
    """Show one phone."""
    with connect(home) as api:
        row = api.get(f"/extensions/{segment(number)}")
    if as_json:
        print_json(row)
        return
    _print_extension(row)


@extension.command("set")
@click.argument("number")
@click.option("--name", help='The name that others see; "" clears it.')
@click.option("--password", help="A password of your own.")
@click.option("--new-password", is_flag=True, help="Make a new password and show it once.")
@click.option("--no-answer", callback=seconds_of, help="How long it rings, such as 20s.")
@click.option("--voicemail", type=bool, metavar="yes|no", help="Whether it has a mailbox.")
@click.option("--contact", help='SIP URI of a device that never registers; "" clears it.')
@click.option("--srtp", type=SRTP, help="Whether its speech is encrypted.")
@click.option("--caller-id", help='The number that the outside sees, one of ours; "" clears it.')
@click.option("--qr/--no-qr", default=None, help="Draw a QR code; the default on a terminal.")
@as_json
@pass_home
def set_(
    home: Home,
    number: str,
    name: str | None,
    password: str | None,
    new_password: bool,
    no_answer: float | None,
    voicemail: bool | None,
    contact: str | None,
    srtp: str | None,
    caller_id: str | None,
    qr: bool | None,
    as_json: bool,
) -> None:
    """Change a phone."""
    given = {
        "name": name,
        "password": password,
        "no_answer_s": no_answer,
        "voicemail": voicemail,
        "contact": contact,
        "srtp": srtp,
        "caller_id": caller_id,
    }
    change = {key: value for key, value in given.items() if value is not None}
    if not change and not new_password:
        raise click.UsageError("say what to change, such as --name Alice")
    if password is not None and new_password:
        raise click.UsageError("--password and --new-password exclude each other")
    path = f"/extensions/{segment(number)}"
    with connect(home) as api:
        row = api.patch(path, change)
        if new_password:
            account = api.post(f"{path}/password")
            _show_account(account, qr=qr, as_json=as_json)
            return
    if as_json:
        print_json(row)
    else:
        _print_extension(row)


@extension.command()
@click.argument("number")
@pass_home
def remove(home: Home, number: str) -> None:
    """Forget a phone."""
    with connect(home) as api:
        api.delete(f"/extensions/{segment(number)}")
    click.echo(f"Extension {number} is removed")


@extension.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@pass_home
def reissue(home: Home, yes: bool, as_json: bool) -> None:
    """Give every phone a new password, as a changed realm demands."""
    if not yes:
        click.confirm(
            "No phone can register until its new password is typed in. Go on?", abort=True
        )
    with connect(home) as api:
        accounts = api.post("/extensions/reissue")
    if as_json:
        print_json(accounts)
    else:
        print_accounts(accounts)


def print_accounts(accounts: list[dict[str, Any]]) -> None:
    """Print what to type into many phones."""
    print_table(
        ["Server", "User", "Password"],
        [(row["server"], row["user"], row["password"]) for row in accounts],
        empty="No phones",
    )
    click.echo("\nThe passwords are shown only now.")


def _print_extension(row: dict[str, Any]) -> None:
    lines = [
        ("Number", row["number"]),
        ("Name", row["name"]),
        ("Registered", row["registered"]),
        ("No answer", f"after {span(row['no_answer_s'])}"),
        ("Voicemail", row["voicemail"]),
        ("SRTP", row["srtp"]),
        ("Contact", row["contact"]),
        ("Caller number", row["caller_id"]),
    ]
    print_table(["Extension", row["number"]], lines[1:], empty="")


def _show_account(account: dict[str, Any], *, qr: bool | None, as_json: bool) -> None:
    if as_json:
        print_json(account)
        return
    title = f"Extension {account['number']}" + (f" ({account['name']})" if account["name"] else "")
    click.echo(f"{title} is ready. Type this into the phone:\n")
    for label, key in (("Server", "server"), ("User", "user"), ("Password", "password")):
        click.echo(f"  {label:<10}{account[key]}")
    click.echo(f"\nThe password is shown only now. Lost it? {RESET.format(account['number'])}")
    if qr if qr is not None else sys.stdout.isatty():
        click.echo("Or scan it with a softphone:\n")
        draw_qr(account)


def draw_qr(account: dict[str, Any]) -> None:
    """Draw the account as a QR code: a SIP URI with its password (RFC 3261 §19.1.1)."""
    import segno

    uri = f"sip:{account['user']}:{escape(account['password'])}@{account['server']}"
    segno.make(uri, error="m").terminal(compact=True)


def escape(password: str) -> str:
    """Return a password as the user part of a SIP URI may hold it."""
    return "".join(
        c if c.isalnum() or c in "-_.!~*'()&=+$," else f"%{ord(c):02X}" for c in password
    )
