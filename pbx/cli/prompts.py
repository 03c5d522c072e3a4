"""`callpbx prompts`: what callers hear, in each language: text or file, who says it, what lacks.

Prompts are numbered in the order of dialplan.yaml; `*77` asks for that number.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pbx.cli.check import find_plan
from pbx.cli.output import as_json, figures, print_json, print_table
from pbx.cli.text import plural
from pbx.config import Home, load_settings
from pbx.errors import Refused
from pbx.ivr.sayings import languages_of, sayings_of
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.model import LANGUAGES, Plan, Prompt, PromptFile, PromptText
from pbx.plan.prompt_uses import prompt_uses

if TYPE_CHECKING:
    from pbx.outside.speech.store import SpeechStore

T = TypeVar("T")

MISSING = "missing"
"""The state of a prompt that says nothing in a language."""

SHOWN = 30
"""Characters of a text that the table shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt in one language. `state` is one word; `problem` is a sentence where it cannot be
    heard as it should."""

    number: int
    name: str
    language: str
    text: str | None
    file: str | None
    used_by: tuple[str, ...]
    state: str
    problem: str | None = None


@click.command()
@click.option("--language", type=click.Choice(LANGUAGES), help="Show this language alone.")
@click.option("--render", is_flag=True, help="Render now whatever is not there yet.")
@click.option(
    "--speak",
    type=click.Choice(LANGUAGES),
    help="Print how numbers, dates and amounts are spoken, to be read through.",
)
@as_json
@click.pass_context
def prompts(
    ctx: click.Context, language: str | None, render: bool, speak: str | None, as_json: bool
) -> None:
    """List what callers hear, per language: used, missing, unused."""
    home: Home = ctx.obj
    if speak is not None:
        _print_review(speak, as_json=as_json)
        return
    plan = find_plan(home)
    unspoken = _with_store(home, lambda store: _render(store, plan, language)) if render else 0
    rows = _with_store(home, lambda store: _rows(store, plan, language))
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        _print(rows)
    if unspoken:
        raise Refused(f"{plural(unspoken, 'text')} could not be rendered; the lines above say why")


def _print(rows: list[Row]) -> None:
    print_table(
        [figures("no"), "prompt", "language", "says", "used by", "state"],
        [
            (
                row.number,
                row.name,
                row.language,
                row.file or _short(row.text),
                ", ".join(row.used_by) or "nobody",
                f"missing: {row.problem}" if row.state == MISSING else row.state,
            )
            for row in rows
        ],
        empty="dialplan.yaml has no prompts",
    )
    for row in rows:
        if row.problem is not None and row.state != MISSING:
            click.echo(f"{row.name} ({row.language}): {row.problem}")


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _print_review(language: str, *, as_json: bool) -> None:
    from pbx.speech.review import review

    rows = review(language)
    if as_json:
        print_json([dict(zip(("format", "value", "words"), row, strict=True)) for row in rows])
    else:
        print_table(["format", "value", "spoken"], rows, empty="nothing is spoken")


def _with_store(home: Home, ask: Callable[[SpeechStore], Coroutine[Any, Any, T]]) -> T:
    """Return what is asked of the office's sounds."""
    import asyncio
    import time

    from pbx.outside.speech.store import SpeechStore

    async def asked() -> T:
        store = SpeechStore(
            home.path,
            home.rendered_sounds,
            load_settings(home).speech,
            now=time.time,
            alarm=lambda sentence: click.echo(sentence, err=True),
        )
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(asked())


async def _render(store: SpeechStore, plan: Plan, language: str | None) -> int:
    """Render what is missing, with a line for each; return how many texts could not be."""
    languages = (language,) if language else languages_of(plan)
    wanted = [saying for saying in sayings_of(plan) if saying.language in languages]
    missing = store.missing(wanted)
    failed = 0
    for number, saying in enumerate(missing, 1):
        click.echo(f"{number}/{len(missing)} {saying.language} {saying.name}", err=True)
        failed += not await store.render(saying)
    return failed


async def _rows(store: SpeechStore, plan: Plan, language: str | None) -> list[Row]:
    users = prompt_uses(plan, VOCABULARY.verbs)
    return [
        _row(store, number, prompt, code, users[prompt.name])
        for number, prompt in enumerate(plan.prompts.values(), 1)
        for code in ((language,) if language else languages_of(plan))
    ]


def _row(
    store: SpeechStore, number: int, prompt: Prompt, language: str, users: tuple[str, ...]
) -> Row:
    from pbx.outside.speech.files import problem_of
    from pbx.speech.saying import Saying

    spoken = prompt.spoken.get(language)
    text = str(spoken.text) if isinstance(spoken, PromptText) else None
    file = spoken.path if isinstance(spoken, PromptFile) else None
    problem = None
    recording = store.recording_of(Saying(language, name=prompt.name))
    if recording is not None and recording != store.office / (file or ""):
        file, state = str(recording.relative_to(store.office)), "recorded"
    elif spoken is None:
        other = prompt.language(language)
        state = MISSING
        problem = f"callers hear {other}" if other else "callers hear nothing"
    elif isinstance(spoken, PromptFile):
        problem = problem_of(store.office, spoken.path)
        state = "file" if problem is None else "broken"
    elif not spoken.text.fixed:
        state = "with values"
    else:
        saying = Saying(language, words=str(spoken.text), name=prompt.name)
        state = "rendered" if store.at_hand(saying) is not None else "not rendered"
    if state in ("with values", "not rendered") and not store.voices(language):
        state, problem = "mute", store.advice(language)
    return Row(number, prompt.name, language, text, file, users, state, problem)
