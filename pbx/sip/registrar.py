"""The registrar's table: which phones an extension has, and whether they still answer.

`register` says what a REGISTER leads to (`registration` has the rules) and changes nothing; `apply`
makes the change, once it is stored. Who may register for what is decided before. Calls go where the
REGISTER came from, never to what Contact names: that is what works through NAT (`Binding.flow`).

Every binding is due for an OPTIONS every 30 s, at a moment of its own, so that the bindings are
asked evenly and not in bursts; one that did not answer is asked again at once, so that a phone that
vanished is known within 30 s and two times the patience. Sending them and timing the answer is the
caller's work. Whoever wants to know whose phones came, went, fell silent or answer again sets
`changed`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from pbx.sip.binding import AddressOfRecord, Binding, BindingKey
from pbx.sip.deadlines import NEVER, Deadlines
from pbx.sip.flow import Address, Flow
from pbx.sip.guard import source_key
from pbx.sip.message import Request
from pbx.sip.registration import Limits, Registration, is_older, register

__all__ = ["AddressOfRecord", "Binding", "Registrar", "Registration"]

QUALIFY_INTERVAL = 30.0
"""Seconds between two OPTIONS to one phone."""

QUALIFY_MISSES = 2
"""Unanswered OPTIONS in a row that make a phone unreachable."""

QUALIFY_PATIENCE = 10.0
"""Seconds after which an OPTIONS counts as not answered; the transaction may go on for longer."""

LOST_PROBE = 75.0
"""Seconds after which an OPTIONS whose outcome was never told is sent again."""

_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, fill the interval evenly at any count


class _Entry:
    """A binding in the table; wakes when it expires."""

    __slots__ = ("_gone", "armed_at", "binding", "present", "probe")

    def __init__(self, binding: Binding, probe: _Probe, gone: list[Binding]) -> None:
        self.binding = binding
        self.probe = probe
        self.present = True
        self.armed_at = NEVER
        self._gone = gone

    def wakes_at(self) -> float:
        """Return when the binding expires."""
        return self.binding.expires_at if self.present else NEVER

    def wake(self, now: float) -> None:
        """Note that it expired; the registrar then takes it out."""
        self.present = False
        self._gone.append(self.binding)


class _Probe:
    """What is known of a phone's answers; wakes when the next OPTIONS is due."""

    __slots__ = ("_due", "armed_at", "entry", "misses", "next_at", "sent_at")

    def __init__(self, next_at: float, due: list[Binding]) -> None:
        self.entry: _Entry | None = None
        self.next_at = next_at
        self.sent_at = next_at
        self.misses = 0
        self.armed_at = NEVER
        self._due = due

    def wakes_at(self) -> float:
        """Return when the next OPTIONS is due."""
        return self.next_at if self.entry is not None and self.entry.present else NEVER

    def wake(self, now: float) -> None:
        """Hand the binding out to be asked; unless its outcome is told, it is asked again later."""
        assert self.entry is not None
        self._due.append(self.entry.binding)
        self.sent_at = now
        self.next_at = now + LOST_PROBE


