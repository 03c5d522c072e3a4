"""The way of a call as the office's own requirement draws it, with real phones, arrow by arrow.

A call comes in; the system asks whether somebody is there (an agent may be away from the seat) and
whether a machine or a person shall help; the caller queues; is served; the problem is dealt with;
at the end there are a recording, the time that it took, how soon it was answered, the agent's note,
and the call is in the day's figures.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.callers import Caller, marked_prompts
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.pjsua import SoftPhone
from tests.kit.recordings import sides_of
from tests.kit.tones import Sound, level_of

DIALPLAN = """
version: 1
defaults: {language: zh, timezone: Asia/Shanghai}
prompts:
  welcome: {zh: 您好。}
  choose: {zh: 查询余额请按1，人工请按0。}
  balance: {zh: 您的余额是一百元。}
  rate_us: {zh: 满意请按1，不满意请按2。}
numbers:
  "4008": {to: menu:main, tag: hotline}
flows:
  balance:
    - say: balance
    - tag: self_service_done
    - goto: menu:main
menus:
  main:
    prompt: [welcome, choose]
    keys: {1: flow:balance, 0: queue:service}
    give_up: queue:service
queues:
  service:
    skills: {service: 3}
    say_agent_number: yes
    position: {every: 30s}
    wrap_up: 60s
    record: {who: all}
    survey: csat
    if_no_agents: voicemail:service
voicemail:
  service: {}
surveys:
  csat: {prompt: rate_us, keys: {1: good, 2: bad}, timeout: 8s}
"""

PROMPTS = ("welcome", "choose", "balance", "rate_us")
PHRASES = (
    *("agent-logged-in", "agent-paused", "agent-ready"),
    *("queue-next", "queue-agent", "queue-call"),
)
CALLER_HZ, AGENT_HZ, MUSIC_HZ = 1_000, 1_230, 1_470
SPOKEN_DBFS = -35.0
"""How loud a party is at least; the clicks of a prompt that stuttered have every tone, at −45."""


def keyed(phone: SoftPhone, office: TestedOffice, code: str) -> None:
    """Dial a code and wait until what it says is over."""
    call = phone.dial(office.uri(code))
    call.wait("confirmed")
    call.wait("disconnected", timeout=15)


def waiting(office: TestedOffice) -> tuple[int, dict[str, int]]:
    """Return how many wait, and the agents by state."""
    (row,) = office.ask("queues")
    return row["waiting"], row["agents"]


def spoken(side: Sound) -> set[int]:
    """Return which of the two tones are in any half second of one side of a recording."""
    starts = [number / 2 for number in range(int(2 * side.seconds))]
    parts = [side.part(start, start + 0.5) for start in starts]
    return {
        hz for hz in (CALLER_HZ, AGENT_HZ) for part in parts if level_of(part, hz) > SPOKEN_DBFS
    }


@pytest.mark.interop("pjsua2")
def test_every_arrow_of_the_reference_flow(
    make_office: OfficeMaker, phones: Phones, tmp_path: Path
) -> None:
    office = make_office(dialplan=DIALPLAN)
    names = [f"zh/{name}" for name in (*PROMPTS, *PHRASES)]
    marks = marked_prompts(office.folder, names)
    office.start()
    customer, desk = phones.at_once(
        lambda: phones.pjsua(office, "101"), lambda: phones.pjsua(office, "102")
    )
    assert isinstance(customer, SoftPhone)
    assert isinstance(desk, SoftPhone)
    office.cli("agent", "add", "102", "--skill", "service:5")
    keyed(desk, office, "*45")
    keyed(desk, office, "*46")  # away from the seat
    eventually(lambda: waiting(office)[1], lambda agents: agents == {"paused": 1})

    call = customer.dial(office.uri("4008"))
    call.wait("confirmed")
    caller = Caller(call, marks, hz=CALLER_HZ)
    caller.hears("zh/welcome", "zh/choose")
    caller.presses("1")
    caller.hears("zh/balance", "zh/welcome")
    caller.presses("0")
    caller.hears("zh/queue-next")
    caller.hears_tone(MUSIC_HZ)
    assert waiting(office) == (1, {"paused": 1})

    keyed(desk, office, "*46")  # back at the seat
    offered = desk.incoming(timeout=10)
    offered.answer()
    offered.wait("confirmed")
    agent = Caller(offered, marks, hz=AGENT_HZ)
    agent.hears("zh/queue-call")
    caller.hears("zh/queue-agent")
    agent.hears_tone(CALLER_HZ)
    caller.hears_tone(AGENT_HZ)
    time.sleep(2.0)
    offered.hang_up()
    caller.hears("zh/rate_us")
    caller.presses("1")
    call.wait("disconnected", timeout=15)

    (record,) = eventually(
        lambda: office.ask("cdr", "list", "--queue", "service"), lambda rows: bool(rows)
    )
    office.cli("cdr", "note", record["id"], "--disposition", "refund", "--note", "wrong bill")
    keyed(desk, office, "*48")  # the work after the call is done
    record = eventually(
        lambda: office.ask("cdr", "show", record["id"]), lambda record: record["wrap_up_s"] > 0
    )
    way = ["numbers:4008", "menu:main:1", "menu:main:0", "queue:service", "survey:csat"]
    assert record["path"] == way
    assert (record["queue"], record["agent"], record["result"]) == ("service", "102", "answered")
    assert record["wait_s"] > 1
    assert record["ring_s"] >= 0
    assert record["talk_s"] > 2
    assert record["tags"] == ["hotline", "self_service_done"]
    assert record["survey"]["meaning"] == "good"
    assert (record["disposition"], record["note"]) == ("refund", "wrong bill")
    copy = tmp_path / "talk.wav"
    office.cli("recording", "export", record["recording"], str(copy))
    left, right = sides_of(copy)
    assert CALLER_HZ in spoken(left)
    assert spoken(right) == {AGENT_HZ}
    (day,) = office.ask("report", "queues")
    assert (day["offered"], day["answered"]) == (1, 1)
    assert office.stop() == 0, office.errors()
    assert "Traceback" not in office.errors()
