"""A thousand callers through one queue, by real SIP: nobody lost, nobody twice, and the wait in the
record is the wait that was."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.interop.conftest import assert_stopped_properly
from tests.kit.office import OfficeMaker, eventually
from tests.kit.phones.sipp import Sipp

CALLS = 1_000
AGENTS = 50
AT_ONCE = 200
TALK_MS = 2_000
NEAR_S = 0.1
"""How near to the truth the wait in the record is."""

AGENTS_PORT, TRUNK_PORT = 5080, 5081

DIALPLAN = """
version: 1
numbers: {"400": queue:service}
queues:
  service: {skills: {service: 1}, wrap_up: 0s, whisper: no, if_no_agents: hangup}
"""


@pytest.mark.interop("sipp")
@pytest.mark.load
@pytest.mark.timeout(300)
def test_a_thousand_callers_are_served_once_each_and_their_waits_are_true(
    make_office: OfficeMaker, tmp_path: Path
) -> None:
    office = make_office(dialplan=DIALPLAN, media_ports="10000-13999")
    office.start()
    office.add_load_trunk(port=TRUNK_PORT)
    numbers = [str(200 + number) for number in range(AGENTS)]
    with office.api() as api:
        for number in numbers:
            contact = f"sip:{number}@127.0.0.1:{AGENTS_PORT}"
            body = {"number": number, "password": "unused-secret", "contact": contact}
            api.post("/extensions", json=body).raise_for_status()
            agent = {"number": number, "skills": {"service": 5}}
            api.post("/agents", json=agent).raise_for_status()
            api.post(f"/agents/{number}/login").raise_for_status()
    with (
        Sipp(
            "agent",
            tmp_path,
            port=AGENTS_PORT,
            pause_ms=TALK_MS,
            log_messages=True,
        ) as phones,
        Sipp(
            "waiter",
            tmp_path,
            port=TRUNK_PORT,
            target=office.server,
            calls=CALLS,
            rate=25,
            at_once=AT_ONCE,
            number="400",
            patience_ms=120_000,
            log_messages=True,
        ) as callers,
    ):
        report = callers.finish(timeout=150)
        time.sleep(1.0)
        answered = [each for each in phones.messages() if each.sent and "200 OK" in each.first_line]
    assert (report.succeeded, report.failed) == (CALLS, 0), report

    records = eventually(
        lambda: office.ask("cdr", "list", "--queue", "service", "--limit", str(CALLS + 10)),
        lambda records: len(records) >= CALLS,
    )
    numbers_seen = Counter(record["caller"]["number"] for record in records)
    assert len(numbers_seen) == CALLS
    assert set(numbers_seen.values()) == {1}
    assert Counter(record["result"] for record in records) == {"answered": CALLS}
    assert len({each.call_id for each in answered}) == CALLS, "an agent was rung once for each"
    served = Counter(record["agent"] for record in records)
    assert set(served) == set(numbers)
    assert max(served.values()) - min(served.values()) <= 5

    begun, over = times(callers, "200 OK"), times(callers, "BYE")
    wrong = {
        record["id"]: (record["wait_s"], round(true, 3))
        for record in records
        if abs(record["wait_s"] - (true := wait(record["caller"]["number"], begun, over))) > NEAR_S
    }
    assert wrong == {}
    (day,) = office.ask("report", "queues")
    assert (day["offered"], day["answered"]) == (CALLS, CALLS)
    assert_stopped_properly(office)


def times(callers: Sipp, first_line: str) -> dict[str, float]:
    """Return when each caller, by its number, first received such a message."""
    found: dict[str, float] = {}
    for message in callers.messages():
        if not message.sent and first_line in message.first_line:
            found.setdefault("5" + message.call_id.split("-")[0], message.at)
    return found


def wait(number: str, begun: dict[str, float], over: dict[str, float]) -> float:
    """Return how long a caller waited: all its time but the talk, whose length the agent knows."""
    return over[number] - begun[number] - TALK_MS / 1000
