"""How the office is, and which phones are there."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.replies import reply, returns
from pbx.api.routes.requests import LiveHere, OfficeHere, Reads
from pbx.api.views import Registration, Status

router = APIRouter(tags=["status"])


@router.get("/status", responses=returns(Status))
async def show_status(office: OfficeHere, live: LiveHere, _: Reads) -> Response:
    """Return the server's health, and which phones are registered and which are not."""
    registered = {registration.number for registration in live.registrations()}
    numbers = [
        extension.number
        for extension in await office.directory.extensions()
        if extension.contact is None
    ]
    return reply(
        Status(
            server=live.status(),
            registered=tuple(number for number in numbers if number in registered),
            unregistered=tuple(number for number in numbers if number not in registered),
        )
    )


@router.get("/registrations", responses=returns(list[Registration]))
async def list_registrations(live: LiveHere, _: Reads) -> Response:
    """Return the live bindings, sorted by number."""
    return reply(live.registrations())
