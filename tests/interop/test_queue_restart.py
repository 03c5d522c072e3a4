"""The server is killed while forty callers wait: who was on duty, who is to be called back and who
was where in the queue is known again as soon as it is back."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import Phones, assert_stopped_properly
from tests.kit.agents import Busy, add_agents, add_seats, caller_of, rest, work
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.phones.sipp import Sipp

TRUNK_PORT = 5081
RESTART_S = 3.0
WRITTEN_S = 1.0
"""A second after which whatever the server knew is kept for certain."""

DIALPLAN = """
version: 1
numbers: {"400": queue:service, "401": queue:tech}
queues:
  service:
    skills: {service: 1}
    wrap_up: 0s
    whisper: no
    keys: {2: callback}
    if_no_agents: hangup
  tech:
    like: service
    skills: {tech: 1}
    callback: {first: customer, again: [0s, 1h]}
"""

CALLERS = [(f"50{number}", "400") for number in range(10, 50)]


@pytest.mark.interop("sipp", "pjsua2")
@pytest.mark.load
@pytest.mark.timeout(120)
def test_the_server_is_killed_under_forty_waiting_callers(
    make_office: OfficeMaker, phones: Phones, tmp_path: Path
) -> None:
    office = make_office(dialplan=DIALPLAN)
    office.start()
    office.add_load_trunk(port=TRUNK_PORT)
    (*customers, desk) = soft(phones, office, "101", "102", "103")
    add_seats(office, ["201", "202", "203"])
    add_agents(office, {"103": {"service": 5}, "201": {"service": 5}, "202": {"service": 5}})
    office.add_fixed_phone("204", port=5080)
    add_agents(office, {"204": {"tech": 5}, "203": {"service": 5}})
    office.cli("agent", "logout", "203")
    rest(office, ["201"], "lunch")

    book_and_miss(office, customers[1])
    book(customers[0], office.uri("400"))
    with Sipp(
        "waiter", tmp_path, port=TRUNK_PORT, target=office.server, callers=CALLERS, rate=10
    ) as callers:
        eventually(lambda: waiting(office), lambda count: count == len(CALLERS) + 1, timeout=30)
        time.sleep(WRITTEN_S)
        places = {each["number"]: each for each in callers_of(office)}
        before = known(office)
        office.kill()
        callers.stop()
    started = time.monotonic()
    office.start()
    after = known(office)
    assert time.monotonic() - started < RESTART_S
    assert after == before
    agents, callbacks = after
    assert agents["103"] == ("paused", True, "break")
    assert agents["201"][1:] == (True, "lunch")
    assert agents["203"][1:] == (False, None)
    assert agents["204"] == ("available", True, None)
    assert [(each["number"], each["queue"], each["tries"]) for each in callbacks] == [
        ("102", "tech", 1),
        ("101", "service", 0),
    ]

    cut_off = office.ask("cdr", "list", "--result", "interrupted", "--limit", "100")
    assert Counter(record["caller"]["number"] for record in cut_off) == {
        number: 1 for number, _ in CALLERS
    }
    assert {record["queue"] for record in cut_off} == {"service"}

    again = ["5099", "5030", "5010", "5020"]  # the first one was not there before
    (tmp_path / "again").mkdir()
    served: list[str] = []
    with Sipp(
        "waiter",
        tmp_path / "again",
        port=TRUNK_PORT,
        target=office.server,
        callers=[(number, "400") for number in again],
        rate=5,
    ) as callers:
        eventually(lambda: waiting(office), lambda count: count == len(again) + 1)
        now = callers_of(office)
        assert [each["number"] for each in now] == ["101", "5010", "5020", "5030", "5099"]
        for each in now[:-1]:
            assert each["waited_s"] > places[each["number"]]["waited_s"]

        def serve(call: SoftCall) -> None:
            served.append(caller_of(call))
            call.answer()
            call.wait("confirmed")
            time.sleep(0.3)
            call.hang_up()
            call.wait("disconnected")

        office.cli("callback", "cancel", "101")
        with Busy([desk], serve):
            work(office, ["103"])
            report = callers.finish(timeout=30)
    assert report.failed == 0, report
    assert served == ["5010", "5020", "5030", "5099"]
    assert_stopped_properly(office)


def soft(phones: Phones, office: TestedOffice, *numbers: str) -> list[SoftPhone]:
    """Start phones side by side and register them."""
    started = phones.at_once(*(lambda n=n: phones.pjsua(office, n) for n in numbers))
    return [phone for phone in started if isinstance(phone, SoftPhone)]


def book(phone: SoftPhone, queue: str) -> None:
    """Wait in a queue, and ask to be called back."""
    call = phone.dial(queue)
    call.wait("confirmed")
    call.press("2")
    time.sleep(0.5)
    call.press("1")
    call.wait("disconnected", timeout=20)


def book_and_miss(office: TestedOffice, phone: SoftPhone) -> None:
    """Ask to be called back, and be busy then: one try is over, the next is in an hour."""
    book(phone, office.uri("401"))
    office.cli("agent", "resume", "204")
    phone.incoming(timeout=20).answer(486)
    eventually(
        lambda: office.ask("callback", "list"),
        lambda rows: [(each["tries"], each["doing"]) for each in rows] == [(1, "resting")],
    )


def waiting(office: TestedOffice) -> int:
    """Return how many wait in all queues."""
    return sum(row["waiting"] for row in office.ask("queues"))


def callers_of(office: TestedOffice) -> list[dict[str, Any]]:
    """Return who waits in the queue `service`, in order."""
    rows: list[dict[str, Any]] = office.ask("queues", "show", "service")["callers"]
    return rows


Agents = dict[str, tuple[str, bool, str | None]]


def known(office: TestedOffice) -> tuple[Agents, list[dict[str, Any]]]:
    """Return what agents do, whether they are on duty and on which break, and who is to be called
    back: since when, after how many tries, when again."""
    agents = {
        each["number"]: (each["state"], each["logged_in"], each["pause"])
        for each in office.ask("agent", "list")
    }
    kept = ("id", "queue", "number", "call", "since", "tries", "next_at", "priority", "language")
    callbacks = [{key: each[key] for key in kept} for each in office.ask("callback", "list")]
    return agents, callbacks
