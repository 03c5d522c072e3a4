"""What all routes share: how they get the office, the live server and the caller."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection

from pbx.api.access import Caller, needs
from pbx.api.centre import LiveCentre
from pbx.api.office import LiveOffice, Office
from pbx.errors import NotRunning


def _dialled(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9*#]{1,32}", text):
        raise ValueError(f"{text[:40]!r} is no number that can be dialled")
    return text


Dialled = Annotated[str, AfterValidator(_dialled)]
"""Digits, `*` and `#`, perhaps with a `+` before them: nothing else may come near a SIP URI."""

Word = Annotated[str, Field(max_length=200)]
"""A short text; what it must look like is the directory's to say, in its own sentence."""


async def _office(connection: HTTPConnection) -> Office:
    office: Office = connection.app.state.office
    return office


async def _live(connection: HTTPConnection) -> LiveOffice:
    office: Office = connection.app.state.office
    if office.live is None:
        raise NotRunning
    return office.live


async def _centre(connection: HTTPConnection) -> LiveCentre:
    live = await _live(connection)
    if live.centre is None:
        raise NotRunning
    return live.centre


OfficeHere = Annotated[Office, Depends(_office)]
LiveHere = Annotated[LiveOffice, Depends(_live)]
"""The running server; the request is refused with NotRunning where there is none."""

CentreHere = Annotated[LiveCentre, Depends(_centre)]
"""The running call centre; NotRunning where there is none."""

Reads = Annotated[Caller, Depends(needs("read"))]
Controls = Annotated[Caller, Depends(needs("control"))]
Administers = Annotated[Caller, Depends(needs("admin"))]


def wall(moment: datetime | None) -> float | None:
    """Return a moment as seconds since the epoch; one without an offset is UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def link_to_next(request: Request, last: str) -> dict[str, str]:
    """Return the Link header (RFC 8288) to the page behind `last`, for a page that is full."""
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "before"]
    following = f"{request.url.path}?{urlencode([*query, ('before', last)])}"
    return {"Link": f'<{following}>; rel="next"'}


class Body(BaseModel):
    """Base of request bodies: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def written(office: Office) -> None:
    """Let a running server read the directory again, after a write to it."""
    if office.live is not None:
        await office.live.directory_changed()
