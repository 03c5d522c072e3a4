"""`callpbx calls`, `call`, `hangup` and `trace`."""

from __future__ import annotations

import json

import pytest

from pbx.api.views import CallLeg, LiveCall, TraceEntry
from tests.api.office_double import OfficeDouble
from tests.cli.conftest import Command


def leg(number: int, codec: str | None) -> CallLeg:
    return CallLeg(leg=number, role="caller", number="101", state="answered", codec=codec)


def test_calls_are_listed(live: OfficeDouble, command: Command) -> None:
    assert command("calls")[1] == "No calls\n"
    assert live.live is not None
    live.live.up = [
        LiveCall(
            id="c9",
            from_="101",
            to="102",
            state="talking",
            since="2020-01-01T00:00:00.000Z",
            legs=(leg(1, "PCMA"), leg(2, "PCMA"), leg(3, None)),
        )
    ]
    _, out, _ = command("calls")
    row = out.splitlines()[1].split()
    assert row[:4] == ["c9", "101", "102", "talking"]
    assert row[5] == "PCMA"
    _, out, _ = command("calls", "--json")
    assert json.loads(out)[0]["from"] == "101"


def measured(number: int, mos: float, loss_percent: float) -> CallLeg:
    return CallLeg(
        leg=number,
        role="called",
        number="102",
        state="answered",
        mos=mos,
        loss_percent=loss_percent,
        jitter_ms=2.5,
    )


def test_the_leg_that_is_worst_off_is_shown(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    live.live.up = [
        LiveCall(
            id="c1", from_="1", to="2", state="talking", since="2020-01-01T00:00:00Z", legs=legs
        )
        for legs in (
            (measured(1, 4.41, 0.0), measured(2, 3.92, 5.0)),
            (leg(1, "PCMA"), measured(2, 4.408, 0.0)),
            (leg(1, "PCMA"),),
        )
    ]
    rows = command("calls")[1].splitlines()[1:]
    assert rows[0].endswith("MOS 3.9, 5.0 % lost")
    assert rows[1].endswith("MOS 4.4")
    assert rows[2].endswith("–")
    shown = json.loads(command("calls", "--json")[1])[0]["legs"][1]
    assert (shown["mos"], shown["loss_percent"], shown["jitter_ms"]) == (3.92, 5.0, 2.5)
    assert shown["round_trip_ms"] is None


def test_a_call_is_made_and_ended(live: OfficeDouble, command: Command) -> None:
    _, out, _ = command("call", "101", "102")
    assert out == "101 is ringing; picked up, it is connected to 102 (call c1)\n"
    assert json.loads(command("call", "101", "102", "--json")[1]) == {"id": "c2"}
    assert command("call", "999", "102") == (1, "", "there is no extension 999\n")
    assert command("hangup", "c9") == (1, "", "no call c9 is up\n")
    assert live.live is not None
    live.live.up = [LiveCall(id="c9", from_="1", to="2", state="ringing", since="x")]
    assert command("hangup", "c9") == (0, "Call c9 is ended\n", "")


@pytest.fixture
def traced(live: OfficeDouble) -> None:
    assert live.live is not None
    live.live.ladder = [
        TraceEntry(
            at=1.0,
            kind="sip",
            summary="BYE",
            leg=1,
            party="101",
            direction="received",
            from_="192.0.2.1:5060",
            to="192.0.2.2:5060",
            transport="udp",
            detail="BYE sip:102@192.0.2.2 SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n",
        )
    ]


@pytest.mark.usefixtures("traced")
def test_a_trace_is_a_ladder(command: Command) -> None:
    _, out, _ = command("trace", "c9")
    assert "│── BYE ───" in out
    _, out, _ = command("trace", "c9", "--ascii")
    assert "|-- BYE ---" in out
    _, out, _ = command("trace", "c9", "--full")
    assert "CSeq: 2 BYE" in out
    _, out, _ = command("trace", "c9", "--json")
    assert json.loads(out)[0]["summary"] == "BYE"


def test_a_forgotten_call_has_no_trace(live: OfficeDouble, command: Command) -> None:
    assert command("trace", "c9") == (1, "", "nothing is remembered of call c9\n")
    assert live.live is not None


def test_a_supervisor_is_let_into_a_call(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    live.live.up = [LiveCall(id="c9", from_="101", to="102", state="talking", since="")]
    for mode in ("listen", "whisper", "barge"):
        status, out, _ = command(mode, "103", "c9")
        assert (status, out) == (
            0,
            f"103 is rung to {mode}; keys 1 listen, 2 whisper, 3 barge\n",
        )
    assert live.live.done == [(mode, "103", "c9") for mode in ("listen", "whisper", "barge")]
    status, _, error = command("listen", "103", "c8")
    assert (status, error) == (1, "there is no call c8\n")


def test_a_call_is_transferred(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    live.live.up = [LiveCall(id="c9", from_="101", to="102", state="talking", since="")]
    assert command("transfer", "c9", "queue:service")[1] == "Call c9 goes to queue:service\n"
    assert live.live.done == [("transfer", "c9", "queue:service")]
    status, _, error = command("transfer", "c8", "103")
    assert (status, error) == (1, "there is no call c8\n")


def test_a_call_is_released(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    assert command("release", "c9")[1] == "Call c9 is ended\n"
    assert command("release", "c9", "--mode", "takeover", "--by", "103")[0] == 0
    assert command("release", "c9", "--mode", "half")[0] == 2
    assert live.live.done == [("release", "all", "c9", ""), ("release", "takeover", "c9", "103")]
