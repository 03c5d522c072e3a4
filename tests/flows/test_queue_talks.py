"""From an agent's answer to the end: introductions, recordings, surveys, releases, coming back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pbx.acd.model import AgentState
from pbx.call import supervision, transfer
from pbx.call.bridge import KEPT_FOR
from pbx.events import (
    AgentConnected,
    Bridged,
    QueueEntered,
    SurveyAnswered,
    SurveyAsked,
    SurveyCommented,
)
from pbx.media.protocol import CodeHeard, Record, Talking
from pbx.plan.model import Prompt, PromptText, Queue, Survey
from pbx.plan.text import parse_text as text
from tests.flows.test_queue_waiting import Names, told
from tests.flows.test_queues import (
    declined,
    heard_by,
    left,
    leg_of,
    plan,
    press,
    tech,
    the_record,
    waits,
)
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone

NUMBER = "queue-agent: 幺零二号客服代表为您服务。"


def opened(house: House, queue: Queue, **sections: Any) -> None:
    house.exchange.settings = replace(house.exchange.settings, speaker=Names())
    house.open(plan(queue, **sections))


async def answered(
    house: House, queue: Queue, *agents: str, **sections: Any
) -> tuple[PhoneCall, PhoneCall, list[Softphone]]:
    """Let 101 call the queue and the first agent answer; return both calls, and all phones."""
    opened(house, queue, **sections)
    phones = await house.registered(*(agents or ("102",)))
    for phone in phones:
        house.agent(phone.number)
    call = await waits(house)
    rung = await phones[0].rung()
    rung.ring()
    await asyncio.sleep(1)
    rung.answer()
    await asyncio.sleep(0.1)
    return call, rung, phones


def state(house: House, agent: str) -> tuple[AgentState, str]:
    """Return what an agent does, and why."""
    view = house.floor.engine.agent(agent)
    assert view is not None
    return view.state, view.reason


# -- the introduction --------------------------------------------------------------------------


def test_each_hears_who_the_other_is_at_once_and_then_they_hear_each_other() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech(say_agent_number=True, whisper=True))
        assert heard_by(house, "101") == [NUMBER]
        assert heard_by(house, "102") == ["queue-call: tech来电。"]
        assert house.media.joined == {}
        assert house.media.hears(leg_of(house, "101")) == {}
        await asyncio.sleep(1)
        house.media.finish_playing(leg_of(house, "102"))
        await asyncio.sleep(0.5)
        assert house.media.joined == {}
        house.media.finish_playing(leg_of(house, "101"))
        await asyncio.sleep(0.1)
        assert len(house.media.joined) == 2
        await asyncio.sleep(4)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    (connected,) = house.happened(AgentConnected)
    assert isinstance(connected, AgentConnected)
    assert (connected.agent, connected.queue) == ("102", "tech")
    assert round(the_record(house).talk_s) == 4


def test_a_queue_may_have_a_whisper_of_its_own() -> None:
    async def scenario(house: House) -> None:
        own = Prompt("tech", {"zh": PromptText(text("技术支持"))})
        call, rung, _ = await answered(house, tech(whisper=True), prompts={"tech": own})
        assert heard_by(house, "102") == ["tech: 技术支持"]
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_an_introduction_that_does_not_end_is_cut() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech(say_agent_number=True))
        await asyncio.sleep(3.1)
        assert len(house.media.joined) == 2
        assert heard_by(house, "101") == []
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_an_agent_who_hangs_up_in_the_introduction_costs_the_caller_nothing() -> None:
    async def scenario(house: House) -> None:
        queue = tech(say_agent_number=True, strategy="ring_all")
        call, rung, (_, carol) = await answered(house, queue, "102", "103")
        other = await carol.rung()
        other.ring()
        rung.hang_up()
        await asyncio.sleep(1)
        assert other.events == []
        assert heard_by(house, "101") == ["music:hold.wav"]
        other.answer()
        await asyncio.sleep(0.2)
        assert heard_by(house, "101") == ["queue-agent: 幺零三号客服代表为您服务。"]
        house.media.finish_playing(leg_of(house, "101"))
        await asyncio.sleep(2)
        call.hang_up()
        await other.ended()

    house = flow(scenario)
    assert declined(house) == [("102", "failed")]
    assert left(house) == [("tech", "answered")]
    assert len(house.happened(QueueEntered)) == 1


def test_two_who_answer_at_once_do_not_both_have_the_caller() -> None:
    async def scenario(house: House) -> None:
        queue = tech(say_agent_number=True, strategy="ring_all")
        call, rung, (_, carol) = await answered(house, queue, "102", "103")
        other = await carol.rung()
        other.answer()
        await asyncio.sleep(1)
        house.media.finish_playing(leg_of(house, "101"))
        await other.ended()
        await asyncio.sleep(2)
        assert len(house.media.joined) == 2
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert declined(house) == [("103", "withdrawn")]


def test_a_caller_who_hangs_up_in_the_introduction_was_not_answered() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech(say_agent_number=True))
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert the_record(house).result == "abandoned"
    assert left(house) == [("tech", "abandoned")]


def test_agents_phones_answer_by_themselves_where_the_queue_wants_it() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech(auto_answer=True))
        assert "answer-after=0" in rung.request.headers.get("Call-Info")
        call.hang_up()
        await rung.ended()

    flow(scenario)


@pytest.mark.parametrize("key", ["1", "2", None])
def test_an_agent_takes_a_call_with_a_key_where_the_queue_wants_it(key: str | None) -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech(confirm_key="1"))
        assert heard_by(house, "102") == ["confirm-call: tech有来电，接听请按一。"]
        assert heard_by(house, "101") == ["music:hold.wav"]
        if key is not None:
            await press(house, "102", key)
        else:
            await asyncio.sleep(20)
        if key == "1":
            assert len(house.media.joined) == 2
            call.hang_up()
        else:
            call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert [reason for _, reason in declined(house)][:1] == ([] if key == "1" else ["no_answer"])


# -- recording ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("percent", "recorded"), [(100, 1), (0, 0)])
def test_so_many_calls_are_recorded_from_the_introduction_on(percent: int, recorded: int) -> None:
    async def scenario(house: House) -> None:
        queue = tech(record_who="all", record_percent=percent, say_agent_number=True)
        call, rung, _ = await answered(house, queue)
        assert len(house.media.recording) == recorded
        house.media.finish_playing(leg_of(house, "101"))
        await asyncio.sleep(3)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert len(house.media.sent(Record)) == recorded
    assert all(command.left == 1 for command in house.media.sent(Record))


# -- the survey --------------------------------------------------------------------------------

SURVEY = {"happy": Survey("happy", "rate", {"1": "yes", "2": "no"})}
RATE = {"rate": Prompt("rate", {"zh": PromptText(text("rate"))})}


async def surveyed(house: House, **fields: Any) -> tuple[PhoneCall, PhoneCall]:
    queue = tech(survey="happy", **fields)
    call, rung, _ = await answered(house, queue, surveys=SURVEY, prompts=RATE)
    house.media.plays_through = True
    await asyncio.sleep(5)
    return call, rung


def test_whose_agent_hangs_up_is_asked_for_an_opinion() -> None:
    async def scenario(house: House) -> None:
        call, rung = await surveyed(house)
        rung.hang_up()
        await asyncio.sleep(0.5)
        assert state(house, "102") == (AgentState.AVAILABLE, "")
        assert told(house) == ["rate: rate"]
        await press(house, "101", "2")
        await call.ended()

    house = flow(scenario)
    (answer,) = house.happened(SurveyAnswered)
    assert isinstance(answer, SurveyAnswered)
    assert (answer.survey, answer.meaning) == ("happy", "no")
    record = the_record(house)
    assert (record.result, record.agent, record.queue) == ("answered", "102", "tech")


@pytest.mark.parametrize(("percent", "pushed", "asked"), [(0, False, 0), (0, True, 1)])
def test_an_agent_may_send_a_caller_who_would_not_be_asked(
    percent: int, pushed: bool, asked: int
) -> None:
    async def scenario(house: House) -> None:
        call, rung = await surveyed(house, survey_percent=percent)
        if pushed:
            house.media.report(CodeHeard(leg_of(house, "102"), "*4"))
            await rung.ended()
        else:
            rung.hang_up()
        await call.ended()

    assert len(flow(scenario).happened(SurveyAsked)) == asked


@pytest.mark.parametrize("ends", ["key", "silence", "hang-up"])
def test_a_caller_may_say_why_and_that_is_a_recording_of_the_call(ends: str) -> None:
    async def scenario(house: House) -> None:
        surveys = {"happy": replace(SURVEY["happy"], comment=True)}
        call, rung, _ = await answered(house, tech(survey="happy"), surveys=surveys, prompts=RATE)
        house.media.plays_through = True
        rung.hang_up()
        await asyncio.sleep(0.5)
        await press(house, "101", "2")
        await asyncio.sleep(0.5)
        assert told(house)[-1].startswith("survey-comment")
        assert len(house.media.recording) == 1
        house.media.report(Talking(leg_of(house, "101"), True))
        await asyncio.sleep(20)
        assert len(house.media.recording) == 1
        if ends == "hang-up":
            call.hang_up()
            return
        if ends == "key":
            await press(house, "101", "#")
        else:
            house.media.report(Talking(leg_of(house, "101"), False))
            await asyncio.sleep(5.1)
        assert house.media.recording == {}
        await call.ended()

    house = flow(scenario)
    (commented,) = house.happened(SurveyCommented)
    assert isinstance(commented, SurveyCommented)
    record = the_record(house)
    assert commented.recording == f"{record.id}-1"
    assert len(record.recordings) == 1


def test_without_a_survey_the_code_does_nothing_but_a_tone() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech())
        house.media.report(CodeHeard(leg_of(house, "102"), "*4"))
        await asyncio.sleep(1)
        assert len(house.media.joined) == 2
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_caller_who_hangs_up_is_asked_nothing() -> None:
    async def scenario(house: House) -> None:
        call, rung = await surveyed(house)
        call.hang_up()
        await rung.ended()

    assert flow(scenario).happened(SurveyAsked) == []


# -- forced release ----------------------------------------------------------------------------


def released(house: House, mode: supervision.ReleaseMode) -> None:
    (call,) = house.exchange.calls
    supervision.release(house.exchange, call, mode)


def test_the_customer_of_a_released_agent_waits_again_before_all_others() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech())
        other = await waits(house, caller="201")
        await asyncio.sleep(10)
        (name,) = (call.id for call in house.exchange.calls.values() if call.who.number == "101")
        supervision.release(house.exchange, name, "agent")
        ended = await rung.ended()
        assert ended.slug == "bye"
        await asyncio.sleep(1)
        assert state(house, "102") == (AgentState.PAUSED, "supervisor")
        assert heard_by(house, "101") == ["music:hold.wav"]
        assert house.floor.engine.ahead(name) == 0
        (carol,) = await house.registered("103")
        house.agent("103")
        again = await carol.rung()
        assert str(again.request.from_.uri.number) == "101"
        again.answer()
        await asyncio.sleep(5)
        again.hang_up()
        await call.ended()
        other.hang_up()

    house = flow(scenario)
    record = next(record for record in house.records.values() if record.reason == "bye")
    assert record.result == "answered"
    entered = [event for event in house.happened(QueueEntered) if isinstance(event, QueueEntered)]
    waited = [event.waited_s for event in entered if event.call == record.id]
    assert waited == [0.0, pytest.approx(11.5, abs=0.2)]


def test_a_customer_who_waits_again_may_give_up() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech())
        released(house, "agent")
        await rung.ended()
        await asyncio.sleep(KEPT_FOR + 10)
        call.hang_up()

    house = flow(scenario)
    assert left(house) == [("tech", "answered"), ("tech", "abandoned")]
    assert the_record(house).result == "answered"


def test_a_released_call_is_over_and_the_agent_pauses() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech(survey="happy"), surveys=SURVEY, prompts=RATE)
        released(house, "all")
        await rung.ended()
        await call.ended()
        await asyncio.sleep(1)
        assert state(house, "102") == (AgentState.PAUSED, "supervisor")

    assert flow(scenario).happened(SurveyAsked) == []


def test_a_supervisor_takes_over_and_the_agent_pauses() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech())
        (boss,) = await house.registered("190")
        (name,) = house.exchange.calls
        await supervision.supervise(house.exchange, name, "190", "listen")
        listening = await boss.rung()
        listening.answer()
        await asyncio.sleep(1)
        released(house, "takeover")
        await rung.ended()
        await asyncio.sleep(2)
        assert state(house, "102") == (AgentState.PAUSED, "supervisor")
        assert left(house) == [("tech", "answered")]
        listening.hang_up()
        await call.ended()

    assert len(flow(scenario).happened(Bridged)) == 2


# -- transfers ---------------------------------------------------------------------------------


def test_a_caller_whom_nobody_takes_after_a_transfer_waits_again_before_all_others() -> None:
    async def scenario(house: House) -> None:
        call, rung, _ = await answered(house, tech())
        (other,) = await house.registered("109")
        (name,) = house.exchange.calls
        transfer.transfer(house.exchange, name, "109")
        await rung.ended()
        (await other.rung()).respond(486)
        recall = await house.phones[0].rung()
        recall.respond(486)
        await asyncio.sleep(1)
        assert house.floor.engine.ahead(name) == 0
        assert heard_by(house, "101") == ["music:hold.wav"]
        call.hang_up()

    house = flow(scenario)
    assert left(house) == [("tech", "answered"), ("tech", "abandoned")]


def test_a_caller_transferred_to_another_queue_waits_there() -> None:
    async def scenario(house: House) -> None:
        opened(house, tech())
        queues = {**house.plan.queues, "sales": tech("sales", skills={"b": 1})}
        house.open(replace(house.plan, queues=queues))
        bob, carol = await house.registered("102", "103")
        house.agent("102")
        house.agent("103", b=1)
        busy = carol.call("*43")
        await busy.answered()
        call = await waits(house)
        rung = await bob.rung()
        rung.answer()
        await asyncio.sleep(3)
        name = next(each.id for each in house.exchange.calls.values() if each.called == "400")
        transfer.transfer(house.exchange, name, "queue:sales")
        await rung.ended()
        await asyncio.sleep(10)
        busy.hang_up()
        again = await carol.rung()
        again.answer()
        await asyncio.sleep(3)
        again.hang_up()
        await call.ended()

    house = flow(scenario)
    assert left(house) == [("tech", "answered"), ("sales", "answered")]
