"""Versions of the dialplan on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.dialplan.versions import Version, Versions
from pbx.errors import NotFound


def texts(text: str) -> dict[str, str]:
    return {"dialplan.yaml": text, "dialplan.d/more.yaml": "version: 1\n"}


def test_versions_count_up_and_hold_the_texts_of_all_files(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "dialplan")
    assert versions.all() == ()
    first = versions.keep("aaa", texts("# 一\n"), 1000.5)
    second = versions.keep("bbb", texts("# two\n"), 2000.0)
    assert (
        versions.all() == (second, first) == (Version(2, "bbb", 2000.0), Version(1, "aaa", 1000.5))
    )
    assert str(second) == "v2"
    path = versions.path(first)
    assert path == tmp_path / "dialplan" / "v1" / "dialplan.yaml"
    assert path.read_text("utf-8") == "# 一\n"
    assert (path.parent / "dialplan.d" / "more.yaml").read_text() == "version: 1\n"
    assert (
        tmp_path / "dialplan"
    ).stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


def test_the_same_texts_again_are_the_same_version(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    first = versions.keep("aaa", texts("a"), 1.0)
    assert versions.keep("aaa", texts("a"), 2.0) == first
    versions.keep("bbb", texts("b"), 3.0)
    assert versions.keep("aaa", texts("a"), 4.0) == Version(3, "aaa", 4.0)


def test_only_the_newest_stay_and_numbers_go_on(tmp_path: Path) -> None:
    versions = Versions(tmp_path, kept=3)
    for number in range(7):
        versions.keep(f"id{number}", texts(str(number)), float(number))
    assert [version.number for version in versions.all()] == [7, 6, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v5", "v6", "v7"]


def test_the_one_before_is_found_where_it_is_kept(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    first = versions.keep("aaa", texts("a"), 1.0)
    second = versions.keep("bbb", texts("b"), 2.0)
    assert versions.before(second) == first
    with pytest.raises(NotFound, match="no version before v1 is kept"):
        versions.before(first)


def test_what_is_no_version_is_passed_over(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.keep("aaa", texts("a"), 1.0)
    (tmp_path / "v2").mkdir()
    (tmp_path / "v3").mkdir()
    (tmp_path / "v3" / "version.json").write_text("[]")
    (tmp_path / "various.txt").write_text("mine")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "half").write_text("")
    assert [version.number for version in versions.all()] == [1]
