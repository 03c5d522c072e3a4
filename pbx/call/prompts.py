"""From a prompt of the dialplan to what is said: the language that there is, file or words."""

from __future__ import annotations

from collections.abc import Callable

from pbx.plan.model import Prompt, PromptFile
from pbx.plan.text import Text
from pbx.speech.saying import Saying


def prompt_saying(
    prompt: Prompt, language: str, words: Callable[[Text, str], str] = lambda text, _: text.fill({})
) -> Saying | None:
    """Return what `prompt` says to a caller of `language`, or of the first language that it has.

    `words` makes words of a text in a language, with the caller's values in it; without it there
    are none. None for a prompt that says nothing in any language.
    """
    spoken_in = prompt.language(language)
    if spoken_in is None:
        return None
    spoken = prompt.spoken[spoken_in]
    if isinstance(spoken, PromptFile):
        return Saying(spoken_in, path=spoken.path, name=prompt.name)
    return Saying(spoken_in, words=words(spoken.text, spoken_in), name=prompt.name)
