"""Whatever is wrong with a file, check says so; it never breaks on it.

Plans with holes are what analyses see most: a line is taken out of a rich plan, or names are
misspelt, and all of them look at what is left.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.ivr.check import examine
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import read_text
from tests.ivr.check.told import FACTS

RICH = Path(__file__).parents[3] / "pbx" / "cli" / "templates" / "dialplan" / "service-desk.yaml"
LINES = RICH.read_text().splitlines() if RICH.exists() else []


@pytest.mark.parametrize("number", range(0, len(LINES), 2))
def test_a_plan_without_one_line_is_examined(number: int) -> None:
    text = "\n".join(LINES[:number] + LINES[number + 1 :])
    examine(read_text(text, "d.yaml", VOCABULARY), FACTS)


@pytest.mark.parametrize(
    "name", ["main", "service", "order", "customer", "closed", "csat", "office"]
)
def test_a_plan_with_a_name_that_nobody_has_is_examined(name: str) -> None:
    text = "\n".join(LINES).replace(f"  {name}:", f"  {name}_x:", 1)
    checked = examine(read_text(text, "d.yaml", VOCABULARY), FACTS)
    codes = {problem.code for problem in checked.problems if problem.severity == "error"}
    assert codes == {"E014"}
