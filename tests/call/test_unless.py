"""Blocks that are left when something happens meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from pbx.call.unless import Unless
from tests.kit.loop import run


def future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def test_a_block_that_ends_by_itself_is_left_alone() -> None:
    async def main() -> None:
        async with Unless(future()) as block:
            await asyncio.sleep(1)
        assert not block.happened

    run(main())


def test_a_block_is_left_where_it_stands() -> None:
    async def main() -> None:
        came, other = future(), future()
        asyncio.get_running_loop().call_later(2, came.set_result, None)
        asyncio.get_running_loop().call_later(2, other.set_result, None)
        reached = False
        async with Unless(came, other) as block:
            await asyncio.sleep(5)
            reached = True
        assert block.happened
        assert not reached
        assert asyncio.get_running_loop().time() % 1000 == pytest.approx(2)

    run(main())


def test_what_has_happened_before_leaves_it_at_its_first_wait() -> None:
    async def main() -> None:
        came = future()
        came.set_result(None)
        async with Unless(came) as block:
            await asyncio.sleep(5)
            raise AssertionError
        assert block.happened

    run(main())


def test_cancelling_from_outside_goes_through() -> None:
    async def main() -> None:
        came = future()

        async def wait() -> None:
            async with Unless(came):
                await asyncio.sleep(5)

        task = asyncio.create_task(wait())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert task.cancelled()
        came.set_result(None)
        await asyncio.sleep(1)

    run(main())


def test_an_error_inside_is_raised() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with Unless(future()):
                raise TimeoutError("its own")

    run(main())
