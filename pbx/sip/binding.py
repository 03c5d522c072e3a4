"""`Binding`: where a phone of an address of record is reached (RFC 3261 §10), and its stored form.

In memory all times are of the clock that never jumps; in the database they are milliseconds since
the epoch, so that a binding survives a restart. The two functions at the end convert, given both
clocks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def to_row(binding: Binding, *, now: float, wall: float) -> dict[str, Any]:
    """Return the binding as plain values by column name; `now` and `wall` are the same instant."""
    epoch = wall - now
    return {
        "aor": binding.aor,
        "contact": str(binding.contact),
        "transport": binding.flow.transport,
        "local_host": binding.flow.local[0],
        "local_port": binding.flow.local[1],
        "remote_host": binding.flow.remote[0],
        "remote_port": binding.flow.remote[1],
        "path": json.dumps([str(hop) for hop in binding.path]),
        "call_id": binding.call_id,
        "cseq": binding.cseq,
        "expires_at": round((binding.expires_at + epoch) * 1000.0),
        "user_agent": binding.user_agent,
        "instance": binding.instance,
        "registered_at": round((binding.registered_at + epoch) * 1000.0),
    }


def from_row(row: Mapping[str, Any], *, now: float, wall: float) -> Binding:
    """Read what `to_row` made, perhaps in an earlier run; the phone counts as reachable.

    Raises `MessageError` or `ValueError` where a column holds something else.
    """
    epoch = wall - now
    return Binding(
        row["aor"],
        Uri.parse(row["contact"]),
        Flow(
            row["transport"],
            (row["local_host"], row["local_port"]),
            (row["remote_host"], row["remote_port"]),
        ),
        tuple(NameAddr.parse(hop) for hop in json.loads(row["path"])),
        row["call_id"],
        row["cseq"],
        row["expires_at"] / 1000.0 - epoch,
        row["registered_at"] / 1000.0 - epoch,
        row["user_agent"],
        row["instance"],
    )
