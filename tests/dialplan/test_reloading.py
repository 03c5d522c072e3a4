"""Another version of the dialplan: accepted, refused, taken back, tried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pbx.config import Home
from pbx.dialplan.checking import answer
from pbx.dialplan.question import Answer, Question
from pbx.dialplan.reloading import Dialplan
from pbx.errors import NotFound, Refused
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import load_plan
from pbx.plan.model import Plan


def leading_to(extension: int) -> str:
    return f'version: 1\nnumbers:\n  "4001": ext:{extension}\n'


@dataclass
class House:
    """An office's folder, and the dialplan that is in force in it."""

    home: Home
    dialplan: Dialplan
    plan: Plan
    stopping: bool = False
    alarms: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        self.home.dialplan.write_text(text, "utf-8")

    def lead(self) -> str:
        """Return where 4001 leads for new calls."""
        return str(self.plan.numbers["4001"].destination)


class Here:
    """Answers questions in this process."""

    async def ask(self, question: Question) -> Answer:
        """Check it."""
        await asyncio.sleep(0)
        return answer(question)

    async def close(self) -> None:
        """Nothing to end."""


def made(home: Home) -> House:
    """Return an office as a server starts it."""
    plan = load_plan(home.dialplan, VOCABULARY)

    def put_in_force(plan: Plan) -> None:
        house.plan = plan

    dialplan = Dialplan(
        home,
        plan,
        put_in_force=put_in_force,
        stopping=lambda: house.stopping,
        alarm=lambda sentence: house.alarms.append(sentence),
        wall=lambda: 1_795_248_000.0,
        checker=Here(),
    )
    house = House(home, dialplan, plan)
    return house


def reloading(folder: Path, scenario: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario in an office whose 4001 leads to 101."""
    home = Home(folder)
    home.make_folders()
    home.dialplan.write_text(leading_to(101))

    async def main() -> None:
        house = made(home)
        await house.dialplan.start()
        try:
            await scenario(house)
        finally:
            await house.dialplan.close()

    asyncio.run(main())


def test_reload_and_rollback_put_versions_in_force(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        assert str(house.dialplan.version) == "v1"
        for number in (102, 103):
            house.write(leading_to(number))
            await house.dialplan.reload()
        assert (str(house.dialplan.version), house.lead()) == ("v3", "ext:103")
        back = await house.dialplan.rollback()
        assert (str(back.before), str(back.version), house.lead()) == ("v3", "v2", "ext:102")
        assert house.dialplan.rolled_back is True
        await house.dialplan.rollback()
        assert (str(house.dialplan.version), house.lead()) == ("v1", "ext:101")
        with pytest.raises(NotFound, match="no version before v1"):
            await house.dialplan.rollback()
        await house.dialplan.reload()  # takes what stands in the file, which has its number already
        assert (str(house.dialplan.version), house.lead()) == ("v3", "ext:103")
        assert [house.dialplan.rolled_back] == [False]
        assert [version.number for version in await house.dialplan.versions()] == [3, 2, 1]

    reloading(tmp_path, scenario)


def test_a_file_that_is_put_back_by_hand_ends_the_rollback(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        house.write(leading_to(102))
        await house.dialplan.reload()
        await house.dialplan.rollback()
        house.write(leading_to(101))
        same = await house.dialplan.reload()
        assert (str(same.version), house.lead(), house.dialplan.rolled_back) == (
            "v1",
            "ext:101",
            False,
        )

    reloading(tmp_path, scenario)


def test_a_start_takes_the_file_whatever_was_rolled_back(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        house.write(leading_to(102))
        await house.dialplan.reload()
        await house.dialplan.rollback()
        assert house.lead() == "ext:101"
        again = made(house.home)
        await again.dialplan.start()
        assert (str(again.dialplan.version), again.lead()) == ("v2", "ext:102")

    reloading(tmp_path, scenario)


def test_what_has_not_changed_makes_no_version(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        plan = house.plan
        same = await house.dialplan.reload()
        assert same.version == same.before
        assert house.plan is plan

    reloading(tmp_path, scenario)


def test_a_broken_file_changes_nothing_and_says_why(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        plan = house.plan
        house.write(leading_to(102) + "flws: {}\nmenu: {}\n")
        with pytest.raises(Refused) as caught:
            await house.dialplan.reload()
        lines = str(caught.value).splitlines()
        assert lines[0].startswith('dialplan.yaml:4:1 E002 unknown key "flws"')
        assert lines[-1] == "2 problems (2 errors). Running configuration v1 kept."
        assert house.plan is plan
        await house.dialplan.reload_or_tell()
        (alarm,) = house.alarms
        assert alarm.startswith("the dialplan was not reloaded, v1 runs on: dialplan.yaml:4:1 E002")
        house.home.dialplan.unlink()
        with pytest.raises(Refused, match="does not exist"):
            await house.dialplan.reload()
        assert house.plan is plan

    reloading(tmp_path, scenario)


def test_many_problems_are_cut_short(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        house.write(leading_to(102) + "".join(f"x{number}: 1\n" for number in range(15)))
        with pytest.raises(Refused) as caught:
            await house.dialplan.reload()
        lines = str(caught.value).splitlines()
        assert len(lines) == 12
        assert lines[-2] == "… and 5 more errors: callpbx check lists all"

    reloading(tmp_path, scenario)


def test_a_trial_changes_nothing(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        plan = house.plan
        house.write(leading_to(102))
        tried = await house.dialplan.try_out()
        (change,) = tried.changes.numbers
        assert (change.number, change.was, change.now) == ("4001", "ext:101", "ext:102")
        assert house.plan is plan
        assert len(await house.dialplan.versions()) == 1
        house.write("numbers: [")
        assert [each.severity for each in (await house.dialplan.try_out()).problems][:1] == [
            "error"
        ]

    reloading(tmp_path, scenario)


def test_of_two_reloads_at_once_one_waits(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        house.write(leading_to(102))
        found = await asyncio.gather(*(house.dialplan.reload() for _ in range(3)))
        assert [str(each.version) for each in found] == ["v2", "v2", "v2"]
        assert sorted(str(each.before) for each in found) == ["v1", "v2", "v2"]

    reloading(tmp_path, scenario)


def test_a_server_that_is_stopping_takes_nothing_new(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        await house.dialplan.reload()
        house.stopping = True
        house.write(leading_to(102))
        for attempt in (house.dialplan.reload, house.dialplan.rollback):
            with pytest.raises(Refused, match="callpbx is stopping"):
                await attempt()
        assert house.lead() == "ext:101"

    reloading(tmp_path, scenario)


def test_a_version_whose_texts_are_damaged_is_not_put_in_force(tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        house.write(leading_to(102))
        await house.dialplan.reload()
        kept = house.home.dialplan_versions / "v1" / "dialplan.yaml"
        kept.write_text(leading_to(109))
        with pytest.raises(Refused, match="of v1 are damaged; v2 runs on"):
            await house.dialplan.rollback()
        assert house.lead() == "ext:102"

    reloading(tmp_path, scenario)