class Registrar:
    """The bindings of all extensions."""

    def __init__(
        self,
        *,
        min_expires: int = 60,
        default_expires: int = 3600,
        max_expires: int = 7200,
        max_contacts: int = 5,
    ) -> None:
        """Make an empty table. Expiry times are in seconds, `max_contacts` counts phones."""
        self.changed: Callable[[AddressOfRecord], None] = lambda _aor: None
        self._limits = Limits(min_expires, default_expires, max_expires, max_contacts)
        self._entries: dict[AddressOfRecord, dict[str, _Entry]] = {}
        self._by_flow: dict[tuple[str, Address], set[BindingKey]] = {}
        self._sources: Counter[str] = Counter()
        self._expiries = Deadlines()
        self._probes = Deadlines()
        self._gone: list[Binding] = []
        self._due: list[Binding] = []
        self._added = 0

    # What a REGISTER does.

    def register(
        self, request: Request, aor: AddressOfRecord, flow: Flow, now: float
    ) -> Registration:
        """Return what this REGISTER for `aor` leads to; nothing is changed yet."""
        return register(request, aor, flow, self.bindings(aor, now), limits=self._limits, now=now)

    def apply(self, registration: Registration, now: float) -> None:
        """Make the change. What a newer REGISTER did since it was decided stands."""
        for binding in registration.removals:
            entry = self._find(binding.key)
            if entry is not None and _same_registration(entry.binding, binding):
                self._remove(entry)
        for binding in registration.upserts:
            entry = self._find(binding.key)
            if entry is not None and is_older(binding.call_id, binding.cseq, entry.binding, now):
                continue
            self._put(binding, now)
        self._tell((*registration.removals, *registration.upserts))

    def load(self, bindings: Iterable[Binding], now: float) -> None:
        """Take in stored bindings; those that have expired are left out."""
        loaded = [binding for binding in bindings if binding.expires_at > now]
        for binding in loaded:
            self._put(binding, now)
        self._tell(loaded)

    def remove(self, aor: AddressOfRecord) -> list[Binding]:
        """Forget an extension; return the bindings it had."""
        entries = list(self._entries.get(aor, {}).values())
        for entry in entries:
            self._remove(entry)
        gone = [entry.binding for entry in entries]
        self._tell(gone)
        return gone

    def expire(self, now: float) -> list[Binding]:
        """Take out what has expired, and return it."""
        self._expiries.advance(now)
        gone = self._gone.copy()
        self._gone.clear()
        for binding in gone:
            self._take_out(binding)
        self._tell(gone)
        return gone

    def next_expiry(self) -> float | None:
        """Return when `expire` is worth calling; None while there are no bindings."""
        return self._expiries.next_at()

    # Who is there.

    def bindings(self, aor: AddressOfRecord, now: float) -> list[Binding]:
        """Return the live bindings of an extension, the newest registration first."""
        entries = self._entries.get(aor)
        if not entries:
            return []
        live = [e.binding for e in entries.values() if e.binding.expires_at > now]
        return sorted(live, key=lambda binding: -binding.registered_at)

    def all(self, now: float) -> list[Binding]:
        """Return every live binding, by number."""
        return [binding for aor in sorted(self._entries) for binding in self.bindings(aor, now)]

    def on_flow(self, flow: Flow) -> set[AddressOfRecord]:
        """Return the extensions that are registered over this flow."""
        return {aor for aor, _ in self._by_flow.get((flow.transport, flow.remote), ())}

    def has_source(self, source: str) -> bool:
        """Tell whether a phone is registered from this source (`guard.source_key`)."""
        return source in self._sources

    # Whether they are reachable.

    def due_for_qualify(self, now: float) -> list[Binding]:
        """Return the bindings that are to get an OPTIONS now; each outcome goes to `qualified`."""
        self._probes.advance(now)
        due = self._due.copy()
        self._due.clear()
        return due

    def next_qualify(self) -> float | None:
        """Return when `due_for_qualify` is worth calling; None while there are no bindings."""
        return self._probes.next_at()

    def qualified(
        self, binding: Binding, round_trip_ms: float | None, now: float
    ) -> Binding | None:
        """Note the outcome of an OPTIONS: its time in milliseconds, or None for no answer.

        Returns the binding as it is now where it has become reachable or unreachable, else None.
        """
        entry = self._find(binding.key)
        if entry is None:
            return None
        probe = entry.probe
        probe.misses = probe.misses + 1 if round_trip_ms is None else 0
        doubtful = 0 < probe.misses < QUALIFY_MISSES
        probe.next_at = now if doubtful else max(now, probe.sent_at + QUALIFY_INTERVAL)
        self._probes.arm(probe, probe.next_at)
        before = entry.binding
        if round_trip_ms is not None:
            entry.binding = replace(before, round_trip_ms=round_trip_ms, reachable=True)
        elif probe.misses >= QUALIFY_MISSES:
            entry.binding = replace(before, reachable=False)
        if entry.binding.reachable == before.reachable:
            return None
        self.changed(entry.binding.aor)
        return entry.binding

    def flow_closed(self, flow: Flow) -> list[Binding]:
        """Note that a connection is gone: its phones are unreachable until they register again.

        Returns the bindings that changed.
        """
        changed = []
        for key in self._by_flow.get((flow.transport, flow.remote), ()):
            entry = self._find(key)
            if entry is not None and entry.binding.reachable:
                entry.binding = replace(entry.binding, reachable=False)
                changed.append(entry.binding)
        self._tell(changed)
        return changed

    def snapshot(self) -> dict[str, int]:
        """Return how many extensions, bindings and flows there are."""
        return {
            "extensions": len(self._entries),
            "bindings": sum(map(len, self._entries.values())),
            "flows": len(self._by_flow),
        }

    def _tell(self, bindings: Iterable[Binding]) -> None:
        for aor in dict.fromkeys(binding.aor for binding in bindings):
            self.changed(aor)

    # The table.

    def _find(self, key: BindingKey) -> _Entry | None:
        return self._entries.get(key[0], {}).get(key[1])

    def _put(self, binding: Binding, now: float) -> None:
        entry = self._find(binding.key)
        if entry is None:
            entry = self._new_entry(binding, now)
        else:
            self._unindex(entry.binding)
            if entry.binding.round_trip_ms is not None:
                binding = replace(binding, round_trip_ms=entry.binding.round_trip_ms)
            entry.binding = binding
            entry.probe.misses = 0
        flow = (binding.flow.transport, binding.flow.remote)
        self._by_flow.setdefault(flow, set()).add(binding.key)
        self._sources[source_key(binding.flow.remote[0])] += 1
        self._expiries.arm(entry, binding.expires_at)

    def _new_entry(self, binding: Binding, now: float) -> _Entry:
        self._added += 1
        first = now + QUALIFY_INTERVAL * (self._added * _GOLDEN % 1.0)
        probe = _Probe(first, self._due)
        entry = _Entry(binding, probe, self._gone)
        probe.entry = entry
        self._probes.arm(probe, first)
        aor, contact = binding.key
        self._entries.setdefault(aor, {})[contact] = entry
        return entry

    def _remove(self, entry: _Entry) -> None:
        entry.present = False
        self._take_out(entry.binding)

    def _take_out(self, binding: Binding) -> None:
        aor, contact = binding.key
        entries = self._entries[aor]
        del entries[contact]
        if not entries:
            del self._entries[aor]
        self._unindex(binding)

    def _unindex(self, binding: Binding) -> None:
        flow = (binding.flow.transport, binding.flow.remote)
        keys = self._by_flow[flow]
        keys.discard(binding.key)
        if not keys:
            del self._by_flow[flow]
        source = source_key(binding.flow.remote[0])
        self._sources[source] -= 1
        if not self._sources[source]:
            del self._sources[source]


def _same_registration(left: Binding, right: Binding) -> bool:
    return (left.call_id, left.cseq) == (right.call_id, right.cseq)
