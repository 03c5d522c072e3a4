"""Agents of a call centre under test: made, sent to their seats and on a break, and phones that
answer by themselves as a busy agent does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from tests.kit.office import TestedOffice
from tests.kit.phones.pjsua import PhoneError, SoftCall, SoftPhone

Skills = Mapping[str, int]

LOOK_S = 0.5
"""Seconds after which a phone that nobody calls looks whether its work is over."""


def add_seats(office: TestedOffice, numbers: Iterable[str]) -> None:
    """Add extensions for agents beside those of the office."""
    office.add_extensions((number, f"phone-{number}-secret") for number in numbers)


def add_agents(office: TestedOffice, agents: Mapping[str, Skills]) -> None:
    """Make agents of extensions: on duty, and on a break."""
    with office.api() as api:
        for number, skills in agents.items():
            body = {"number": number, "skills": dict(skills)}
            api.post("/agents", json=body).raise_for_status()
            api.post(f"/agents/{number}/login").raise_for_status()
    rest(office, agents)


def rest(office: TestedOffice, agents: Iterable[str], reason: str = "break") -> None:
    """Send agents on a break."""
    with office.api() as api:
        for number in agents:
            body = {"reason": reason}
            api.post(f"/agents/{number}/pause", json=body).raise_for_status()


def work(office: TestedOffice, agents: Iterable[str]) -> None:
    """Let agents take calls again, one after the other."""
    with office.api() as api:
        for number in agents:
            api.post(f"/agents/{number}/resume").raise_for_status()


def doing(office: TestedOffice, agent: str) -> tuple[str, str | None]:
    """Return what an agent does, and why."""
    with office.api() as api:
        found: dict[str, Any] = api.get(f"/agents/{agent}").raise_for_status().json()
    return found["state"], found["reason"] or None


class Busy:
    """Agents' phones that answer each call and do `serve` with it, side by side, until the end."""

    def __init__(self, phones: Iterable[SoftPhone], serve: Callable[[SoftCall], None]) -> None:
        self._serve = serve
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(phone,)) for phone in phones]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, phone: SoftPhone) -> None:
        while not self._over.is_set():
            try:
                call = phone.incoming(timeout=LOOK_S)
            except PhoneError:
                continue  # nobody called
            self._serve(call)


def caller_of(call: SoftCall) -> str:
    """Return the number that a ringing phone shows."""
    assert call.invitation is not None
    remote: str = call.invitation["remote"]
    return remote.rpartition("sip:")[2].partition("@")[0]
