"""Transfers across a line, with Kamailio as the carrier and customers behind it.

Kamailio stays in the way of all that is said within a call (Record-Route) and challenges the office
there too, so whatever went past it would be missing in what it saw, and would not be let through.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.conftest import OFFICES, assert_stopped_properly
from tests.kit.agents import caller_of, rest, work
from tests.kit.namespace import NoNamespace, network_namespace
from tests.kit.office import MUSIC_HZ, Record, eventually
from tests.kit.phones.kamailio import SERVER, CameBy
from tests.kit.phones.pjsua import SoftCall
from tests.kit.phones.talker import Talker, wait_for
from tests.kit.records import sums_up
from tests.kit.town import (
    AGENT,
    COLLEAGUE,
    CUSTOMER,
    IN_QUEUE,
    NUMBER,
    OTHER,
    TONES,
    Town,
)

pytestmark = [pytest.mark.interop("pjsua2", "kamailio"), pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def whole_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Return a town in a network of its own, the same for all tests: what was started there stays
    there."""
    try:
        with network_namespace(), Town(tmp_path_factory.mktemp("town")) as town:
            yield town
            town.quit()
            assert_stopped_properly(town.office)
    except NoNamespace as error:
        pytest.skip(str(error))


@pytest.fixture
def town(whole_town: Town, request: pytest.FixtureRequest) -> Iterator[Town]:
    """Return the town where nobody talks; afterwards every call is over, whatever went wrong."""
    request.node.stash[OFFICES] = [whole_town.office]
    whole_town.begin()
    yield whole_town
    whole_town.clear()


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


def the_record(town: Town, caller: str, *results: str) -> Record:
    """Return the only record of the test, which is true to itself; its transfers ended so, or the
    only one was completed."""
    (record,) = town.records(1)
    transfers = [each["result"] for each in record["segments"] if each["kind"] == "transfer"]
    assert transfers == [*(results or ("completed",))], record["segments"]
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
    assert caller_of(phone_call(colleague)) == CUSTOMER
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
    assert caller_of(phone_call(other)) == NUMBER
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


@IN_AND_OUT
def test_to_a_queue_whose_agent_comes_later(town: Town, caller: str, called: str) -> None:
    agent, customer = town.talk(caller, called)
    rest(town.office, [IN_QUEUE])
    phone_call(agent).refer(town.uri("400"))
    phone_call(agent).told(200)
    agent.call.wait("disconnected")
    wait_for({customer: {MUSIC_HZ}})
    work(town.office, [IN_QUEUE])
    served = town.answer(IN_QUEUE)
    assert caller_of(phone_call(served)) == CUSTOMER
    wait_for({customer: {served}, served: {customer}})
    hang_up(customer, served)
    record = the_record(town, caller)
    assert talked_to(record)[-1] == IN_QUEUE
    assert (record["queue"], record["agent"]) == ("service", IN_QUEUE)
    assert record["wait_s"] > 0.5
    all_came_by(town, customer)


def test_the_customer_leaves_while_it_rings_outside(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).refer(town.uri(OTHER))
    ringing = town.phones[OTHER].incoming()
    hang_up(customer, agent)
    ringing.wait("disconnected")
    record = the_record(town, CUSTOMER, "cancelled")
    assert talked_to(record) == [AGENT]
    all_came_by(town, customer)


def test_an_agent_who_has_left_is_rung_again(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).refer(town.uri(OTHER))
    ringing = town.phones[OTHER].incoming()
    phone_call(agent).hang_up()
    agent.call.wait("disconnected")
    ringing.answer(486)
    again = town.answer(AGENT)
    wait_for({customer: {again}, again: {customer}})
    hang_up(again, customer)
    assert talked_to(the_record(town, CUSTOMER, "recalled")) == [AGENT, AGENT]
    all_came_by(town, customer)


def test_from_hand_to_hand_and_out(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).refer(town.uri(COLLEAGUE))
    colleague = town.answer(COLLEAGUE)
    wait_for({customer: {colleague}, colleague: {customer}})
    agent.call.wait("disconnected")
    phone_call(colleague).refer(town.uri(OTHER))
    other = town.answer(OTHER)
    wait_for({customer: {other}, other: {customer}})
    colleague.call.wait("disconnected")
    hang_up(other, customer)
    record = the_record(town, CUSTOMER, "completed", "completed")
    assert talked_to(record) == [AGENT, COLLEAGUE, OTHER]
    all_came_by(town, customer, other)


def test_two_customers_who_called_are_joined(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(agent).hold()
    call = town.dial(OTHER, NUMBER)
    second = town.phones[AGENT].incoming()
    second.answer()
    call.wait("confirmed")
    second.wait("confirmed")
    other = Talker(call, TONES[OTHER])
    phone_call(agent).refer_to(second)
    wait_for({customer: {other}, other: {customer}})
    agent.call.wait("disconnected")
    second.wait("disconnected")
    hang_up(customer, other)
    ended, joined = town.records(2)
    assert sums_up(ended)
    assert sums_up(joined)
    assert (ended["caller"]["number"], ended["reason"]) == (OTHER, "transferred")
    assert (joined["caller"]["number"], talked_to(joined)) == (CUSTOMER, [AGENT, OTHER])
    all_came_by(town, customer, other)


def test_the_customer_itself_may_refer_nobody(town: Town) -> None:
    agent, customer = town.talk(CUSTOMER, AGENT)
    phone_call(customer).refer(f"sip:{COLLEAGUE}@{SERVER}")
    phone_call(customer).told(403)
    wait_for({customer: {agent}, agent: {customer}})
    hang_up(customer, agent)
    (record,) = town.records(1)
    assert talked_to(record) == [AGENT]
    all_came_by(town, customer)
