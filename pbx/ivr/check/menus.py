"""W021: what callers expect of menus: 0 leads to a person, and keys that are said do something.

Words are read for keys as each language says them: “按5”, “撳5字”, “press 5”, “press pound”.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from pbx.ivr.check.subject import Subject, problem
from pbx.marks.problem import MENU_HABITS, Problem
from pbx.plan.destination import Destination
from pbx.plan.model import Menu, Plan, PromptText

OPERATOR_KEY: Final = "0"

_FULL_WIDTH: Final = str.maketrans("０１２３４５６７８９＊＃", "0123456789*#")

_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_WORDS: Final = {
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    **dict(zip(_DIGITS, "0123456789", strict=True)),
    **dict.fromkeys("两兩", "2"),
    **dict.fromkeys(("井", "pound", "hash"), "#"),
    **dict.fromkeys(("星", "米", "star"), "*"),
}
"""How keys are said → the key."""

_CHINESE: Final = re.compile(r"(?:请?按下?|撳|㩒|揿)\s*([0-9*#]+|[零一二三四五六七八九两兩井星米])")
_ENGLISH: Final = re.compile(
    r"\bpress(?:ing)?\s+(?:the\s+)?(?:key\s+)?"
    rf"([0-9*#]+|{'|'.join(_DIGITS)}|pound|hash|star)(?!\w)",
    re.IGNORECASE,
)


def check_menus(subject: Subject) -> Iterator[Problem]:
    """Yield a warning for each menu without 0, and for each key that is said and does nothing."""
    plan = subject.plan
    offers = {queue.offer_menu for queue in plan.queues.values()}
    for menu in plan.menus.values():
        if plan.defaults.operator is not None and menu.name not in offers and _lacks_person(menu):
            sentence = f"menus.{menu.name} has no key 0, which callers press for a person"
            yield problem(menu.mark, MENU_HABITS, sentence, "add 0: operator")
        yield from _unmapped(plan, f"menu:{menu.name}", menu.prompt, _keys(menu))
    for survey in plan.surveys.values():
        yield from _unmapped(plan, f"survey:{survey.name}", (survey.prompt,), survey.keys.keys())


def said_keys(words: str) -> Iterator[tuple[str, str]]:
    """Yield the keys that a text tells callers to press: the words for it, and the key."""
    plain = words.translate(_FULL_WIDTH)
    for found in (*_CHINESE.finditer(plain), *_ENGLISH.finditer(plain)):
        yield found[0].strip(), _WORDS.get(found[1].lower(), found[1])


def _lacks_person(menu: Menu) -> bool:
    """Tell whether 0 is missing, in a menu that leads further than back."""
    leads_on = any(_leads_on(choice) for choice in menu.keys.values())
    return OPERATOR_KEY not in menu.keys and leads_on


def _leads_on(choice: object) -> bool:
    if isinstance(choice, Destination):
        return choice.kind not in ("back", "repeat", "stay")
    steps = choice if isinstance(choice, tuple) else ()
    last = steps[-1].arguments.get("to") if steps else None
    return not isinstance(last, Destination) or _leads_on(last)


def _keys(menu: Menu) -> Collection[str]:
    """Return what can be keyed; # ends whatever has several digits."""
    several = menu.extensions is not None or any(len(key) > 1 for key in menu.keys)
    return {*menu.keys, *("#" if several else ())}


def _unmapped(
    plan: Plan, place: str, prompts: Collection[str], keys: Collection[str]
) -> Iterator[Problem]:
    for name in prompts:
        prompt = plan.prompts.get(name)
        for language, said in prompt.spoken.items() if prompt is not None else ():
            if prompt is None or not isinstance(said, PromptText):
                continue
            for words, key in said_keys(str(said.text)):
                if key not in keys and not _is_extension(plan, place, key):
                    sentence = (
                        f"prompt {name} ({language}) says {words} but {place} has no key {key}"
                    )
                    yield problem(prompt.mark, MENU_HABITS, sentence, f"add {_quoted(key)}: …")


def _is_extension(plan: Plan, place: str, key: str) -> bool:
    kind, _, name = place.partition(":")
    extensions = plan.menus[name].extensions if kind == "menu" else None
    if extensions is None:
        return False
    first, last = extensions
    return len(key) == len(first) and first <= key <= last


def _quoted(key: str) -> str:
    return key if key.isdigit() else f'"{key}"'
