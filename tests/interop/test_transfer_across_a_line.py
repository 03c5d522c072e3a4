"""Transfers across a line, with Kamailio as the carrier and customers behind it.

Kamailio stays in the way of all that is said within a call (Record-Route) and challenges the office
there too, so whatever went past it would be missing in what it saw, and would not be let through.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.conftest import OFFICES, assert_stopped_properly
from tests.kit.agents import add_agents, work
from tests.kit.namespace import NoNamespace, network_namespace
from tests.kit.office import MUSIC_HZ, Record, TestedOffice, eventually
from tests.kit.phones.kamailio import ACCOUNT, PASSWORD, SERVER, CameBy, Kamailio
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.phones.talker import Talker, wait_for
from tests.kit.records import sums_up

pytestmark = [pytest.mark.interop("pjsua2", "kamailio"), pytest.mark.timeout(120)]

NUMBER = "02888886666"
"""The number of the office."""

CUSTOMER, OTHER = "13800138000", "13900139000"
"""Numbers beyond the carrier."""

AGENT, COLLEAGUE, IN_QUEUE = "101", "102", "103"

TONES = {AGENT: 430, COLLEAGUE: 560, IN_QUEUE: 690, CUSTOMER: 820, OTHER: 950}

CODECS = {COLLEAGUE: "PCMA", OTHER: "PCMA"}
"""All others prefer PCMU, so that a customer's codec changes on the way to one of these."""

DIALPLAN = f"""\
version: 1
numbers: {{"{NUMBER}": "ext:{AGENT}", "400": queue:service}}
outbound:
  emergency: {{match: [110], trunks: [main], emergency: yes}}
  national: {{match: ["1"], trunks: [main]}}
queues:
  service: {{skills: {{service: 1}}, wrap_up: 0s, whisper: no, if_no_agents: hangup}}
"""


@dataclass
class Town:
    """An office, its carrier, and phones of both; nobody talks yet."""

    office: TestedOffice
    carrier: Kamailio
    phones: dict[str, SoftPhone]
    calls: int = 0
    """How many calls are over."""
    came_by: int = 0
    """How many requests the carrier had seen before this test."""

    def register(self) -> None:
        """Let each phone register where its number belongs."""
        for number, phone in self.phones.items():
            if number in (CUSTOMER, OTHER):
                phone.register(f"sip:{number}@{SERVER}", PASSWORD)
            else:
                phone.register(self.uri(number), self.office.passwords[number])

    def uri(self, number: str) -> str:
        """Return how the office's phones dial a number."""
        return self.office.uri(number)

    def dial(self, caller: str, number: str) -> SoftCall:
        """Let a phone call a number by its own server."""
        server = SERVER if caller in (CUSTOMER, OTHER) else self.office.server
        return self.phones[caller].dial(f"sip:{number}@{server}")

    def answer(self, number: str) -> Talker:
        """Let a phone answer and speak."""
        call = self.phones[number].incoming()
        call.answer()
        call.wait("confirmed")
        return Talker(call, TONES[number])

    def talk(self, caller: str, called: str) -> tuple[Talker, Talker]:
        """Let the agent and somebody outside talk, whoever of them calls; return them so."""
        call = self.dial(caller, NUMBER if called == AGENT else called)
        answered = self.answer(called)
        call.wait("confirmed")
        calling = Talker(call, TONES[caller])
        wait_for({calling: {answered}, answered: {calling}})
        return (calling, answered) if caller == AGENT else (answered, calling)

    def requests(self) -> list[CameBy]:
        """Return what the carrier saw since the test began."""
        return self.carrier.requests()[self.came_by :]


