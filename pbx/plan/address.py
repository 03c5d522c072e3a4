"""How a web address is written that something is asked of, or told to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pbx.marks import Node
from pbx.marks.problem import WRONG_TYPE
from pbx.plan.arguments import Values
from pbx.plan.step import Reading
from pbx.plan.text import Text
from pbx.plan.url import parse_url


@dataclass(frozen=True, slots=True)
class Address:
    """A web address. Its host stands in the file; values and `${secret.NAME}` may follow."""

    written: ClassVar[str] = "https://HOST/PATH, with ${name} in the path"

    def read(self, reading: Reading, node: Node, what: str) -> Text | None:
        """Return the address as a text."""
        text = Values(secrets=True).read(reading, node, what)
        if text is None:
            return None
        try:
            parse_url(text)
        except ValueError as error:
            reading.problem(node, WRONG_TYPE, f"{what} {error}")
            return None
        return text

    def schema(self) -> Mapping[str, Any]:
        """Return an address."""
        return {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://"}
