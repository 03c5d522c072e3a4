"""Menus: which choice the keys mean, and what a caller lives through there.

A choice is taken at once when no longer one begins with it; else after the time between keys, or
with #. Missing and invalid input are counted apart; either reaches `tries` and `give_up` follows.
No visit takes more than `MAX_INPUTS` inputs, so that every menu ends whatever the file says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pbx.call.outcome import Outcome
from pbx.events import MenuEntered, MenuLeft
from pbx.ivr.asking import MAX_INPUTS
from pbx.ivr.run import Run
from pbx.plan.destination import OPERATOR, REPEAT, Destination
from pbx.plan.model import Choice, Menu

END_KEY: Final = "#"

Match = Literal["none", "exact", "longer", "both"]


def matches(menu: Menu, keyed: str) -> Match:
    """Tell whether `keyed` is a choice of the menu, begins a longer one, or both."""
    exact = keyed in menu.keys or _is_extension(menu, keyed)
    longer = any(key != keyed and key.startswith(keyed) for key in menu.keys)
    longer = longer or _begins_extension(menu, keyed)
    if exact:
        return "both" if longer else "exact"
    return "longer" if longer else "none"


def _is_extension(menu: Menu, keyed: str) -> bool:
    if menu.extensions is None:
        return False
    first, last = menu.extensions
    return len(keyed) == len(first) and keyed.isdigit() and first <= keyed <= last


def _begins_extension(menu: Menu, keyed: str) -> bool:
    if menu.extensions is None or not keyed.isdigit():
        return False
    first, last = menu.extensions
    if len(keyed) >= len(first):
        return False
    return first[: len(keyed)] <= keyed <= last[: len(keyed)]


async def menu(run: Run, name: str) -> Destination | Outcome:
    """Let the caller choose; return where that leads."""
    menu = run.plan.menus[name]
    run.menus.append(name)
    run.be_heard()
    call = run.world.caller.call
    run.world.emit(MenuEntered(call=call, menu=name))
    tries = {"no_input": 0, "invalid": 0}
    most = menu.tries or run.plan.defaults.menu.tries
    prompt: Sequence[str] = menu.prompt
    for _ in range(MAX_INPUTS):
        run.count()
        _at(run, menu)
        await run.say(*(run.saying(each) for each in prompt), interrupt=menu.interrupt)
        keyed = await _keyed(run, menu)
        run.keyed(keyed)
        _at(run, menu)
        heard = f"{' '.join(prompt)}, " if prompt else ""
        what: str | None = None
        choice = _choice(run, menu, keyed)
        if choice is not None:
            run.tell(name, f"{heard}key {keyed}")
        else:
            what = "invalid" if keyed else "no_input"
            tries[what] += 1
            if tries[what] >= most:
                run.tell(name, f"{heard}{_unheard(keyed)}, {tries[what]} of {most} → give_up")
                break
            run.tell(name, f"{heard}{_unheard(keyed)}, {tries[what]} of {most}")
            if keyed:
                run.world.forget_keys()
            choice = _answer_to(menu.no_input if what == "no_input" else menu.invalid, tries[what])
            if keyed and choice == REPEAT:
                await run.say(run.phrase("invalid-key"))
        if leaves(choice):
            _leave(run, menu, keyed if what is None else what, sum(tries.values()))
        following = await _follow(run, choice)
        if following is not None and following != REPEAT:
            return following
        prompt = menu.prompt[-1:]
    else:
        run.tell(name, f"{MAX_INPUTS} inputs → give_up")
    _leave(run, menu, "give_up", sum(tries.values()))
    return await _give_up(run, menu)


async def choice_of(run: Run, menu: Menu) -> Destination | Outcome | None:
    """Take what a caller keys who was asked nothing; None where it means nothing."""
    keyed = await _keyed(run, menu)
    run.keyed(keyed)
    choice = _choice(run, menu, keyed)
    if choice is None:
        return None
    run.tell(menu.name, f"key {keyed}")
    return await _follow(run, choice)


async def _keyed(run: Run, menu: Menu) -> str:
    """Return what the caller keys; empty for nothing."""
    defaults = run.plan.defaults.menu
    keyed, seconds = "", menu.timeout_s or defaults.timeout_s
    while True:
        key = await run.world.key(seconds)
        if key is None or (key == END_KEY and keyed and matches(menu, keyed + key) == "none"):
            return keyed
        keyed += key
        if matches(menu, keyed) in ("exact", "none"):
            return keyed
        seconds = menu.between_keys_s or defaults.between_keys_s


def _choice(run: Run, menu: Menu, keyed: str) -> Choice | None:
    if keyed in menu.keys:
        return menu.keys[keyed]
    if _is_extension(menu, keyed) and run.world.is_extension(keyed):
        return Destination("ext", keyed)
    return None


def _answer_to(answers: tuple[Choice, ...], count: int) -> Choice:
    """Return what follows the `count`th missing or invalid input."""
    return answers[min(count, len(answers)) - 1] if answers else REPEAT


def leaves(choice: Choice) -> bool:
    """Tell whether a choice takes the caller out of the menu."""
    if isinstance(choice, Destination):
        return choice != REPEAT
    return bool(choice) and choice[-1].arguments.get("to", REPEAT) != REPEAT


async def _follow(run: Run, choice: Choice) -> Destination | Outcome | None:
    return choice if isinstance(choice, Destination) else await run.steps(choice)


async def _give_up(run: Run, menu: Menu) -> Destination | Outcome:
    following = None if menu.give_up is None else await _follow(run, menu.give_up)
    return OPERATOR if following is None or following == REPEAT else following


def _leave(run: Run, menu: Menu, choice: str, tries: int) -> None:
    call = run.world.caller.call
    run.world.emit(MenuLeft(call=call, menu=menu.name, choice=choice, tries=tries))


def _unheard(keyed: str) -> str:
    return f"key {keyed} means nothing" if keyed else "no key"


def _at(run: Run, menu: Menu) -> None:
    run.stand(kind="menu", mark=menu.mark)
