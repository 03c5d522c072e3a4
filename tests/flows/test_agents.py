"""Agents at work: real phones that dial codes, take calls of a queue, vanish and come back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pbx.acd.codes import AgentCodes
from pbx.acd.desk import RECOVERY_S, Desk
from pbx.acd.keeping import Kept
from pbx.acd.model import AgentState
from pbx.acd.presence import Presence, restore
from pbx.events import AgentStateChanged
from pbx.media.protocol import Play
from pbx.plan.model import Defaults, Plan, Queue
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone

TECH = Queue("tech", skills={"en": 3})


class Words:
    """A speaker whose sources are the words."""

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return the words."""
        return tuple(saying.words for saying in sayings)


class Staffed:
    """A house with the agents 101 and 102, both logged out, their codes and their phones."""

    def __init__(
        self, house: House, *, language: str = "en", features: dict[str, str] | None = None
    ) -> None:
        self.house = house
        self.language = language
        self.desk = Desk(house.floor)
        AgentCodes(self.desk).register(house.features)
        house.open(
            Plan(
                "test",
                queues={"tech": TECH},
                features=features or {},
                defaults=Defaults(language=language),
            )
        )
        house.exchange.settings = replace(house.exchange.settings, speaker=Words())
        for number in ("101", "102"):
            house.agent(number, logged_in=False, en=5)
        self.presence = Presence(
            house.floor, house.registrar, house.directory, timezone=lambda: "UTC"
        )
        house.registrar.changed = self.presence.changed
        self.presence.directory_changed(["101", "102"])

    def state(self, number: str = "101") -> AgentState:
        return self.desk.agent(number).view.state

    async def dials(self, phone: Softphone, code: str) -> str:
        """Let a phone dial a code; return what is heard until the call ends."""
        call = phone.call(code)
        await call.answered()
        await asyncio.sleep(0.1)
        play = self.house.media.sent(Play)[-1]
        self.house.media.finish_playing(play.leg)
        await call.ended()
        await asyncio.sleep(0.01)
        return " ".join(play.sources)

    def said(self, name: str, **values: str) -> str:
        return phrase(name, self.language, **values).words

    async def keep_house(self, seconds: int) -> None:
        """Let time pass, with what is done each second."""
        for _ in range(seconds):
            await asyncio.sleep(1)
            self.house.registrations.expire()
            self.house.registrations.qualify()


async def talks(house: House, caller: Softphone, called: Softphone) -> PhoneCall:
    """Let two phones talk; return the caller's call."""
    call = caller.call(called.number)
    (await called.rung()).answer()
    await call.answered()
    await asyncio.sleep(0.1)
    return call


# -- codes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "yue", "en"])
def test_the_login_code_logs_in_and_out_and_says_so(language: str) -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house, language=language)
        (phone,) = await house.registered("101")
        assert await staffed.dials(phone, "*45") == staffed.said("agent-logged-in")
        assert staffed.state() is AgentState.AVAILABLE
        assert await staffed.dials(phone, "*45") == staffed.said("agent-logged-out")
        assert staffed.state() is AgentState.LOGGED_OUT

    house = flow(scenario)
    paths = {record.path for record in house.records.values()}
    results = {(record.result, record.reason) for record in house.records.values()}
    assert (paths, results) == ({("feature:agent_login",)}, {("answered", "told")})


def test_the_pause_code_pauses_and_ends_the_pause() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("101")
        staffed.desk.log_in("101")
        assert await staffed.dials(phone, "*46") == staffed.said("agent-paused")
        assert staffed.state() is AgentState.PAUSED
        assert staffed.desk.agent("101").view.reason == "break"
        assert await staffed.dials(phone, "*46") == staffed.said("agent-ready")
        assert staffed.state() is AgentState.AVAILABLE

    flow(scenario)


def test_a_break_after_a_hard_call_ends_by_itself() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("101")
        staffed.desk.log_in("101")
        heard = await staffed.dials(phone, "*47")
        assert heard == staffed.said("agent-recovery", seconds=f"{RECOVERY_S:.0f}")
        assert staffed.state() is AgentState.PAUSED
        await asyncio.sleep(RECOVERY_S + 1)
        assert staffed.state() is AgentState.AVAILABLE

    flow(scenario)


def test_the_ready_code_ends_a_pause_too() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("101")
        staffed.desk.log_in("101")
        staffed.desk.pause("101", "lunch")
        assert await staffed.dials(phone, "*48") == staffed.said("agent-ready")
        assert staffed.state() is AgentState.AVAILABLE

    flow(scenario)


@pytest.mark.parametrize("code", ["*45", "*46", "*47", "*48"])
def test_an_extension_without_an_agent_is_told_so(code: str) -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("109")
        assert await staffed.dials(phone, code) == staffed.said("agent-unknown")

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == (
        *("answered", "no_agent_here"),
        "system",
    )


@pytest.mark.parametrize("code", ["*46", "*47", "*48"])
def test_who_is_logged_out_is_told_so_and_nothing_else_happens(code: str) -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("101")
        assert await staffed.dials(phone, code) == staffed.said("agent-logged-out")
        assert staffed.state() is AgentState.LOGGED_OUT

    assert flow(scenario).record.reason == "logged_out"


