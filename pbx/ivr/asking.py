"""Asking the caller for digits (`ask`) and for an opinion (`survey`).

Missing and useless input are counted apart; either reaches `tries` and the question is given up. No
visit takes more than `MAX_INPUTS` inputs, whatever the file says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pbx.events import SurveyAnswered, SurveyAsked
from pbx.ivr.run import Run
from pbx.marks import Node
from pbx.marks.problem import WRONG_TYPE
from pbx.plan.model import Survey
from pbx.plan.step import Reading

MAX_INPUTS: Final = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: `least` to `most` digits; times in seconds."""

    prompt: tuple[str, ...]
    least: int
    most: int
    end_key: str
    timeout_s: float
    between_keys_s: float
    tries: int
    secret: bool = False
    check: str | None = None


async def ask(run: Run, wanted: Wanted) -> str | None:
    """Ask until there is an answer that can be used; None when it is given up."""
    missing = useless = 0
    prompt = wanted.prompt
    with ExitStack() as stack:
        if wanted.secret:
            run.world.forget_keys()
            stack.enter_context(run.world.secret())
        for _ in range(MAX_INPUTS):
            await run.say(*(run.saying(name) for name in prompt))
            keyed = await _keyed(run, wanted)
            run.keyed("" if wanted.secret else keyed)
            if keyed and _fits(keyed, wanted):
                return keyed
            missing, useless = missing + (not keyed), useless + bool(keyed)
            if max(missing, useless) >= wanted.tries:
                return None
            prompt = wanted.prompt[-1:]
            if keyed:
                run.world.forget_keys()
                await run.say(run.phrase("invalid-key"))
    return None


async def _keyed(run: Run, wanted: Wanted) -> str:
    """Return what was keyed, without the end key."""
    digits = ""
    while len(digits) < wanted.most:
        key = await run.world.key(wanted.between_keys_s if digits else wanted.timeout_s)
        if key is None or key == wanted.end_key:
            break
        digits += key
    else:
        await _swallow(run, wanted.end_key)
    return digits


async def _swallow(run: Run, end_key: str) -> None:
    """Take an end key that follows at once, lest the next question gets it."""
    if run.world.next_key == end_key:
        await run.world.key(0.0)


def _fits(keyed: str, wanted: Wanted) -> bool:
    if not wanted.least <= len(keyed) <= wanted.most:
        return False
    if wanted.check == "luhn":
        return keyed.isdigit() and luhn(keyed)
    return wanted.check is None or re.fullmatch(wanted.check, keyed) is not None


def luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_PATTERN = re.compile(r"(?:[0-9|]|\\d|\[\^?[0-9-]{1,20}\]|\{[0-9]{1,2}(?:,[0-9]{1,2})?\}){1,80}")
MAX_RANGES: Final = 2  # of {n,m} in a pattern: more of them could take for ever


@dataclass(frozen=True, slots=True)
class _Check:
    """How `check:` is written: `luhn`, or what the digits must look like."""

    written: ClassVar[str] = "luhn, or a pattern such as 20[0-9]{4}"

    def read(self, reading: Reading, node: Node, what: str) -> str | None:
        """Return the word or the pattern. What could take for ever to compare is refused."""
        text = reading.text(node, what)
        if text is None or text == "luhn":
            return text
        if not _PATTERN.fullmatch(text) or text.count(",") > MAX_RANGES:
            sentence = f'{what}: "{text}" is no pattern of digits'
            reading.problem(node, WRONG_TYPE, sentence, "use digits, [0-9], {n}, {n,m} and |")
            return None
        try:
            re.compile(text)
        except re.error as error:
            reading.problem(node, WRONG_TYPE, f'{what}: "{text}" cannot be read: {error}')
            return None
        return text

    def schema(self) -> Mapping[str, Any]:
        """Return any text."""
        return {"type": "string"}


CHECK: Final = _Check()


async def survey(run: Run, survey: Survey) -> None:
    """Ask one question; no answer in time is none."""
    call = run.world.caller.call
    run.world.emit(SurveyAsked(call=call, survey=survey.name))
    await run.say(run.saying(survey.prompt))
    key = await run.world.key(survey.timeout_s)
    meaning = None if key is None else survey.keys.get(key)
    if key is None or meaning is None:
        unheard = "no answer" if key is None else f"key {key} means nothing"
        run.tell(survey.name, unheard, kind="survey")
        return
    run.world.emit(SurveyAnswered(call=call, survey=survey.name, key=key, meaning=meaning))
    run.tell(survey.name, f"key {key}: {meaning}", kind="survey")
    if survey.comment:
        await run.say(run.phrase("survey-comment"))
        await run.world.comment(survey.name)
    await run.say(run.phrase("survey-thanks"))
