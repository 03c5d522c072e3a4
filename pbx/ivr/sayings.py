"""What a plan will say: every text without values, so that it is rendered before anybody calls."""

from __future__ import annotations

from collections.abc import Iterator

from pbx.plan.model import LANGUAGES, Plan, PromptText
from pbx.speech.phrases import fixed
from pbx.speech.saying import Saying


def sayings_of(plan: Plan) -> Iterator[Saying]:
    """Yield the fixed texts of all prompts, then callpbx's own phrases; the plan's language first.

    They are the very sayings that `Run.saying` makes of them.
    """
    languages = sorted(LANGUAGES, key=lambda language: language != plan.defaults.language)
    for language in languages:
        for prompt in plan.prompts.values():
            said = prompt.spoken.get(language)
            if isinstance(said, PromptText) and said.text.fixed:
                yield Saying(language, words=str(said.text), name=prompt.name)
    for language in languages:
        yield from fixed(language)
