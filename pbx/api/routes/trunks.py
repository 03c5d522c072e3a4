"""Lines to carriers."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from pbx.api.office import Srtp, TrunkDraft, TrunkView
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import Administers, Body, OfficeHere, Reads, Word, written
from pbx.api.views import Trunk
from pbx.errors import Refused

router = APIRouter(prefix="/trunks", tags=["trunks"])


class NewTrunk(Body):
    """A line to add. Calls are recognised as its own by the addresses in `match`."""

    name: Word
    server: Word
    username: Word | None = None
    password: Word | None = None
    register_: bool = Field(default=False, alias="register")
    match: tuple[Word, ...] = Field(default=(), max_length=100)
    max_calls: int | None = None
    srtp: Srtp = "optional"


@router.get("", responses=returns(list[Trunk]))
async def list_trunks(office: OfficeHere, _: Reads) -> Response:
    """Return all lines, sorted by name."""
    return reply([_view(trunk) for trunk in await office.directory.trunks()])


@router.post("", status_code=201, responses=returns(Trunk, status=201))
async def add_trunk(wanted: NewTrunk, office: OfficeHere, _: Administers) -> Response:
    """Add a line to a carrier that is recognised by its addresses."""
    if wanted.register_ or wanted.username is not None or wanted.password is not None:
        raise Refused(
            "registering with a carrier is not in this version yet; "
            "add the line by its addresses with --match ADDRESS"
        )
    await office.directory.add_trunk(
        TrunkDraft(
            name=wanted.name,
            server=wanted.server,
            match=wanted.match,
            max_calls=wanted.max_calls,
            srtp=wanted.srtp,
        )
    )
    await written(office)
    trunks = await office.directory.trunks()
    return reply(next(_view(trunk) for trunk in trunks if trunk.name == wanted.name), status=201)


@router.delete("/{name}", status_code=204)
async def remove_trunk(name: str, office: OfficeHere, _: Administers) -> Response:
    """Forget a line."""
    await office.directory.remove_trunk(name)
    await written(office)
    return nothing()


def _view(trunk: TrunkView) -> Trunk:
    return Trunk(
        name=trunk.name,
        server=trunk.server,
        username=trunk.username,
        register=trunk.register,
        match=tuple(trunk.match),
        max_calls=trunk.max_calls,
        srtp=trunk.srtp,
    )
