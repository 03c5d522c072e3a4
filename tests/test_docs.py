"""The documents keep up with the code: what can be typed, asked or configured is written down, and
links lead somewhere.

Each check is also run on a text that is wrong on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast, get_args

import click
import pytest

from pbx import events
from pbx.api.app import create_app
from pbx.api.office import Office
from pbx.cli import cli
from pbx.config import sections

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
SAMPLE = ROOT / "pbx" / "cli" / "templates" / "callpbx.yaml"
RFC_WORDS = ("yes", "partly", "no")


def read(name: str) -> str:
    """Return a document's text."""
    return (ROOT / name).read_text()


def missing(wanted: Iterable[str], text: str) -> list[str]:
    """Return which of the wanted words or phrases do not stand in the text as such."""
    return sorted(
        {word for word in wanted if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}
    )


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield each command below a group with its words, such as `cdr show`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_is_documented() -> None:
    names = [f"callpbx {name}" for name, _ in commands(cli)]
    assert "callpbx cdr show" in names
    assert missing(names, read("docs/cli.md")) == []


def test_every_option_is_documented() -> None:
    options = {
        option
        for _, command in commands(cli)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in parameter.opts
        if option.startswith("--")
    }
    assert "--json" in options
    assert missing(options, read("docs/cli.md")) == []


def test_every_route_is_documented() -> None:
    paths: dict[str, dict[str, Any]] = create_app(cast("Office", None)).openapi()["paths"]
    routes = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert "GET /api/v1/calls" in routes
    assert missing([*routes, "/api/v1/events"], read("docs/api.md")) == []


def test_every_event_is_documented() -> None:
    names = [event.__name__ for event in get_args(events.AnyEvent)]
    assert "CallEnded" in names
    assert missing(names, read("docs/api.md")) == []


def test_every_field_of_an_event_is_documented() -> None:
    fields = {field for event in get_args(events.AnyEvent) for field in event.__struct_fields__}
    assert missing(fields, read("docs/api.md")) == []


def test_every_configuration_key_is_in_the_sample() -> None:
    tables = [table for name, table in vars(sections).items() if re.fullmatch("_?[A-Z]+", name)]
    keys = {key for table in tables if isinstance(table, dict) for key in table}
    assert {"sip", "listen", "grace"} <= keys
    assert missing(keys, SAMPLE.read_text()) == []


def test_a_word_inside_another_does_not_count() -> None:
    assert missing(["callpbx call", "--id"], "callpbx calls --idle") == ["--id", "callpbx call"]
    assert missing(["callpbx call", "GET /a/{id}"], "`callpbx call`\nGET /a/{id}") == []


def rfc_complaints(text: str) -> list[str]:
    """Return what is wrong with the rows of the table of RFCs: number, section, word, remark."""
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    wrong = []
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) != 4 or not cells[0].isdigit() or not cells[1]:
            wrong.append(f"not RFC | section | word | remark: {row}")
        elif cells[2] not in RFC_WORDS:
            wrong.append(f"{cells[2]!r} is none of {', '.join(RFC_WORDS)}: {row}")
        elif cells[2] == "partly" and not cells[3]:
            wrong.append(f"partly needs a remark: {row}")
    return wrong if rows else ["there is no table"]


def test_the_table_of_rfcs_is_well_formed() -> None:
    assert rfc_complaints(read("docs/rfc.md")) == []


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("| 3261 | 8 | perhaps | |", "'perhaps' is none of yes, partly, no"),
        ("| SIP | 8 | yes | |", "not RFC"),
        ("| 3261 | 8 | yes |", "not RFC"),
        ("| 3515 | REFER | partly | |", "needs a remark"),
    ],
)
def test_a_wrong_row_is_noticed(row: str, complaint: str) -> None:
    (found,) = rfc_complaints(f"| RFC | section | supported | remark |\n|---|---|---|---|\n{row}\n")
    assert complaint in found


def broken_links(file: Path) -> list[str]:
    """Return the links of a Markdown file that lead to no file or to no heading."""
    text = re.sub(r"^```.*?^```", "", file.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = []
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue  # the world outside is not ours to test
        path, _, anchor = target.partition("#")
        other = (file.parent / path) if path else file
        if not other.exists():
            found.append(f"{file.name}: {target} leads nowhere")
        elif anchor and anchor not in anchors(other.read_text()):
            found.append(f"{file.name}: {target} names no heading")
    return found


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as Markdown viewers make them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    assert broken_links(file) == []


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading\n[a](page.md#a-heading) [b](gone.md) [c](#gone) [d](http://x/y)\n")
    assert broken_links(page) == [
        "page.md: gone.md leads nowhere",
        "page.md: #gone names no heading",
    ]
