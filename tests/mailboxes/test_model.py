"""Names of files, and times."""

from __future__ import annotations

import pytest

from pbx.mailboxes.model import file_name, id_of, is_greeting, utc_text


@pytest.mark.parametrize("id", ["0123456789abcdef", "g0123456789abcdef"])
def test_a_file_is_named_after_its_id_alone(id: str) -> None:
    assert file_name(id) == f"{id}.wav"
    assert id_of(file_name(id)) == id
    assert is_greeting(id) is id.startswith("g")


@pytest.mark.parametrize("file", ["notes.txt", "x.wav", "0123456789abcdef", ".wav"])
def test_other_files_are_not_ours(file: str) -> None:
    assert id_of(file) is None


def test_times_have_milliseconds() -> None:
    assert utc_text(1_795_248_000_007) == "2026-11-21T08:00:00.007Z"
