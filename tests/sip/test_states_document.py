"""docs/states.md is what the tables say."""

from __future__ import annotations

from pathlib import Path

from docs.make_states import states_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_document_is_current() -> None:
    current = DOCUMENT.read_text(encoding="utf-8")
    assert current == states_document(), "run: python docs/make_states.py > docs/states.md"
