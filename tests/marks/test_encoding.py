"""Files in other encodings than UTF-8: told by name, at the first line that shows it."""

from __future__ import annotations

import pytest

from pbx.marks import Problem
from pbx.marks.encoding import decoded

TEXT = "version: 1\n# 电话菜单\n"


def test_utf_8_is_read_with_or_without_its_mark() -> None:
    assert decoded(TEXT.encode(), "d.yaml") == decoded(TEXT.encode("utf-8-sig"), "d.yaml") == TEXT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode("gbk"), "2:1 E001 the file is not UTF-8; it seems to be GBK (ANSI of a Chin"),
        (TEXT.encode("utf-16"), "1:1 E001 the file is not UTF-8; it seems to be UTF-16"),
        ("a: café\n".encode("latin-1"), "1:1 E001 the file is not UTF-8 — save it as UTF-8"),
        (b"\n\n\xff", "3:1 E001 the file is not UTF-8 — save it as UTF-8"),
    ],
)
def test_other_encodings_are_told_by_name(content: bytes, words: str) -> None:
    problem = decoded(content, "d.yaml")
    assert isinstance(problem, Problem)
    assert str(problem).startswith(f"d.yaml:{words}")
    assert str(problem).endswith("save it as UTF-8")
