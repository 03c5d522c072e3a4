"""A phone that can be rung: a registered binding, or the fixed address of a device."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.sip.flow import Flow
from pbx.sip.headers import NameAddr, Uri


@dataclass(frozen=True, slots=True)
class Contact:
    """One phone to ring: what to call it, and the flows to reach it by, tried in order."""

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
