"""docs/dialplan.md is what the loader says: its examples load, and every key has its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pbx.ivr.verbs import VERBS, VOCABULARY
from pbx.marks import Problem
from pbx.marks.problem import UNDEFINED
from pbx.plan.destination import KINDS, WORDS
from pbx.plan.loader import Reading, read_text
from pbx.plan.names import SECTION_OF
from pbx.plan.sections import SECTIONS
from pbx.plan.text import FORMATS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "dialplan.md").read_text()
TEMPLATES = Path(__file__).parents[2] / "pbx" / "cli" / "templates" / "dialplan"


def examples() -> list[str]:
    """Return the examples in YAML, each as a file of its own."""
    blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks]


def read(example: str) -> Reading:
    """Return an example as the loader reads it."""
    head = "" if example.startswith("version:") else "version: 1\n"
    return read_text(head + example, "docs/dialplan.md", VOCABULARY)


def names_of(reading: Reading) -> set[tuple[str, str]]:
    """Return what a reading defines: kind and name."""
    return {
        (kind, name)
        for kind, section in SECTION_OF.items()
        for name in getattr(reading.plan, section)
    }


def section(name: str) -> str:
    """Return what stands under the heading of a section."""
    found = re.search(rf"^### {name}$(.*?)^##", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no heading {name}"
    return found[1]


@pytest.mark.parametrize("example", examples(), ids=lambda text: text.split(":")[0])
def test_every_example_loads(example: str) -> None:
    told: list[Problem] = [
        problem
        for problem in read(example).problems
        if problem.severity == "error" and problem.code != UNDEFINED
    ]
    assert told == []


def test_what_an_example_names_is_in_another_or_in_a_template() -> None:
    readings = [read(example) for example in examples()]
    readings += [
        read_text(path.read_text(), path.name, VOCABULARY) for path in TEMPLATES.glob("*.yaml")
    ]
    defined = set().union(*map(names_of, readings))
    named = {(each.kind, each.name) for reading in readings for each in reading.references}
    assert {each for each in named - defined if each[0] != "prompt"} == set()


@pytest.mark.parametrize("name", list(SECTIONS))
def test_every_section_has_an_example_and_every_key_of_it_a_word(name: str) -> None:
    text = section(name)
    assert f"\n{name}:" in text
    missing = [key for key in SECTIONS[name].keys if not re.search(rf"\b{key}\b", text)]
    assert missing == []


def test_every_destination_is_explained() -> None:
    words = [f"`{kind}:" for kind in KINDS] + [f"`{word}`" for word in WORDS]
    assert [word for word in words if word not in DOCUMENT] == []


def test_every_format_is_explained() -> None:
    assert [name for name in FORMATS if f":{name}}}`" not in DOCUMENT] == []


def test_every_verb_is_in_the_document() -> None:
    assert [name for name in VERBS if f"| `{name}` |" not in DOCUMENT] == []
