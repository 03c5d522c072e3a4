"""The directory of phones."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.office import ExtensionChange, ExtensionView, Office, Srtp
from pbx.api.passwords import make_password, weakness
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import Administers, Body, OfficeHere, Reads, Word, written
from pbx.api.views import Extension, ExtensionCreated
from pbx.errors import Refused

router = APIRouter(prefix="/extensions", tags=["extensions"])


class NewExtension(Body):
    """A phone to add. A password is made where none is given."""

    number: Word
    name: Word | None = None
    password: Word | None = None
    contact: Word | None = None
    srtp: Srtp = "optional"


class ChangedExtension(Body):
    """What to change of a phone: fields left out stay; an empty name, contact or caller_id
    is cleared."""

    name: Word | None = None
    password: Word | None = None
    no_answer_s: float | None = None
    voicemail: bool | None = None
    contact: Word | None = None
    srtp: Srtp | None = None
    caller_id: Word | None = None


@router.get("", responses=returns(list[Extension]))
async def list_extensions(office: OfficeHere, _: Reads) -> Response:
    """Return all phones, sorted by number."""
    registered = _registered(office)
    extensions = await office.directory.extensions()
    return reply([_view(extension, registered) for extension in extensions])


@router.post("", status_code=201, responses=returns(ExtensionCreated, status=201))
async def add_extension(wanted: NewExtension, office: OfficeHere, _: Administers) -> Response:
    """Add a phone and return what to type into it. The password is shown here and never again."""
    password = _password(wanted.number, wanted.password)
    await office.directory.add_extension(
        wanted.number,
        name=wanted.name or None,
        password=password,
        contact=wanted.contact or None,
        srtp=wanted.srtp,
    )
    await written(office)
    name = wanted.name or None
    return reply(_account(office, wanted.number, name, password), status=201)


@router.get("/{number}", responses=returns(Extension))
async def show_extension(number: str, office: OfficeHere, _: Reads) -> Response:
    """Return one phone."""
    return reply(_view(await office.directory.extension(number), _registered(office)))


@router.patch("/{number}", responses=returns(Extension))
async def change_extension(
    number: str, wanted: ChangedExtension, office: OfficeHere, _: Administers
) -> Response:
    """Change a phone."""
    if wanted.password is not None:
        _password(number, wanted.password)
    change = ExtensionChange(**wanted.model_dump())
    await office.directory.change_extension(number, change)
    await written(office)
    return reply(_view(await office.directory.extension(number), _registered(office)))


@router.post("/{number}/password", responses=returns(ExtensionCreated))
async def reset_password(number: str, office: OfficeHere, _: Administers) -> Response:
    """Give a phone a new password and return it, this once."""
    password = make_password()
    await office.directory.change_extension(number, ExtensionChange(password=password))
    await written(office)
    name = (await office.directory.extension(number)).name
    return reply(_account(office, number, name, password))


@router.post("/reissue", responses=returns(list[ExtensionCreated]))
async def reissue_passwords(office: OfficeHere, _: Administers) -> Response:
    """Give every phone a new password, for the realm of callpbx.yaml; show them, this once."""
    extensions = await office.directory.extensions()
    passwords = {extension.number: make_password() for extension in extensions}
    await office.directory.reissue(passwords)
    await written(office)
    return reply(
        [
            _account(office, extension.number, extension.name, passwords[extension.number])
            for extension in extensions
        ]
    )


@router.delete("/{number}", status_code=204)
async def remove_extension(number: str, office: OfficeHere, _: Administers) -> Response:
    """Forget a phone, and its mailbox with all that is in it."""
    await office.directory.remove_extension(number)
    await office.mailboxes.remove(number)
    await written(office)
    return nothing()


def _password(number: str, given: str | None) -> str:
    """Return the password to use; raises Refused where the given one is too weak."""
    if given is None:
        return make_password()
    if reason := weakness(number, given):
        raise Refused(f"{reason}; leave it out and a strong one is made")
    return given


def _account(office: Office, number: str, name: str | None, password: str) -> ExtensionCreated:
    return ExtensionCreated(
        number=number, name=name, server=office.server, user=number, password=password
    )


def _registered(office: Office) -> frozenset[str] | None:
    """Return the numbers with a live binding; None where no server knows."""
    if office.live is None:
        return None
    return frozenset(registration.number for registration in office.live.registrations())


def _view(extension: ExtensionView, registered: frozenset[str] | None) -> Extension:
    return Extension(
        number=extension.number,
        name=extension.name,
        registered=None if registered is None else extension.number in registered,
        voicemail=extension.voicemail,
        no_answer_s=extension.no_answer_s,
        contact=extension.contact,
        srtp=extension.srtp,
        caller_id=extension.caller_id,
    )
