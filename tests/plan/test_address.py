"""Web addresses as arguments: the host stands in the file, secrets may follow."""

from __future__ import annotations

from pbx.marks import TextNode
from pbx.plan.address import Address
from pbx.plan.reading import PlanReader
from pbx.plan.vocabulary import Vocabulary


def read(text: str) -> tuple[object, list[str]]:
    reader = PlanReader("d.yaml", Vocabulary({}))
    found = Address().read(reader, TextNode(text, 1, 1), "http")
    return found, [problem.text for problem in reader.problems]


def test_an_address_may_hold_values_and_secrets_behind_its_host() -> None:
    found, problems = read("https://a.example/${caller.number}?key=${secret.crm}")
    assert str(found) == "https://a.example/${caller.number}?key=${secret.crm}"
    assert problems == []


def test_an_address_without_a_host_of_its_own_is_refused() -> None:
    assert read("https://${host}/")[0] is None
    assert read("a.example")[1] == [
        "E005 http must begin with http://HOST/ or https://HOST/, without a value in it"
    ]
