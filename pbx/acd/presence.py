"""Whose phone can be rung: what the registrar knows, in the terms of the queue engine.

An agent is reachable while a phone of the extension is registered and answers, or where the
extension has a fixed contact. Whenever that changes the floor is told, with the cause for
supervisors: the registrar calls `changed` for each number whose phones came, went, fell silent or
answer again, so nothing is asked in turns. How soon silence is noticed is the registrar's matter.

`restore` lets agents go on where they were when the server stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, Protocol

from pbx.acd.inputs import AnyInput, LoggedIn, PauseAsked, PhoneReachable, PhoneUnreachable
from pbx.acd.keeping import Duty
from pbx.events.bus import Clock
from pbx.plan.opening import zone_named

NOT_REGISTERED: Final = "no phone is registered"


class Ears(Protocol):
    """Who is told: the floor."""

    clock: Clock

    def tell(self, event: AnyInput) -> None:
        """Take what happened."""


class Phone(Protocol):
    """A registered phone."""

    @property
    def reachable(self) -> bool:
        """Tell whether it answers."""


class Phones(Protocol):
    """The registrar."""

    def bindings(self, aor: str, now: float) -> Sequence[Phone]:
        """Return the registered phones of a number."""


class Entry(Protocol):
    """An extension, as far as it matters here."""

    @property
    def contact(self) -> str | None:
        """Return the fixed SIP URI of a device that never registers."""


class Extensions(Protocol):
    """The directory in memory."""

    def extension(self, number: str) -> Entry | None:
        """Return the extension of that number."""


class Presence:
    """Tells the floor whose phone can be rung.

    `timezone` returns the office's, for the time since when a phone is silent.
    """

    def __init__(
        self,
        floor: Ears,
        registrar: Phones,
        directory: Extensions,
        *,
        timezone: Callable[[], str],
    ) -> None:
        self._floor = floor
        self._registrar = registrar
        self._directory = directory
        self._timezone = timezone
        self._told: dict[str, str] = {}
        """Agent → why its phone cannot be rung, as the floor was told; "" where it can."""

    def directory_changed(self, agents: Iterable[str]) -> None:
        """Look after these agents from now on, which the floor knows already, and no others."""
        numbers = tuple(agents)
        self._told = {number: self._told[number] for number in numbers if number in self._told}
        for number in numbers:
            self._look(number)

    def changed(self, number: str) -> None:
        """Look at the phones of a number again; without effect where no agent has it."""
        if number in self._told:
            self._look(number)

    def _look(self, number: str) -> None:
        before = self._told.get(number)
        cause = self._cause(number, before)
        if cause == before:
            return
        self._told[number] = cause
        if cause:
            self._floor.tell(PhoneUnreachable(number, cause))
        else:
            self._floor.tell(PhoneReachable(number))

    def _cause(self, number: str, before: str | None) -> str:
        extension = self._directory.extension(number)
        if extension is not None and extension.contact is not None:
            return ""
        phones = self._registrar.bindings(number, self._floor.clock.monotonic())
        if not phones:
            return NOT_REGISTERED
        if any(phone.reachable for phone in phones):
            return ""
        if before and before != NOT_REGISTERED:
            return before  # silent since the time that was told
        now = datetime.fromtimestamp(self._floor.clock.wall(), zone_named(self._timezone()))
        return f"phone does not answer since {now:%H:%M}"


def restore(floor: Ears, duties: Iterable[Duty]) -> None:
    """Let agents be on duty and paused as they were; a break ends when it would have."""
    now = floor.clock.wall()
    for duty in duties:
        if not duty.logged_in:
            continue
        floor.tell(LoggedIn(duty.agent))
        left = None if duty.until is None else duty.until - now
        if duty.pause is not None and (left is None or left > 0.0):
            floor.tell(PauseAsked(duty.agent, duty.pause, left))
