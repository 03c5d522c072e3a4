"""Agents in the directory: at extensions, with skills that queues can ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pbx.db.engine import MemoryDatabase
from pbx.directory.agents import OfficeAgents
from pbx.directory.model import Agent, check_agent
from pbx.directory.snapshot import Directory
from pbx.directory.store import DirectoryStore
from pbx.errors import NotFound, Refused
from tests.directory.entries import NOW, agent, extension
from tests.kit.loop import run


def with_agents(use: Callable[[OfficeAgents, DirectoryStore], Awaitable[None]]) -> None:
    """Use agents on a database with the phones 101 (Alice) and 102 (Bob)."""

    async def main() -> None:
        database = MemoryDatabase()
        store = DirectoryStore(database)
        await store.load()
        for number, name in (("101", "Alice"), ("102", "Bob")):
            await store.add_extension(extension(number, name=name))
        await use(OfficeAgents(store), store)
        assert await DirectoryStore(database).load() == store.directory

    run(main())


async def add(agents: OfficeAgents, number: str, **changes: Any) -> None:
    fields: dict[str, Any] = {"name": None, "skills": {}, "capacity": 1, "weight": 1, "at": NOW}
    await agents.add(number, **{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"skills": {"a b": 1}}, "a skill's name has 1 to 40 characters"),
        ({"skills": {"en:5": 1}}, "a skill's name has 1 to 40 characters"),
        ({"skills": {"": 1}}, "a skill's name has 1 to 40 characters"),
        ({"skills": {"en": 11}}, "a skill has a level of 1 to 10; en has 11"),
        ({"skills": {"en": 0}}, "a skill has a level of 1 to 10; en has 0"),
        ({"skills": dict.fromkeys(map(str, range(51)), 1)}, "at most 50 skills, not 51"),
        ({"capacity": 0}, "takes 1 to 20 calls at once, not 0"),
        ({"capacity": 21}, "takes 1 to 20 calls at once, not 21"),
        ({"weight": 101}, "an agent's weight is 1 to 100, not 101"),
        ({"name": "a\nb"}, "a name has 1 to 80 printable characters"),
    ],
)
def test_an_agent_that_no_queue_could_use_is_refused(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        check_agent(agent(**changes))


def test_an_agent_with_all_there_is_fits() -> None:
    check_agent(agent(name="王小明", skills={"粤语": 10, "vip": 1}, capacity=20, weight=100))


def test_an_agent_is_called_what_its_extension_is_called() -> None:
    own, unnamed = agent("101", name="Ann"), agent("102")
    directory = Directory.of(
        [extension("101"), extension("102", name="Bob")], agents=[unnamed, own]
    )
    assert directory.agents() == (own, agent("102", name="Bob"))
    assert directory.agent("103") is None
    assert Directory.of(agents=[unnamed]).agent("102") == unnamed


def test_an_agent_comes_back_as_it_was_added() -> None:
    async def use(agents: OfficeAgents, _: DirectoryStore) -> None:
        await add(agents, "102", skills={"en": 5}, capacity=2, weight=3)
        bob = Agent(
            number="102", created_at=NOW, name="Bob", skills={"en": 5}, capacity=2, weight=3
        )
        assert await agents.agent("102") == bob
        assert await agents.agents() == (bob,)

    with_agents(use)


def test_an_agent_needs_an_extension_and_sits_there_once() -> None:
    async def use(agents: OfficeAgents, _: DirectoryStore) -> None:
        with pytest.raises(Refused, match="add it first: callpbx extension add 109"):
            await add(agents, "109")
        await add(agents, "101")
        with pytest.raises(Refused, match="agent 101 exists already"):
            await add(agents, "101")

    with_agents(use)


def test_a_change_touches_what_it_names() -> None:
    async def use(agents: OfficeAgents, _: DirectoryStore) -> None:
        await add(agents, "101", skills={"en": 5, "zh": 8})
        await agents.change("101", skills={"en": 7, "zh": 0, "vip": 2})
        assert (await agents.agent("101")).skills == {"en": 7, "vip": 2}
        await agents.change("101", name="Ann", capacity=2, weight=4)
        changed = await agents.agent("101")
        assert (changed.name, changed.capacity, changed.weight) == ("Ann", 2, 4)
        assert changed.skills == {"en": 7, "vip": 2}
        await agents.change("101", name="")
        assert (await agents.agent("101")).name == "Alice"
        with pytest.raises(Refused, match="level"):
            await agents.change("101", skills={"en": 12})
        with pytest.raises(NotFound, match="there is no agent 102"):
            await agents.change("102", weight=2)

    with_agents(use)


def test_an_agent_keeps_its_number() -> None:
    async def use(agents: OfficeAgents, store: DirectoryStore) -> None:
        await add(agents, "101")
        with pytest.raises(Refused, match="keeps its number"):
            await store.change_agent("101", lambda _: agent("102"))

    with_agents(use)


def test_an_extension_stays_until_its_agent_is_removed() -> None:
    async def use(agents: OfficeAgents, store: DirectoryStore) -> None:
        await add(agents, "101")
        with pytest.raises(Refused, match="callpbx agent remove 101"):
            await store.remove_extension("101")
        await agents.remove("101")
        with pytest.raises(NotFound, match="there is no agent 101"):
            await agents.remove("101")
        await store.remove_extension("101")
        with pytest.raises(NotFound, match="there is no agent 101"):
            await agents.agent("101")

    with_agents(use)