@pytest.fixture(scope="module")
def whole_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Return an office with a registered line and phones on both sides of it, in one network for
    all tests: what was started there stays there."""
    folder = tmp_path_factory.mktemp("town")
    try:
        with network_namespace(), ExitStack() as stack:
            office = stack.enter_context(TestedOffice(folder / "office", dialplan=DIALPLAN))
            carrier = stack.enter_context(Kamailio(folder / "carrier"))
            with ThreadPoolExecutor() as threads:
                begun = {n: threads.submit(start, stack, folder, n) for n in TONES}
                office.start()
                add_line(office)
                add_agents(office, {IN_QUEUE: {"service": 5}})
            town = Town(office, carrier, {n: phone.result() for n, phone in begun.items()})
            town.register()
            yield town
            for phone in town.phones.values():
                phone.quit()
            for phone in town.phones.values():
                phone.close()
            assert_stopped_properly(office)
    except NoNamespace as error:
        pytest.skip(str(error))


def add_line(office: TestedOffice) -> None:
    """Give the office its line, and wait until it is registered."""
    line = {
        "name": "main",
        "server": f"sip:{SERVER}",
        "username": ACCOUNT,
        "password": PASSWORD,
        "register": True,
        "numbers": [NUMBER],
    }
    with office.api() as api:
        api.post("/trunks", json=line).raise_for_status()
    eventually(lambda: office.ask("trunk", "list")[0]["state"]["registered"], bool, timeout=20)


def start(stack: ExitStack, folder: Path, number: str) -> SoftPhone:
    """Start a phone."""
    codecs = CODECS.get(number, "PCMU,PCMA")
    return stack.enter_context(SoftPhone(f"phone-{number}", folder, codecs=codecs))


@pytest.fixture
def town(whole_town: Town, request: pytest.FixtureRequest) -> Iterator[Town]:
    """Return the town where nobody talks; afterwards every call is over, whatever went wrong."""
    town = whole_town
    request.node.stash[OFFICES] = [town.office]
    town.came_by = len(town.carrier.requests())
    yield town
    for call in town.office.ask("calls"):
        town.office.run("hangup", call["id"])
    eventually(lambda: town.office.ask("calls"), lambda calls: not calls)
    town.calls = len(town.office.ask("cdr", "list", "--limit", "100"))


IN_AND_OUT = pytest.mark.parametrize(
    ("caller", "called"), [(CUSTOMER, AGENT), (AGENT, CUSTOMER)], ids=["callee", "caller"]
)
"""The agent transfers: it was called by the customer, or called there."""


SENT = {"REGISTER", "OPTIONS", "INVITE", "ACK", "CANCEL", "BYE"}
"""All that a carrier ever gets of us: no REFER, and no UPDATE that shows who is talked to now."""


def phone_call(talker: Talker) -> SoftCall:
    """Return the call of a talker."""
    assert isinstance(talker.call, SoftCall)
    return talker.call


def call_id(talker: Talker) -> str:
    """Return the Call-ID of a talker's call."""
    name: str = talker.call.wait("confirmed")["sip_call_id"]
    return name


def hang_up(one: Talker, other: Talker) -> None:
    """End the call at one side; the other side notices."""
    phone_call(one).hang_up()
    other.call.wait("disconnected")


def the_record(town: Town, caller: str, result: str = "completed") -> Record:
    """Return the only record of the test, which is true to itself; its transfer ended so."""
    (record, *_) = town.office.records(town.calls + 1)
    transfers = [each["result"] for each in record["segments"] if each["kind"] == "transfer"]
    assert transfers == [result], record["segments"]
    assert sums_up(record), record
    called = CUSTOMER if caller == AGENT else NUMBER
    assert (record["caller"]["number"], record["called"]["number"]) == (caller, called)
    assert record["direction"] == ("outbound" if caller == AGENT else "inbound")
    assert record["result"] == "answered"
    return record


def talked_to(record: Record) -> list[str]:
    """Return whom the customer talked to, in order."""
    return [each["with"] for each in record["segments"] if each["kind"] == "talk"]


def all_came_by(town: Town, *customers: Talker) -> list[CameBy]:
    """Return what the office sent within calls, all of which came by the carrier and was let
    through: it ended these, changed what is spoken, and told nothing of transfers."""
    ended = {call_id(each) for each in customers}
    seen = eventually(
        town.requests, lambda seen: ended <= {each.call_id for each in seen if each.method == "BYE"}
    )
    assert {each.call_id for each in seen if each.method == "BYE"} == ended
    assert {each.method for each in seen if each.of_office} <= SENT
    sent = [each for each in seen if each.of_office and each.in_dialog]
    asked = {(each.call_id, each.method) for each in sent if each.method != "ACK"}
    assert asked == {(each.call_id, each.method) for each in sent if each.proved}
    return sent


def spoke_anew(sent: list[CameBy], customer: Talker) -> bool:
    """Tell whether the office asked a customer's phone for another codec."""
    mine = call_id(customer)
    return any(each.call_id == mine and each.method == "INVITE" and each.proved for each in sent)


@IN_AND_OUT
def test_blind(town: Town, caller: str, called: str) -> None:
    agent, customer = town.talk(caller, called)
    phone_call(agent).refer(town.uri(COLLEAGUE))
    colleague = town.answer(COLLEAGUE)
    wait_for({customer: {colleague}, colleague: {customer}})
    phone_call(agent).told(200)
    agent.call.wait("disconnected")
    hang_up(colleague, customer)
    assert talked_to(the_record(town, caller))[-1] == COLLEAGUE
    assert spoke_anew(all_came_by(town, customer), customer)


@IN_AND_OUT
def test_two_hashes(town: Town, caller: str, called: str) -> None:
    agent, customer = town.talk(caller, called)
    phone_call(agent).press("##")
    wait_for({customer: {MUSIC_HZ}})
    phone_call(agent).press(f"{COLLEAGUE}#")
    agent.call.wait("disconnected")
    colleague = town.answer(COLLEAGUE)
    wait_for({customer: {colleague}, colleague: {customer}})
    hang_up(customer, colleague)
    assert talked_to(the_record(town, caller))[-1] == COLLEAGUE
    all_came_by(town, customer)