def test_the_dialplan_gives_codes_others_to_dial() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house, features={"agent_login": "*51"})
        (phone,) = await house.registered("101")
        assert await staffed.dials(phone, "*51") == staffed.said("agent-logged-in")
        old = phone.call("*45")
        await asyncio.sleep(0.1)
        for play in house.media.sent(Play)[-1:]:
            house.media.finish_playing(play.leg)
        assert await old.failed() == 404

    flow(scenario)


# -- calls ---------------------------------------------------------------------------------------


def test_a_pause_in_a_call_begins_after_it() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        alice, bob = await house.registered("101", "102")
        staffed.desk.log_in("101")
        call = await talks(house, bob, alice)
        assert staffed.state() is AgentState.TALKING
        said = staffed.desk.pause("101", "lunch")
        assert said == "Agent 101 is on a call and takes the break after it (lunch)"
        await asyncio.sleep(5)
        assert staffed.state() is AgentState.TALKING
        call.hang_up()
        await asyncio.sleep(0.5)
        assert staffed.state() is AgentState.PAUSED

    flow(scenario)


def test_whoever_dials_is_busy_for_the_queues() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        alice, bob = await house.registered("101", "109")
        staffed.desk.log_in("101")
        call = alice.call("109")
        rung = await bob.rung()
        assert staffed.state() is AgentState.TALKING
        rung.answer()
        await call.answered()
        call.hang_up()
        await asyncio.sleep(0.5)
        assert staffed.state() is AgentState.AVAILABLE

    flow(scenario)


def test_who_is_logged_out_stays_so_whatever_the_phone_does() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        alice, bob = await house.registered("101", "102")
        call = await talks(house, bob, alice)
        assert staffed.state() is AgentState.LOGGED_OUT
        call.hang_up()

    house = flow(scenario)
    states = [event.state for event in house.happened(AgentStateChanged) if event.agent == "101"]
    assert states == []


# -- phones --------------------------------------------------------------------------------------


def test_an_agent_may_log_in_before_its_phone_and_is_reachable_with_it() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        said = staffed.desk.log_in("101")
        assert said == "Agent 101 is logged in, but gets no calls: no phone is registered"
        assert staffed.state() is AgentState.UNREACHABLE
        (phone,) = await house.registered("101")
        assert staffed.state() is AgentState.AVAILABLE
        await phone.register(expires=0)
        assert staffed.state() is AgentState.UNREACHABLE
        assert staffed.desk.agent("101").view.reason == "no phone is registered"

    flow(scenario)


def test_a_phone_that_vanished_is_unreachable_within_a_minute_with_the_cause() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("101")
        staffed.desk.log_in("101")
        await staffed.keep_house(40)
        assert staffed.state() is AgentState.AVAILABLE
        house.network.loses = lambda octets, flow: phone.address in (flow.remote, flow.local)
        await staffed.keep_house(60)
        now = staffed.desk.agent("101").view
        assert now.state is AgentState.UNREACHABLE
        assert now.reason == "phone does not answer since 08:01"
        house.network.loses = lambda octets, flow: False
        await phone.register()
        assert staffed.state() is AgentState.AVAILABLE

    flow(scenario)


def test_a_phone_that_answers_again_is_reachable_again() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("101")
        staffed.desk.log_in("101")
        house.network.loses = lambda octets, flow: phone.address in (flow.remote, flow.local)
        await staffed.keep_house(60)
        assert staffed.state() is AgentState.UNREACHABLE
        house.network.loses = lambda octets, flow: False
        await staffed.keep_house(35)
        assert staffed.state() is AgentState.AVAILABLE

    flow(scenario)


def test_a_registration_that_runs_out_makes_unreachable() -> None:
    async def scenario(house: House) -> None:
        staffed = Staffed(house)
        (phone,) = await house.registered("101")
        staffed.desk.log_in("101")
        await phone.register(expires=60)
        await staffed.keep_house(62)
        assert staffed.desk.agent("101").view.reason == "no phone is registered"

    flow(scenario)


# -- restart -------------------------------------------------------------------------------------


def test_after_a_restart_everybody_is_where_they_were() -> None:
    kept: list[Kept] = []

    async def before(house: House) -> None:
        staffed = Staffed(house)
        alice, bob = await house.registered("101", "102")
        staffed.desk.log_in("101")
        staffed.desk.log_in("102")
        call = await talks(house, bob, alice)
        staffed.desk.pause("101", "lunch")
        await asyncio.sleep(1)
        kept.append(house.keeping.kept)  # killed amid the call
        call.hang_up()

    async def after(house: House) -> None:
        staffed = Staffed(house)
        await house.registered("101", "102")
        restore(house.floor, kept[0].duties)
        assert (staffed.state("101"), staffed.state("102")) == (
            AgentState.PAUSED,
            AgentState.AVAILABLE,
        )
        assert staffed.desk.agent("101").view.reason == "lunch"

    flow(before)
    flow(after)
