"""Paths of recordings stay where recordings are."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from pbx.errors import Refused
from pbx.recordings.model import inside


def test_our_own_names_are_let_through() -> None:
    assert inside("2026/11/21/7f3a-1.wav") == PurePosixPath("2026/11/21/7f3a-1.wav")


@pytest.mark.parametrize(
    "file",
    [
        "../callpbx.db",
        "/etc/passwd",
        "2026/../../7f3a-1.wav",
        "/var/7f3a-1.wav",
        "2026/11/21/notes.txt",
        "7f3a-1.wav.exe",
        "",
    ],
)
def test_other_paths_are_refused(file: str) -> None:
    with pytest.raises(Refused):
        inside(file)
