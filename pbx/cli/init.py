"""`callpbx init`: a new office in a folder; nothing that is there is ever overwritten."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from pbx.api.client import ApiClient
from pbx.cli.extension import print_accounts
from pbx.cli.office import connect
from pbx.cli.text import plural
from pbx.config import Home
from pbx.errors import Refused
from pbx.marks.problem import did_you_mean

SAMPLES: Final = Path(__file__).parent / "templates"
"""Where the files are that a new office gets."""

TEMPLATES: Final[Mapping[str, str]] = {
    "office": "a greeting, a menu, opening hours, two groups of phones, a box for messages",
    "clinic": "three languages, test results by patient number, a doctor on call at night",
    "takeaway": "orders until two in the morning, with the customer's name and address",
    "property": "a property office: urgent repairs at night, a complaint line",
    "service-desk": "queues, an order look-up, a survey: all sections of the format at work",
    "callcentre": "two queues for agents by skill: an offer to call back, a survey, alarms",
    "outbound-desk": "a desk that calls out: call-backs, and a way to be left alone",
}
"""Sample dialplans: name → what is in it."""

DEFAULT_TEMPLATE: Final = "office"
MAX_EXTENSIONS: Final = 500

UNIT = """\
# Save as /etc/systemd/system/callpbx.service, then: systemctl enable --now callpbx
[Unit]
Description=callpbx telephone exchange ({home})
After=network-online.target
Wants=network-online.target

[Service]
User={user}
ExecStart={command} --home {home} serve
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=1
TimeoutStopSec=60
LimitNOFILE=1048576
# A large receive buffer for SIP needs this one capability.
AmbientCapabilities=CAP_NET_ADMIN
CapabilityBoundingSet=CAP_NET_ADMIN
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
"""


def numbers_of(
    _ctx: click.Context, _option: click.Parameter, value: str | None
) -> list[str] | None:
    """Return the numbers FIRST-LAST as a list; they keep leading zeros."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,15})(?:-([0-9]{1,15}))?", value)
    first, last = (found[1], found[2] or found[1]) if found else ("", "")
    if not first or len(first) != len(last) or int(first) > int(last):
        raise click.BadParameter("write FIRST-LAST, such as 101-104")
    if int(last) - int(first) >= MAX_EXTENSIONS:
        raise click.BadParameter(f"at most {MAX_EXTENSIONS} at once")
    return [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]


def sample_dialplan(template: str) -> Path:
    """Return the file of a template. Raises Refused where there is none of that name."""
    if template not in TEMPLATES:
        near = did_you_mean(template, TEMPLATES)
        raise Refused(
            f'there is no template "{template}"; {near + " There" if near else "there"} is '
            f"{', '.join(TEMPLATES)}"
        )
    return SAMPLES / "dialplan" / f"{template}.yaml"


def _list_templates() -> str:
    """Return the templates for the help; \b keeps click from folding the lines."""
    cells = max(map(len, TEMPLATES))
    lines = (f"  {name:{cells}}  {summary}" for name, summary in TEMPLATES.items())
    return "\n".join(("\b\nTemplates:", *lines))


@click.command(epilog=_list_templates())
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--template",
    metavar="NAME",
    help=f"Which sample dialplan to begin with; {DEFAULT_TEMPLATE} where nothing is said.",
)
@click.option(
    "--extensions",
    metavar="FIRST-LAST",
    callback=numbers_of,
    help="Add these phones, such as 101-104, and show what to type into them.",
)
@click.option("--systemd", is_flag=True, help="Print a systemd unit and do nothing else.")
@click.pass_context
def init(
    ctx: click.Context,
    folder: Path | None,
    template: str | None,
    extensions: list[str] | None,
    systemd: bool,
) -> None:
    """Make an office in DIR: commented dialplan.yaml and callpbx.yaml, and the database."""
    home = Home(folder.resolve()) if folder else ctx.obj
    if systemd:
        click.echo(unit(home))
        return
    _write_files(home, template)
    with connect(home, create=True) as api:
        _add_extensions(api, home, extensions or [])
    click.echo(f"The office is in {home.path}; start it with callpbx --home {home.path} serve")


def unit(home: Home) -> str:
    """Return a systemd unit for an office."""
    import getpass
    import shlex
    import shutil

    command = shutil.which("callpbx") or str(Path(sys.executable).with_name("callpbx"))
    return UNIT.format(
        home=shlex.quote(str(home.path)), command=command, user=getpass.getuser()
    ).rstrip()


def _write_files(home: Home, template: str | None) -> None:
    sample = sample_dialplan(template or DEFAULT_TEMPLATE)
    try:
        home.make_folders()
        written = _write_new(home.dialplan, sample, mode=0o644)
        if template is not None and not written:
            click.echo(f"To begin anew with {template}, move it away and run this again")
        # The settings may come to hold secrets.
        _write_new(home.settings, SAMPLES / "callpbx.yaml", mode=0o600)
    except OSError as error:
        raise Refused(f"{error.filename} cannot be written: {error.strerror}") from None


def _write_new(target: Path, sample: Path, *, mode: int) -> bool:
    """Copy a sample to where there is no file yet; tell whether it was."""
    if target.exists():
        click.echo(f"{target} is there already and stays as it is")
        return False
    target.touch(mode=mode)
    target.write_bytes(sample.read_bytes())
    click.echo(f"{target} is written")
    return True


def _add_extensions(api: ApiClient, home: Home, numbers: list[str]) -> None:
    """Add the phones that are missing and print what to type into them."""
    present = {row["number"] for row in api.get("/extensions")}
    created = [
        api.post("/extensions", {"number": number}) for number in numbers if number not in present
    ]
    if created:
        click.echo()
        print_accounts(created)
    kept = [number for number in numbers if number in present]
    if kept:
        click.echo(
            f"{plural(len(kept), 'phone')} there already: {', '.join(kept)}. For a new password: "
            f"callpbx --home {home.path} extension set {kept[0]} --new-password"
        )
