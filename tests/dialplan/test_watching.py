"""Files that are saved are reloaded, once they stand still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from pbx.dialplan.watching import watch
from tests.kit.loop import run


def watched(
    folder: Path, scenario: Callable[[Path, list[str]], Coroutine[Any, Any, None]]
) -> list[str]:
    """Run a scenario while a file and a folder are watched; return what was reloaded."""
    file, included = folder / "dialplan.yaml", folder / "dialplan.d"
    included.mkdir()
    file.write_text("one")
    reloaded: list[str] = []

    async def reload() -> None:
        reloaded.append(file.read_text() if file.exists() else "")

    async def main() -> None:
        watching = asyncio.create_task(watch(lambda: (file, included), reload))
        await asyncio.sleep(3.5)
        assert reloaded == []
        await scenario(file, reloaded)
        watching.cancel()

    run(main())
    return reloaded


def test_a_saved_file_is_reloaded_once(tmp_path: Path) -> None:
    async def scenario(file: Path, reloaded: list[str]) -> None:
        file.write_text("other")
        await asyncio.sleep(10)

    assert watched(tmp_path, scenario) == ["other"]


def test_a_file_that_is_still_being_written_is_waited_for(tmp_path: Path) -> None:
    async def scenario(file: Path, reloaded: list[str]) -> None:
        for length in range(1, 6):
            file.write_text("x" * 10 * length)
            await asyncio.sleep(1)
        assert reloaded == []
        await asyncio.sleep(3)

    assert watched(tmp_path, scenario) == ["x" * 50]


def test_an_editor_that_puts_another_file_in_its_place_is_noticed(tmp_path: Path) -> None:
    async def scenario(file: Path, reloaded: list[str]) -> None:
        other = tmp_path / "other"
        other.write_text("two")
        file.unlink()
        await asyncio.sleep(0.5)
        other.rename(file)
        await asyncio.sleep(5)

    assert watched(tmp_path, scenario) == ["two"]


def test_a_new_file_in_an_included_folder_is_noticed(tmp_path: Path) -> None:
    async def scenario(file: Path, reloaded: list[str]) -> None:
        (tmp_path / "dialplan.d" / "new.yaml").write_text("")
        await asyncio.sleep(5)

    assert watched(tmp_path, scenario) == ["one"]


def test_what_is_saved_again_is_reloaded_again(tmp_path: Path) -> None:
    async def scenario(file: Path, reloaded: list[str]) -> None:
        file.write_text("three")
        await asyncio.sleep(5)
        file.write_text("fourth")
        await asyncio.sleep(5)

    assert watched(tmp_path, scenario) == ["three", "fourth"]
