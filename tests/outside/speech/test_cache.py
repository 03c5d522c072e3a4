"""Rendered files: found by what they say, kept as long as they are of use."""

from __future__ import annotations

import os
from pathlib import Path

from pbx.outside.speech.cache import UNNEEDED_KEPT, Cache, name_of

NOW = 2_000_000_000.0
DAY = 86400.0


def put(cache: Cache, words: str, *, age: float = 0.0, size: int = 10) -> str:
    """Put a file of that age into the folder; return its name."""
    name = name_of(words)
    cache.put(name, bytes(size))
    os.utime(cache.path(name), (NOW - age, NOW - age))
    return name


def test_a_name_is_of_all_that_is_said_in_this_order() -> None:
    assert name_of("a", "b") == name_of("a", "b")
    assert len({name_of("a", "b"), name_of("b", "a"), name_of("ab"), name_of("a", "b", "")}) == 4


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    name = name_of("welcome")
    assert not cache.use(name, NOW)
    cache.put(name, b"sound")
    assert cache.use(name, NOW)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_no_plan_needs_goes_after_a_week_unless_it_is_used(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    needed = put(cache, "welcome", age=400 * DAY)
    used = put(cache, "three orders", age=UNNEEDED_KEPT - 1)
    forgotten = put(cache, "two orders", age=UNNEEDED_KEPT + 1)
    cache.needed = frozenset({needed})
    assert cache.forget(NOW) == 1
    assert not cache.has(forgotten)
    assert cache.use(used, NOW)
    assert cache.forget(NOW + DAY) == 0
    assert cache.has(needed)


def test_the_least_recently_used_go_first_where_all_is_too_much(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=250)
    needed = put(cache, "welcome", age=5 * DAY, size=100)
    older, newer = put(cache, "a", age=DAY, size=100), put(cache, "b", size=100)
    cache.needed = frozenset({needed})
    assert cache.forget(NOW) == 1
    assert (cache.has(needed), cache.has(older), cache.has(newer)) == (True, False, True)


def test_nothing_else_in_the_folder_is_touched_but_unfinished_files(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=0)
    unfinished = f".{name_of('x')}.17.part"
    for name in ("music.wav", unfinished):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (NOW - 400 * DAY, NOW - 400 * DAY))
    assert cache.forget(NOW) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["music.wav"]
    assert Cache(tmp_path / "gone").forget(NOW) == 0
