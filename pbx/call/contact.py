"""Somebody that can be rung: a phone's registered binding, the fixed address of a device, or a
number of the outside by way of a line."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.sip.account import Account
from pbx.sip.flow import Flow
from pbx.sip.headers import NameAddr, Uri


@dataclass(frozen=True, slots=True)
class Carried:
    """What an INVITE to a carrier says otherwise than one to a phone.

    `from_` is its whole From, `token` the user part of our Contact. `by` is the extension that pays
    with its toll-fraud limits where the number is `abroad`; None: nobody but the office.
    `silent_after` is how many seconds without any response count as a failure of the line; None: as
    long as SIP waits.
    """

    from_: NameAddr
    token: str
    account: Account | None = None
    silent_after: float | None = None
    by: str | None = None
    abroad: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """One party to ring: what to call it, and the flows to reach it by, tried in order."""

    number: str
    uri: Uri
    flows: tuple[Flow, ...]
    route: tuple[NameAddr, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers of the INVITE: what makes a supervisor's phone answer by itself."""
    trunk: str | None = None
    """The line to a carrier that it is reached by; None for the office's own phones."""
    caller_id: str | None = None
    """The number that is shown in place of the caller's; None for the caller's."""
    caller_name: str | None = None
    """The name that is shown in place of the caller's; None for the caller's."""
    carried: Carried | None = None
    """How it is asked for at a carrier; None for the office's own phones."""
    otherwise: tuple[Contact, ...] = ()
    """The same party by other lines, rung one after the other where the line before fails."""
