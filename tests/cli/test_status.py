"""`callpbx status`, `registrations`, `unban`: what an administrator sees first."""

from __future__ import annotations

import json

from pbx.api.views import (
    Alarm,
    Ban,
    DatabaseHealth,
    LiveStatus,
    MediaWorker,
    Registration,
)
from tests.api.office_double import LiveDouble, OfficeDouble, Phone
from tests.cli.conftest import Command


class Busy(LiveDouble):
    """A server with something to say about everything."""

    def status(self) -> LiveStatus:
        return LiveStatus(
            version="0.1.0",
            pid=4711,
            started_at="2026-11-21T08:00:00.000Z",
            uptime_s=3725.0,
            listen=("udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"),
            api=("http://127.0.0.1:8080",),
            calls=1,
            legs=2,
            bans=(Ban(address="192.0.2.66", failures=12, until="2026-11-21T09:00:00.000Z"),),
            media=(
                MediaWorker(worker=1, legs=2, load_percent=7.4, ports_free=4000, late_ticks=3),
                MediaWorker(worker=2, legs=0),
            ),
            database=DatabaseHealth(ok=False, size_bytes=1_500_000, pending=7, error="disk full"),
            alarms=(Alarm(at="2026-11-21T08:30:00.000Z", sentence="the disk is full", count=4),),
        )


def test_status_says_one_thing_a_line(live: OfficeDouble, command: Command) -> None:
    live.live = Busy()
    live.live.bindings = [
        Registration(number="101", contact="sip:101@192.0.2.1", transport="udp", expires_in_s=60.0)
    ]
    live.directory.phones = {number: Phone(number) for number in ("101", "102", "103")}
    status, out, err = command("status")
    assert (status, err) == (0, "")
    lines = {
        line[:10].strip(): line[10:] for line in out.splitlines() if line[:1].isalpha() or line
    }
    assert lines["callpbx"] == "0.1.0, process 4711, up 1h 2m"
    assert lines["Listens"] == "udp://0.0.0.0:5060, tcp://0.0.0.0:5060, http://127.0.0.1:8080"
    assert lines["Phones"] == "1 registered (101), 2 not (102, 103)"
    assert lines["Calls"] == "1 call, 2 legs"
    assert lines["Media"] == (
        "worker 1: 2 legs, 7 % of a core, 4000 ports free, 3 late ticks; "
        "worker 2: 0 legs, load not known, – ports free, 0 late ticks"
    )
    assert lines["Database"] == "cannot be written: disk full, 1.5 MB, 7 records waiting"
    assert "Lift one with callpbx unban ADDRESS" in out
    assert "the disk is full" in out


def test_a_quiet_office_is_short(live: OfficeDouble, command: Command) -> None:
    _, out, _ = command("status")
    assert "Phones    0 registered, 0 not\n" in out
    assert "Media     no media worker is running\n" in out
    assert "Database  ok, 123.5 kB\n" in out
    assert "Bans      none\nAlarms    none\n" in out
    assert live.live is not None


def test_status_as_json_is_one_document(live: OfficeDouble, command: Command) -> None:
    _, out, _ = command("status", "--json")
    assert list(json.loads(out)) == ["server", "registered", "unregistered"]


def test_registrations(live: OfficeDouble, command: Command) -> None:
    _, out, _ = command("registrations")
    assert out.startswith("No phone is registered")
    assert live.live is not None
    live.live.bindings = [
        Registration(
            number="101",
            contact="sip:101@192.0.2.1:5062",
            transport="tcp",
            user_agent="Evil\x1b[2J 1.0",
            expires_in_s=3000.0,
            round_trip_ms=12.4,
        )
    ]
    _, out, _ = command("registrations")
    assert "Evil·[2J 1.0" in out
    assert "12 ms" in out
    assert "50m 0s" in out
    _, out, _ = command("registrations", "--json")
    assert json.loads(out)[0]["expires_in_s"] == 3000.0


def test_a_ban_is_lifted(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    live.live.bans = [Ban(address="192.0.2.66", failures=12, until="2026-11-21T09:00:00.000Z")]
    assert command("unban", "192.0.2.66") == (0, "192.0.2.66 may try again\n", "")
    assert command("unban", "192.0.2.1") == (1, "", "192.0.2.1 is not banned\n")
