"""`callpbx init`: a new office in a folder; nothing that is there is ever overwritten."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from pbx.api.client import ApiClient
from pbx.cli.extension import print_accounts
from pbx.cli.office import connect
from pbx.cli.text import plural
from pbx.config import Home
from pbx.errors import Refused

TEMPLATES = Path(__file__).parent / "templates"
DEFAULT_TEMPLATE = "office"
MAX_EXTENSIONS = 500

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


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--template", default=DEFAULT_TEMPLATE, help="Which sample dialplan to begin with.")
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
    template: str,
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


def _write_files(home: Home, template: str) -> None:
    known = sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())
    if template not in known:
        raise Refused(f'there is no template "{template}"; there is {", ".join(known)}')
    try:
        home.make_folders()
        _write_new(home.dialplan, TEMPLATES / template / "dialplan.yaml", mode=0o644)
        _write_new(
            home.settings, TEMPLATES / "callpbx.yaml", mode=0o600
        )  # may come to hold secrets
    except OSError as error:
        raise Refused(f"{error.filename} cannot be written: {error.strerror}") from None


def _write_new(target: Path, sample: Path, *, mode: int) -> None:
    """Copy a sample to where there is no file yet."""
    if target.exists():
        click.echo(f"{target} is there already and stays as it is")
        return
    target.touch(mode=mode)
    target.write_bytes(sample.read_bytes())
    click.echo(f"{target} is written")


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
