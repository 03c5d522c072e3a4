"""The dialplan as the API shows it."""

from __future__ import annotations

from pathlib import Path

from pbx.dialplan.shown import ShownDialplan
from tests.dialplan.test_reloading import House, leading_to, reloading


def test_what_is_in_force_and_what_came_of_it_become_views(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        shown = ShownDialplan(house.dialplan)
        house.write(leading_to(102) + "flows: {lost: [hangup]}\n")
        trial = await shown.try_out()
        assert [(change.number, change.now) for change in trial.numbers] == [("4001", "ext:102")]
        assert (trial.version, trial.before) == ("v1", "v1")
        done = await shown.reload()
        assert (done.version, done.before, done.rolled_back) == ("v2", "v1", False)
        back = await shown.rollback()
        assert (back.version, back.before, back.rolled_back) == ("v1", "v2", True)
        view = await shown.show()
        assert (view.version, view.rolled_back) == ("v1", True)
        assert view.since == "2026-11-21T08:00:00.000Z"
        assert [each.version for each in view.versions] == ["v2", "v1"]
        assert view.versions[1].version_id == view.version_id
        house.write(leading_to(103) + "flws: {}\n")
        (problem,) = (await shown.try_out()).problems
        assert (problem.code, problem.severity, problem.line) == ("E002", "error", 4)

    reloading(tmp_path, scenario)
