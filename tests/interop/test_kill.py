"""Power cuts: the server or a media worker dies under load, and what must survive survives."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.interop.conftest import Phones, assert_stopped_properly
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.sipp import Sipp
from tests.kit.tones import heard, read_wav

RATE = 50
RESTART_S = 3.0
SURE_S = 0.2
"""A call whose INVITE is older than this when the power goes has a record for certain."""


@pytest.mark.interop("sipp", "pjsua2")
@pytest.mark.load
@pytest.mark.timeout(120)
def test_the_server_is_killed_under_load(
    make_office: OfficeMaker, phones: Phones, tmp_path: Path
) -> None:
    office = make_office(numbers=["900"], media_ports="10000-11999")
    office.start()
    office.add_fixed_phone("900", port=5080)
    office.add_load_trunk(port=5081)
    phones.pjsua(office, "101")
    with (
        Sipp("answerer", tmp_path, port=5080),
        Sipp(
            "caller",
            tmp_path,
            port=5081,
            target=office.server,
            rate=RATE,
            pause_ms=3000,
            number="900",
            log_messages=True,
        ) as caller,
    ):
        time.sleep(8)
        killed_at = time.time()
        office.kill()
        caller.stop()
    started = time.monotonic()
    office.start()
    assert time.monotonic() - started < RESTART_S

    assert [row["number"] for row in office.ask("registrations")] == ["101"]
    with closing(sqlite3.connect(office.folder / "var" / "callpbx.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    recorded = Counter(
        record["caller"]["number"] for record in office.ask("cdr", "list", "--limit", "1000")
    )
    assert set(recorded.values()) == {1}
    invited = caller.invited()
    sure = {number for number, at in invited.items() if at < killed_at - SURE_S}
    assert len(sure) > RATE
    assert sure <= set(recorded) <= set(invited)
    results = Counter(r["result"] for r in office.ask("cdr", "list", "--limit", "1000"))
    assert results["interrupted"] > RATE
    assert set(results) <= {"answered", "interrupted"}
    assert_stopped_properly(office)


@pytest.mark.interop("pjsua2")
def test_a_worker_is_killed_in_a_call(office: TestedOffice, phones: Phones) -> None:
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    call = alice.dial(office.uri("102"))
    bob.incoming().answer()
    call.wait("confirmed")
    (worker,) = workers_of(office)
    os.kill(worker, signal.SIGKILL)
    call.wait("disconnected")
    record = office.record()
    assert (record["result"], record["ended_by"]) == ("answered", "system")
    assert record["reason"]

    with office.api() as api:
        eventually(
            lambda: api.get("/status").json()["server"]["media"],
            lambda workers: any(each["pid"] != worker and each["ports_free"] for each in workers),
            timeout=RESTART_S,
        )
    again = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    again.wait("confirmed")
    incoming.play(690)
    assert heard(read_wav(again.record(1.0))) == {690}


@pytest.mark.interop
def test_a_worker_that_loses_its_server_goes_too(office: TestedOffice) -> None:
    (worker,) = workers_of(office)
    office.kill()
    eventually(lambda: runs(worker), lambda running: not running, timeout=3)
    office.start()


def runs(pid: int) -> bool:
    """Tell whether a process still runs; one that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def workers_of(office: TestedOffice) -> list[int]:
    """Return the process ids of the server's media workers."""
    server = office.pid
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"pbx.media.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
