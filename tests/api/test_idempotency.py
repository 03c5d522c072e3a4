"""One call for one key, however often it is asked for."""

from __future__ import annotations

import asyncio

import pytest

from pbx.api.idempotency import MAX_KEYS, Idempotency
from pbx.errors import Refused


class Work:
    """Something that must happen once."""

    def __init__(self, *, fails: bool = False) -> None:
        self.times = 0
        self.going = asyncio.Event()
        self.fails = fails

    async def __call__(self) -> str:
        self.times += 1
        await self.going.wait()
        if self.fails:
            raise Refused("the phone is not there")
        return f"call {self.times}"


def test_a_repetition_gets_the_first_result() -> None:
    async def scenario() -> None:
        keys, work = Idempotency(), Work()
        work.going.set()
        assert await keys.once(("a", "k"), "x", work) == ("call 1", False)
        assert await keys.once(("a", "k"), "x", work) == ("call 1", True)
        assert await keys.once(("b", "k"), "x", work) == ("call 2", False)

    asyncio.run(scenario())


def test_a_repetition_waits_for_the_first_that_is_under_way() -> None:
    async def scenario() -> None:
        keys, work = Idempotency(), Work()
        first = asyncio.create_task(keys.once(("a", "k"), "x", work))
        second = asyncio.create_task(keys.once(("a", "k"), "x", work))
        await asyncio.sleep(0)
        second.cancel()  # one who waits may leave without harm to the others
        third = asyncio.create_task(keys.once(("a", "k"), "x", work))
        await asyncio.sleep(0)
        work.going.set()
        assert await first == ("call 1", False)
        assert await third == ("call 1", True)
        assert work.times == 1

    asyncio.run(scenario())


def test_a_key_is_good_for_one_request() -> None:
    async def scenario() -> None:
        keys, work = Idempotency(), Work()
        work.going.set()
        await keys.once(("a", "k"), "x", work)
        with pytest.raises(Refused, match='the key "k" was used for another request'):
            await keys.once(("a", "k"), "y", work)

    asyncio.run(scenario())


def test_what_failed_may_be_tried_again() -> None:
    async def scenario() -> None:
        keys, failing = Idempotency(), Work(fails=True)
        first = asyncio.create_task(keys.once(("a", "k"), "x", failing))
        second = asyncio.create_task(keys.once(("a", "k"), "x", failing))
        await asyncio.sleep(0)
        failing.going.set()
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["the phone is not there"] * 2
        failing.fails = False
        assert await keys.once(("a", "k"), "x", failing) == ("call 2", False)

    asyncio.run(scenario())


def test_a_cancelled_first_request_ends_those_that_wait_for_it() -> None:
    async def scenario() -> None:
        keys, work = Idempotency(), Work()
        first = asyncio.create_task(keys.once(("a", "k"), "x", work))
        second = asyncio.create_task(keys.once(("a", "k"), "x", work))
        await asyncio.sleep(0)
        first.cancel()
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)

    asyncio.run(scenario())


def test_old_keys_are_forgotten() -> None:
    async def scenario() -> None:
        keys, work = Idempotency(), Work()
        work.going.set()
        for number in range(MAX_KEYS + 1):
            await keys.once(("a", str(number)), "x", work)
        _, repeated = await keys.once(("a", "0"), "x", work)
        assert not repeated

    asyncio.run(scenario())
