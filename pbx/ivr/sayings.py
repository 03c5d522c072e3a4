"""What a plan will say: every text without values, so that it is rendered before anybody calls."""

from __future__ import annotations

from collections.abc import Iterator

from pbx.plan.model import LANGUAGES, Plan, PromptText
from pbx.speech.phrases import fixed
from pbx.speech.saying import Saying


def sayings_of(plan: Plan) -> Iterator[Saying]:
    """Yield the fixed texts of all prompts, then callpbx's own phrases; the plan's language first.

    They are the very sayings that `Run.saying` makes of them. Phrases come in the languages that
    the plan speaks; where a caller is spoken to in another one, they are rendered when needed.
    """
    languages = languages_of(plan)
    for language in languages:
        for prompt in plan.prompts.values():
            said = prompt.spoken.get(language)
            if isinstance(said, PromptText) and said.text.fixed:
                yield Saying(language, words=str(said.text), name=prompt.name)
    for language in languages:
        yield from fixed(language)


def languages_of(plan: Plan) -> tuple[str, ...]:
    """Return the languages that a plan speaks: its own first, then those of prompts and numbers."""
    spoken = {plan.defaults.language}
    spoken.update(*(prompt.spoken for prompt in plan.prompts.values()))
    spoken.update(route.language for route in plan.numbers.values() if route.language is not None)
    known = [language for language in LANGUAGES if language in spoken]
    return tuple(sorted(known, key=lambda language: language != plan.defaults.language))
