"""How a command reaches the office.

The running server over its socket, or the database in this process.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import click

from pbx.api.client import ApiClient, in_process, over_socket
from pbx.config import Home, load_settings
from pbx.errors import NotRunning, Refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp

pass_home = click.make_pass_decorator(Home)


@contextlib.contextmanager
def connect(home: Home, *, create: bool = False) -> Iterator[ApiClient]:
    """Reach the office: its server where one runs, else its database.

    Raises Refused where there is no database yet, unless it is to be created.
    """
    from pbx.api.lock import share_lock

    if not create:
        require_office(home)
    with share_lock(home.lock) as free:
        if free:
            with in_process(lambda: _application(home)) as api:
                yield api
            return
    with over_socket(home.socket) as api:
        yield api


def require_office(home: Home) -> None:
    """Raise Refused where there is no office, or where it is somebody else's."""
    if home.var.exists() and not os.access(home.var, os.R_OK | os.W_OK | os.X_OK):
        owner = home.var.owner()
        raise Refused(f"the office in {home.path} is {owner}'s; run the command as that user")
    if not home.database.exists():
        raise Refused(f"there is no office in {home.path}; make one with callpbx init {home.path}")


@contextlib.contextmanager
def connect_live(home: Home) -> Iterator[ApiClient]:
    """Reach the running server; raises NotRunning where there is none."""
    from pbx.api.lock import server_is_running

    if not server_is_running(home.lock):
        raise NotRunning
    with over_socket(home.socket) as api:
        yield api


@contextlib.asynccontextmanager
async def _application(home: Home) -> AsyncIterator[ASGIApp]:
    from pbx.api.app import create_app
    from pbx.office import open_office

    async with open_office(home, load_settings(home)) as office:
        yield create_app(office)
