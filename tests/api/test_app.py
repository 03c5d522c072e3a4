"""The OpenAPI document says what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from pbx import events
from pbx.api.routes import VIEWS
from pbx.errors import NotFound
from tests.api.office_double import OfficeDouble, client_of


def document() -> Any:
    with client_of(OfficeDouble()) as api:
        return api.get("/openapi.json")


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return found.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(value) for value in node))
    return set()


def test_every_reference_leads_somewhere() -> None:
    spec = document()
    for reference in references(spec):
        assert reference.rpartition("/")[2] in spec["components"]["schemas"]


def test_every_view_is_described_with_the_names_of_its_json() -> None:
    schemas = document()["components"]["schemas"]
    assert {view.__name__ for view in VIEWS} <= set(schemas)
    assert "from" in schemas["LiveCall"]["properties"]
    assert "with" in schemas["Segment"]["properties"]


def test_every_route_has_a_description_and_an_answer() -> None:
    for path, methods in document()["paths"].items():
        assert path.startswith("/api/v1/")
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            assert any(status.startswith("2") for status in operation["responses"])


def test_a_token_is_the_way_in() -> None:
    assert document()["security"] == [{"token": []}]


def test_an_unknown_path_is_not_found() -> None:
    with client_of(OfficeDouble()) as api, pytest.raises(NotFound):
        api.get("/nothing")


def test_every_route_and_event_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for path, methods in document()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.removeprefix('/api/v1')}" in page
    for event in get_args(events.AnyEvent):
        assert f"`{event.__name__}`" in page
        fields = [field for field in event.__struct_fields__ if field != "call"]
        rows = [row for row in page.splitlines() if row.startswith("| `")]
        (row,) = [row for row in rows if f"`{event.__name__}`" in row.split(" | ")[0]]
        assert all(field in row for field in fields)