@IN_AND_OUT
def test_attended(town: Town, caller: str, called: str) -> None:
    agent, customer = town.talk(caller, called)
    phone_call(agent).hold()
    wait_for({customer: {MUSIC_HZ}})
    second = town.dial(AGENT, COLLEAGUE)
    colleague = town.answer(COLLEAGUE)
    second.wait("confirmed")
    phone_call(agent).refer_to(second)
    wait_for({customer: {colleague}, colleague: {customer}})
    agent.call.wait("disconnected")
    second.wait("disconnected")
    hang_up(colleague, customer)
    record = the_record(town, caller)
    assert talked_to(record)[-1] == COLLEAGUE
    assert record["hold_s"] > 0.5
    all_came_by(town, customer)


def test_the_customer_holds_and_comes_back_after_a_transfer(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).refer(town.uri(COLLEAGUE))
    colleague = town.answer(COLLEAGUE)
    wait_for({customer: {colleague}, colleague: {customer}})
    phone_call(customer).hold()
    wait_for({colleague: {MUSIC_HZ}})
    phone_call(customer).resume()
    wait_for({customer: {colleague}, colleague: {customer}})
    hang_up(customer, colleague)
    record = the_record(town, CUSTOMER)
    assert talked_to(record) == [AGENT, COLLEAGUE, COLLEAGUE]
    all_came_by(town, customer)


@IN_AND_OUT
def test_out_again_to_another_number(town: Town, caller: str, called: str) -> None:
    agent, customer = town.talk(caller, called)
    phone_call(agent).refer(town.uri(OTHER))
    other = town.answer(OTHER)
    wait_for({customer: {other}, other: {customer}})
    phone_call(agent).told(200)
    agent.call.wait("disconnected")
    invitation = phone_call(other).invitation
    assert invitation is not None
    assert f"sip:{NUMBER}@" in invitation["remote"]
    hang_up(customer, other)
    assert talked_to(the_record(town, caller))[-1] == OTHER
    assert spoke_anew(all_came_by(town, customer, other), customer)


def test_out_again_after_asking_there(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).hold()
    wait_for({customer: {MUSIC_HZ}})
    second = town.dial(AGENT, OTHER)
    other = town.answer(OTHER)
    second.wait("confirmed")
    phone_call(agent).refer_to(second)
    wait_for({customer: {other}, other: {customer}})
    agent.call.wait("disconnected")
    second.wait("disconnected")
    hang_up(other, customer)
    assert talked_to(the_record(town, CUSTOMER)) == [AGENT, OTHER]
    all_came_by(town, customer, other)


def test_out_again_while_it_still_rings_there(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).hold()
    second = town.dial(AGENT, OTHER)
    ringing = town.phones[OTHER].incoming()
    second.wait("early")
    phone_call(agent).refer_to(second)
    ringing.wait("disconnected")
    assert "CANCEL" in {each.method for each in town.requests()}
    other = town.answer(OTHER)
    wait_for({customer: {other}, other: {customer}})
    agent.call.wait("disconnected")
    hang_up(customer, other)
    assert talked_to(the_record(town, CUSTOMER)) == [AGENT, OTHER]
    all_came_by(town, customer, other)


def test_out_again_by_asking_with_a_code(town: Town) -> None:
    agent, customer = town.talk(AGENT, CUSTOMER)
    phone_call(agent).press("*2")
    wait_for({customer: {MUSIC_HZ}})
    phone_call(agent).press(f"{OTHER}#")
    other = town.answer(OTHER)
    wait_for({agent: {other}, other: {agent}, customer: {MUSIC_HZ}})
    phone_call(agent).hang_up()
    wait_for({customer: {other}, other: {customer}})
    hang_up(other, customer)
    assert talked_to(the_record(town, AGENT))[-1] == OTHER
    all_came_by(town, customer, other)


def test_a_number_outside_that_is_busy_gives_the_customer_back(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).refer(town.uri(OTHER))
    town.phones[OTHER].incoming().answer(486)
    phone_call(agent).told(486)
    wait_for({customer: {agent}, agent: {customer}})
    hang_up(agent, customer)
    assert talked_to(the_record(town, CUSTOMER, "busy")) == [AGENT, AGENT]
    all_came_by(town, customer)


def test_to_a_queue_whose_agent_comes_later(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).refer(town.uri("400"))
    phone_call(agent).told(200)
    agent.call.wait("disconnected")
    wait_for({customer: {MUSIC_HZ}})
    work(town.office, [IN_QUEUE])
    served = town.answer(IN_QUEUE)
    wait_for({customer: {served}, served: {customer}})
    hang_up(customer, served)
    record = the_record(town, CUSTOMER)
    assert talked_to(record) == [AGENT, IN_QUEUE]
    assert (record["queue"], record["agent"]) == ("service", IN_QUEUE)
    assert record["wait_s"] > 0.5
    all_came_by(town, customer)


def test_the_customer_itself_may_refer_nobody(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(customer).refer(f"sip:{COLLEAGUE}@{SERVER}")
    phone_call(customer).told(403)
    wait_for({customer: {agent}, agent: {customer}})
    hang_up(customer, agent)
    (record, *_) = town.office.records(town.calls + 1)
    assert talked_to(record) == [AGENT]
    all_came_by(town, customer)
