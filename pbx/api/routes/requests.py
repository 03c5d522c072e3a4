"""What all routes share: how they get the office, the live server and the caller."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, ConfigDict
from starlette.requests import HTTPConnection

from pbx.api.access import Caller, needs
from pbx.api.office import LiveOffice, Office
from pbx.errors import NotRunning

NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"
"""Pattern of texts that people read: no control characters, so no broken lines in logs and SIP."""


async def _office(connection: HTTPConnection) -> Office:
    office: Office = connection.app.state.office
    return office


async def _live(connection: HTTPConnection) -> LiveOffice:
    office: Office = connection.app.state.office
    if office.live is None:
        raise NotRunning
    return office.live


OfficeHere = Annotated[Office, Depends(_office)]
LiveHere = Annotated[LiveOffice, Depends(_live)]
"""The running server; the request is refused with NotRunning where there is none."""

Reads = Annotated[Caller, Depends(needs("read"))]
Controls = Annotated[Caller, Depends(needs("control"))]
Administers = Annotated[Caller, Depends(needs("admin"))]


class Body(BaseModel):
    """Base of request bodies: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def written(office: Office) -> None:
    """Let a running server read the directory again, after a write to it."""
    if office.live is not None:
        await office.live.directory_changed()
