"""`Binding`: where a phone of an address of record is reached (RFC 3261 §10).

All times are of the clock that never jumps; what is stored is `pbx.directory.bindings.BindingRow`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pbx.sip.flow import Flow
from pbx.sip.grammar import quote
from pbx.sip.headers import NameAddr
from pbx.sip.uri import Uri

AddressOfRecord = str
"""The number that phones register for."""

BindingKey = tuple[AddressOfRecord, str]
"""What a binding is found by: its address of record and its Contact URI as text."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One phone. Requests go to `flow`, where its REGISTER came from, with `contact` as their URI.

    `path` are the Route headers to put into them (RFC 3327), `instance` is the phone's own name
    (`+sip.instance`, RFC 5626 §4.1). `registered_at` is the time of the newest REGISTER.
    `round_trip_ms` comes from its answers to OPTIONS; two without answer make it not `reachable`.
    """

    aor: AddressOfRecord
    contact: Uri
    flow: Flow
    path: tuple[NameAddr, ...]
    call_id: str
    cseq: int
    expires_at: float
    registered_at: float
    user_agent: str | None = None
    instance: str | None = None
    round_trip_ms: float | None = None
    reachable: bool = True

    @property
    def key(self) -> BindingKey:
        """Return what this binding is found by."""
        return self.aor, str(self.contact)

    def remaining(self, now: float) -> int:
        """Return the whole seconds until it expires, never less than 0."""
        return max(0, round(self.expires_at - now))

    def contact_value(self, now: float) -> str:
        """Write the Contact value that a 200 to REGISTER lists it by (RFC 3261 §10.3 step 8)."""
        value = f"<{self.contact}>;expires={self.remaining(now)}"
        return value if self.instance is None else f"{value};+sip.instance={quote(self.instance)}"
