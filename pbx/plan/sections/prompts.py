"""Section `prompts`: the words that callers hear, per language, as a text or a file.

    prompts:
      welcome: {zh: 您好。, yue: sounds/yue/welcome.wav, en: "Welcome, ${caller.name}."}

What ends like a sound file and has no space in it is one; its path is relative to the office's
folder and stays below it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar, Final

from pbx.marks import Node, TextNode
from pbx.marks.problem import NO_PROMPT, WRONG_TYPE
from pbx.plan.arguments import Values
from pbx.plan.entries import Entry
from pbx.plan.fields import Key, Keys, Schema
from pbx.plan.model import LANGUAGES, Prompt, PromptFile, PromptText
from pbx.plan.names import mark_of
from pbx.plan.reading import PlanReader
from pbx.plan.sections.section import things

SOUND_FILE: Final = re.compile(
    r"[^\s${}]+\.(?:wav|ogg|opus|oga|mp3|flac|ul|ulaw|al|alaw|g722|gsm|sln|sln16|raw|pcm)",
    re.IGNORECASE,
)
"""What is taken for a file."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text, or the path of a sound file."""

    written: ClassVar[str] = "a text, or a file such as sounds/welcome.wav"

    def read(self, reading: PlanReader, node: Node, what: str) -> PromptFile | PromptText | None:
        """Return which of the two it is."""
        if isinstance(node, TextNode) and not node.is_null and SOUND_FILE.fullmatch(node.value):
            path = PurePosixPath(node.value.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts:
                sentence = f'{what}: "{node.value}" is outside of the office\'s folder'
                reading.problem(node, WRONG_TYPE, sentence, "put the file under sounds/")
                return None
            return PromptFile(str(path), mark_of(node))
        text = Values().read(reading, node, what)
        if text is not None and not str(text).strip():
            reading.problem(node, WRONG_TYPE, f"{what} is empty", f"write {self.written}")
            return None
        return None if text is None else PromptText(text, mark_of(node))

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": ["string", "number"]}


KEYS: Keys = {language: Key(language, Spoken()) for language in LANGUAGES}


def _build(reader: PlanReader, entry: Entry, fields: Mapping[str, Any]) -> Prompt:
    spoken = {language: fields[language] for language in LANGUAGES if language in fields}
    if not getattr(entry.node, "entries", ()) and getattr(entry.node, "is_null", True):
        sentence = f"prompts.{entry.name} has neither text nor file in any language"
        reader.problem(entry.key, NO_PROMPT, sentence, "write {zh: TEXT}")
    return Prompt(entry.name, spoken, fields["mark"])


SECTION = things("prompts", "prompt", KEYS, _build)
