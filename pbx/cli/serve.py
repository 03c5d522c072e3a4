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
    import logging

    from pbx import server

    require_office(home)
    settings = load_settings(home)
    logging.basicConfig(
        level=log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    server.serve(home, settings)
