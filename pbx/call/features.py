"""Codes that a phone dials: the registry of features, and which code means which in a plan.

Each feature has a name, a code of its own (or none) and one coroutine; other rooms register theirs.
`features` of the dialplan gives a feature another code, and `override_key` of a schedule is a code
for `day_night:NAME`. An unknown code is told so as early media (special information tone, ITU-T
E.180) and then gets 404, so that a caller hears why, and pays nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pbx.call.outcome import Outcome, answered, failed
from pbx.errors import UsageError
from pbx.plan.model import Plan

if TYPE_CHECKING:
    from pbx.call.call import Call

Feature = Callable[..., Awaitable[Outcome]]
"""`async def feature(call) -> Outcome`, or with an argument: `feature(call, schedule)`."""

DAY_NIGHT: Final = "day_night"
"""The feature that the `override_key` of a schedule means; it takes the schedule's name."""

UNKNOWN_CODE: Final = "unknown_code"
"""The feature that tells that there is no such code."""

ANNOUNCEMENT = ("tone:special_information",) * 2
"""What tells that a number does not work (ITU-T E.180 §3.3)."""

ANNOUNCEMENT_SECONDS = 10.0
"""The longest that an announcement may take before the caller is told 404 all the same."""


class Features:
    """The registry of features. One registered twice is a defect and raises at once."""

    def __init__(self) -> None:
        self._coroutines: dict[str, Feature] = {}
        self._defaults: dict[str, str] = {}
        self._plan: Plan | None = None
        self._codes: Mapping[str, str] = {}

    def register(self, name: str, code: str, coroutine: Feature) -> None:
        """Bind `name` to its coroutine; `code` is what is dialled for it, "" for nothing."""
        if name in self._coroutines or (code and code in self._defaults.values()):
            raise UsageError(f"feature {name!r} or its code {code!r} is registered twice")
        self._coroutines[name] = coroutine
        self._defaults[name] = code
        self._plan = None

    @property
    def defaults(self) -> Mapping[str, str]:
        """Return the code of each feature where a plan says nothing; "" for none."""
        return self._defaults

    def codes(self, plan: Plan) -> Mapping[str, str]:
        """Return code → feature, as `plan` wants it; an argument stands after a colon.

        What the plan says of a feature wins over the code of another. The codes of the plan that
        was asked for last are remembered: all new calls ask for the same one.
        """
        if plan is not self._plan:
            self._codes = self._codes_of(plan)
            self._plan = plan
        return self._codes

    def _codes_of(self, plan: Plan) -> dict[str, str]:
        changed = {name: plan.features[name] for name in self._defaults if name in plan.features}
        kept = {name: code for name, code in self._defaults.items() if name not in changed}
        codes = {code: name for name, code in (*kept.items(), *changed.items())}
        if DAY_NIGHT in self._coroutines:
            for schedule in plan.hours.values():
                codes[schedule.override_key or ""] = f"{DAY_NIGHT}:{schedule.name}"
        codes.pop("", None)
        return codes

    async def go(self, call: Call, name: str) -> Outcome:
        """Run the feature `name`, or `name:argument`; the destination kind `feature`."""
        word, colon, argument = name.partition(":")
        coroutine = self._coroutines.get(word)
        if coroutine is None:
            raise UsageError(f"no feature {word!r}")
        return await (coroutine(call, argument) if colon else coroutine(call))


async def echo(call: Call) -> Outcome:
    """Answer and send the caller's own voice back until the caller hangs up."""
    call.caller.answer(call.caller.speaks())
    call.caller.echo()
    call.connected()
    return answered(await call.caller.ended)


async def unknown_code(call: Call) -> Outcome:
    """Play the special information tone before the answer, then refuse with 404."""
    playable = call.caller.speaks().playable()
    if playable.codecs:
        call.caller.progress(playable)
        with suppress(TimeoutError):
            async with asyncio.timeout(ANNOUNCEMENT_SECONDS):
                await call.caller.play(*ANNOUNCEMENT)
    return failed(404, "unknown_code")
