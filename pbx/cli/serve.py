"""`callpbx serve`: the server, in the foreground."""

from __future__ import annotations

import click

from pbx.cli.office import pass_home, require_office
from pbx.config import Home, load_settings


@click.command()
@click.option(
    "--log-level",
    default="info",
    type=click.Choice(["debug", "info", "warning"]),
    help="How much to log; info.",
)
@pass_home
def serve(home: Home, log_level: str) -> None:
    """Run the office in the foreground until SIGTERM or Ctrl-C.

    Prints one line that begins with "callpbx ready" once phones can register. The log goes to
    stderr.
    """
    from pbx import server
    from pbx.cli.log import log_to_stderr

    require_office(home)
    settings = load_settings(home)
    log_to_stderr(log_level)
    server.serve(home, settings)
