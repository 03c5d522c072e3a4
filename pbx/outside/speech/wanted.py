"""What a plan may have to say: all its texts without values, and callpbx's own phrases.

This is what is rendered when a plan is loaded, so that no caller waits for it. [io]
"""

from __future__ import annotations

from collections.abc import Iterator

from pbx.plan.model import LANGUAGES, Plan, Prompt, PromptText
from pbx.speech.phrases import fixed
from pbx.speech.saying import Saying


def sayings_of(plan: Plan, *, phrases: bool = True) -> tuple[Saying, ...]:
    """Return the sayings of a plan that are fixed, the office's own prompts first; with `phrases`
    callpbx's own, too, in all languages that its callers may be spoken to."""
    own = [
        saying
        for prompt in plan.prompts.values()
        for language in LANGUAGES
        if (saying := prompt_saying(prompt, language)) is not None and saying.words
    ]
    if phrases:
        own += [saying for language in languages_of(plan) for saying in fixed(language)]
    return tuple(own)


def prompt_saying(prompt: Prompt, language: str) -> Saying | None:
    """Return what a prompt says in exactly that language; None where it says nothing in it, or
    what holds values."""
    spoken = prompt.spoken.get(language)
    if spoken is None:
        return None
    if isinstance(spoken, PromptText):
        if not spoken.text.fixed:
            return None
        return Saying(language, words=spoken.text.fill({}), name=prompt.name)
    return Saying(language, path=spoken.path, name=prompt.name)


def languages_of(plan: Plan) -> tuple[str, ...]:
    """Return the languages that a plan speaks."""
    spoken = set(_languages(plan))
    return tuple(language for language in LANGUAGES if language in spoken)


def _languages(plan: Plan) -> Iterator[str]:
    yield plan.defaults.language
    for prompt in plan.prompts.values():
        yield from prompt.spoken
    for route in plan.numbers.values():
        if route.language is not None:
            yield route.language
