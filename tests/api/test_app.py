"""The OpenAPI document says what there is."""

from __future__ import annotations

from typing import Any

import pytest

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
