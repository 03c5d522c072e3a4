"""Prompts that cannot be played (E015), or not in each language that callers may have (W022)."""

from __future__ import annotations

from collections.abc import Iterator

from pbx.ivr.check.names import named_at
from pbx.ivr.check.subject import Subject, problem
from pbx.marks.problem import NO_PROMPT, PROMPT_LANGUAGE, Problem
from pbx.plan.model import LANGUAGES, Prompt, PromptFile
from pbx.plan.text import Text

RECORDED = "sounds/{language}/{name}.wav"
"""The file of a prompt that was recorded by phone; it is played instead of what the plan says."""


def check_prompts(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each prompt in use that some callers cannot hear, or not in theirs."""
    for name, wanted in _languages_of(subject).items():
        prompt = subject.plan.prompts.get(name)
        if prompt is None or not prompt.spoken:
            continue  # which is told where it is read
        wrong = {language: _wrong(subject, prompt, language) for language in prompt.spoken}
        reasons = list(dict.fromkeys(filter(None, wrong.values())))
        if all(wrong.values()):
            sentence = f"prompts.{name} cannot be played: {'; '.join(reasons)}"
            yield problem(prompt.mark, NO_PROMPT, sentence, "put the file there, or write a text")
            continue
        missing = [language for language in LANGUAGES if language in wanted - prompt.spoken.keys()]
        if missing:
            heard = " or ".join(
                dict.fromkeys(prompt.language(language) or "" for language in missing)
            )
            sentence = f"prompts.{name} is missing in {' and '.join(missing)}"
            yield problem(prompt.mark, PROMPT_LANGUAGE, sentence, f"such callers hear {heard}")
        for language, reason in wrong.items():
            if reason:
                sentence = f"prompts.{name} cannot be played in {language}: {reason}"
                yield problem(prompt.spoken[language].mark, PROMPT_LANGUAGE, sentence)


def spoken_languages(subject: Subject) -> frozenset[str]:
    """Return the languages that callers may have: the default, those of numbers, and those that
    `language:` steps set in so many words."""
    plan = subject.plan
    routes = (*plan.numbers.values(), *((plan.other,) if plan.other else ()))
    found = {plan.defaults.language, *(route.language for route in routes if route.language)}
    for point in subject.graph.points:
        if point.step is not None and point.step.verb == "language":
            found.update(_literals(point.step.arguments["language"]))
    return frozenset(found & set(LANGUAGES))


def _literals(text: Text) -> Iterator[str]:
    """Yield what a text can be as far as it is written out."""
    if text.fixed:
        yield str(text)
    for insert in text.inserts:
        yield from (source.literal for source in insert.sources if source.name is None)


def _languages_of(subject: Subject) -> dict[str, set[str]]:
    """Return the prompts that are said, with the languages that each is wanted in."""
    spoken = spoken_languages(subject)
    found: dict[str, set[str]] = {}
    for point in subject.graph.points:
        for named in named_at(subject.plan, point):
            if named.kind == "prompt":
                wanted = {named.language} if named.language is not None else spoken
                found.setdefault(named.name, set()).update(wanted)
    return found


def _wrong(subject: Subject, prompt: Prompt, language: str) -> str | None:
    """Return why a prompt cannot be played in a language that it has; None: it can."""
    said, sounds = prompt.spoken[language], subject.facts.sounds
    if not isinstance(said, PromptFile) or sounds is None:
        return None
    recorded = RECORDED.format(language=language, name=prompt.name)
    return sounds(said.path) if sounds(recorded) is not None else None
