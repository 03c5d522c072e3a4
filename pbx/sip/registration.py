"""What a REGISTER leads to (RFC 3261 §10.3), as one function of what is known and what is asked.

Several phones share a number; the one that registered longest ago makes room for one too many. A
phone is known again by its Contact URI (§19.1.4), or by `+sip.instance` (RFC 5626 §4.1), so that
after a restart or a change of network its old binding goes. Path is kept and returned (RFC 3327).
Not here: who may register (`auth`), and the table itself (`registrar`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pbx.errors import MessageError
from pbx.sip.binding import AddressOfRecord, Binding
from pbx.sip.flow import Flow
from pbx.sip.grammar import printable, read_seconds
from pbx.sip.headers import NameAddr
from pbx.sip.message import Request

REORDERING = 32.0
"""Seconds in which an older REGISTER can still arrive (64·T1). Later, a smaller CSeq with the same
Call-ID is a phone that started anew."""

MAX_USER_AGENT = 200
"""Characters of User-Agent that are kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an office grants: expiry times in seconds, and phones of one extension."""

    min_expires: int = 60
    default_expires: int = 3600
    max_expires: int = 7200
    max_contacts: int = 5


@dataclass(frozen=True, slots=True)
class Registration:
    """What a REGISTER leads to: the answer, and the bindings to write and to delete.

    `slug` names the reason of a failure.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    upserts: tuple[Binding, ...] = ()
    removals: tuple[Binding, ...] = ()
    slug: str = ""


def register(
    request: Request,
    aor: AddressOfRecord,
    flow: Flow,
    known: Sequence[Binding],
    *,
    limits: Limits,
    now: float,
) -> Registration:
    """Return what this REGISTER leads to; `known` are the live bindings of `aor`, newest first.

    200 lists every binding there will be. Failures: 400 (malformed), 403 (too many Contacts at
    once), 423 with Min-Expires, 500 (older than what is known, §10.3 step 7).
    """
    try:
        if not request.to.uri.is_sip:
            raise MessageError(400, "aor_scheme")
        if request.contact_is_wildcard:
            return _remove_all(request, known, now)
        return _update(request, aor, flow, known, limits, now)
    except MessageError as error:
        return Registration(error.status, slug=error.slug)


def is_older(call_id: str, cseq: int, known: Binding, now: float) -> bool:
    """Tell whether a REGISTER came too late to say anything about `known` (§10.3 step 7)."""
    same_source = known.call_id == call_id and now - known.registered_at < REORDERING
    return same_source and cseq <= known.cseq


def _remove_all(request: Request, known: Sequence[Binding], now: float) -> Registration:
    if request.expires != 0:
        raise MessageError(400, "wildcard_without_expires_0")
    _check_order(request, known, now)
    return Registration(200, removals=tuple(known))


def _update(
    request: Request,
    aor: AddressOfRecord,
    flow: Flow,
    known: Sequence[Binding],
    limits: Limits,
    now: float,
) -> Registration:
    named: list[Binding] = []
    upserts: dict[str, Binding] = {}
    for contact in request.contacts:
        expires = _expiry(contact, request, limits)
        if 0 < expires < limits.min_expires:
            header = ("Min-Expires", str(limits.min_expires))
            return Registration(423, (header,), slug="interval_too_brief")
        same = [binding for binding in known if binding.contact.equals(contact.uri)]
        _check_order(request, same, now)
        named += same
        if expires:
            upserts[str(contact.uri)] = _bind(request, contact, aor, flow, now + expires, now)
    if len(upserts) > limits.max_contacts:
        return Registration(403, slug="too_many_contacts")
    kept = _keep(known, named, tuple(upserts.values()), limits)
    headers = [("Contact", b.contact_value(now)) for b in (*upserts.values(), *kept)]
    if upserts:
        headers += [("Path", str(hop)) for hop in request.paths]
    removals = (b for b in known if b not in kept and str(b.contact) not in upserts)
    return Registration(200, tuple(headers), tuple(upserts.values()), tuple(removals))


def _keep(
    known: Sequence[Binding], named: Sequence[Binding], new: Sequence[Binding], limits: Limits
) -> list[Binding]:
    instances = {binding.instance for binding in new if binding.instance is not None}
    others = [b for b in known if b not in named and b.instance not in instances]
    # Known is newest first, so what goes is what registered longest ago.
    return others[: limits.max_contacts - len(new)] if new else others


def _expiry(contact: NameAddr, request: Request, limits: Limits) -> int:
    expires = read_seconds(contact.parameters.get("expires"))
    if expires is None:
        expires = request.expires
    if expires is None:  # absent, or no number, which counts as absent (§20.19)
        expires = limits.default_expires
    return min(expires, limits.max_expires)


def _bind(
    request: Request,
    contact: NameAddr,
    aor: AddressOfRecord,
    flow: Flow,
    expires_at: float,
    now: float,
) -> Binding:
    if not contact.uri.is_sip:
        raise MessageError(400, "contact_scheme")
    instance = contact.parameters.get("+sip.instance")
    user_agent = request.user_agent
    return Binding(
        aor,
        contact.uri,
        flow,
        tuple(request.paths),
        printable(request.call_id),
        request.cseq.number,
        expires_at,
        now,
        None if user_agent is None else printable(user_agent)[:MAX_USER_AGENT],
        None if instance is None else printable(instance),
    )


def _check_order(request: Request, known: Iterable[Binding], now: float) -> None:
    call_id, number = printable(request.call_id), request.cseq.number
    if any(is_older(call_id, number, binding, now) for binding in known):
        raise MessageError(500, "out_of_order")
