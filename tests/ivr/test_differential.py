"""One interpreter, two worlds: a call on phones and its rehearsal tell the same story.

200 plans made up at random are called by a phone of the in-memory network, through the whole
exchange: INVITE, media commands, keys as the worker reports them, phones that answer or do not. The
lines of each call must be those of its rehearsal. Places of other rooms (queues, mailboxes) are
played by stand-ins here, since only the way between places is compared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from pbx.call.call import Call
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, failed
from pbx.events import StepTaken
from pbx.ivr import live
from pbx.ivr.live import LiveWorld
from pbx.ivr.rehearsal import SILENCE, Circumstances, Mock
from pbx.ivr.simulate import rehearse
from pbx.ivr.verbs import VOCABULARY
from pbx.ivr.world import Answer, Failure, Found, Nothing
from pbx.media.protocol import DigitHeard
from pbx.plan.loader import parse_plan
from pbx.plan.model import Plan
from pbx.speech.saying import Saying
from tests.kit.exchange import House, flow
from tests.kit.generated import EXTENSIONS, STATES, generated_plan, generated_press
from tests.kit.softphone import Softphone

PLANS = 200
CALLS = 2
CALLER = "101"
BEGIN = datetime(2026, 9, 28, 2, 10, tzinfo=UTC)
"""10:10 in Shanghai, a Monday, two days before a week of holidays."""

Lines = list[tuple[str, str, str, int]]


class Silences:
    """A voice that says everything as silence of the same length."""

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return silences."""
        return tuple(f"silence:{100 + 10 * len(saying.words)}" for saying in sayings)


def keyed_world(house: House, press: tuple[str, ...]) -> type[LiveWorld]:
    """Return a live world whose caller presses one group of keys at each question."""
    groups = deque(press)

    class Keyed(LiveWorld):
        asked = True

        async def say(self, sayings: Any, *, interrupt: bool = True) -> None:
            self.asked = True
            await super().say(sayings, interrupt=interrupt)

        async def key(self, seconds: float) -> str | None:
            if self.next_key is None and groups and self.asked:
                self.asked = False
                group = groups.popleft()
                for key in "" if group == SILENCE else group:
                    house.media.report(DigitHeard(self._call.caller.id, key, 100))
            return await super().key(seconds)

    return Keyed


async def act(phone: Softphone, state: str) -> None:
    """Be a phone in that state."""
    while True:
        rung = await phone.rung(within=1_000_000)
        if state == "busy":
            rung.respond(486)
            continue
        rung.ring()
        if state == "answers":
            await asyncio.sleep(1)
            rung.answer()
            await asyncio.sleep(60)
            rung.hang_up()


def stand_ins(house: House) -> None:
    """Play the places of other rooms as a rehearsal does."""

    async def voicemail(call: Call, name: str, **_: object) -> Outcome:
        call.caller.answer(call.caller.speaks())
        return Outcome(OutcomeKind.LEFT, "voicemail", "message", 200, NORMAL_CLEARING, "system")

    async def queue(call: Call, name: str, **_: object) -> Outcome:
        call.caller.answer(call.caller.speaks())
        return Outcome(
            OutcomeKind.NO_AGENTS, "abandoned", "no_agents", 480, NORMAL_CLEARING, "system"
        )

    async def callback(call: Call, name: str, **_: object) -> Outcome:
        return failed(480, "callback_not_available")

    routes = house.destinations._routes
    for kind, route in (("voicemail", voicemail), ("queue", queue), ("callback", callback)):
        routes[kind] = route


def answers(mocks: dict[str, Mock]) -> dict[str, Answer]:
    """Return what the outside of the live call says, so that both say it alike."""
    told: dict[str, Answer] = {
        name: Nothing("no mock: nothing is asked in a rehearsal") for name in ("one", "two")
    }
    for name, mock in mocks.items():
        if mock is None:
            told[name] = Nothing("mock")
        else:
            told[name] = Failure("mock") if mock == "error" else Found({"l": "gold"}, "(mock)")
    return told


def called(
    plan: Plan,
    press: tuple[str, ...],
    phones: dict[str, str],
    mocks: dict[str, Mock],
    at: datetime,
    patch: Callable[[type[LiveWorld]], None],
) -> Lines:
    """Call `400` in a house with that plan at that time; return the lines."""

    async def scenario(house: House) -> None:
        stand_ins(house)
        patch(keyed_world(house, press))
        house.media.plays_through = True
        house.enquiries.answers = answers(mocks)
        house.exchange.settings = replace(house.exchange.settings, speaker=Silences())
        house.exchange.plan = plan
        acting = []
        for number, state in phones.items():
            phone = house.phone(number)
            if state != "unregistered":
                await phone.register()
                acting.append(asyncio.ensure_future(act(phone, state)))
        (caller,) = await house.registered(CALLER)
        house.clock.set_wall(at.timestamp())
        caller.call("400")
        async with asyncio.timeout(10_000):
            while not house.records:
                await asyncio.sleep(1)
        for task in acting:
            task.cancel()

    house = flow(scenario)
    return [_line(event) for event in house.happened(StepTaken) if isinstance(event, StepTaken)]


def _line(step: StepTaken) -> tuple[str, str, str, int]:
    return step.kind, step.name, step.text, step.line


@pytest.mark.parametrize("seed", range(PLANS))
def test_a_call_and_its_rehearsal_tell_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(seed + 10_000)
    text = generated_plan(rng)
    plan, _ = parse_plan(text, "made.yaml", VOCABULARY)
    assert plan is not None
    for _ in range(CALLS):
        press = generated_press(rng)
        phones = {number: rng.choice(STATES) for number in EXTENSIONS}
        mocks: dict[str, Mock] = {"two": rng.choice(({"level": "gold"}, None, "error"))}
        at = BEGIN + timedelta(hours=rng.randrange(24 * 14))
        lines = called(
            plan,
            press,
            phones,
            mocks,
            at,
            lambda world: monkeypatch.setattr(live, "LiveWorld", world),
        )
        rehearsal = rehearse(
            plan,
            Circumstances(
                to="400",
                from_=CALLER,
                at=at,
                press=press,
                phones=phones,
                mocks=mocks,
                extensions=frozenset((*EXTENSIONS, CALLER)),
            ),
        )
        assert lines == [_line(line.step) for line in rehearsal.lines], (press, phones, text)
