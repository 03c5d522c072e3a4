"""Passwords for phones."""

from __future__ import annotations

import pytest

from pbx.api.passwords import ALPHABET, MADE_LENGTH, make_password, weakness


def test_made_passwords_are_strong_and_differ() -> None:
    made = {make_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == MADE_LENGTH for password in made)
    assert all(weakness("101", password) is None for password in made)
    assert not set(ALPHABET) & set("0O1lIo")


@pytest.mark.parametrize(
    "password",
    [
        "1234",
        "",
        "12345678",
        "1012101210",
        "aaaaaaaa",
        "101101ab",
        "geheim1",
        "passwörter12",
        "a\tb" * 4,
    ],
)
def test_what_can_be_guessed_is_refused(password: str) -> None:
    assert weakness("101", password)


@pytest.mark.parametrize("password", ["correct horse battery", "x9-Kq_27pL", "abcde-101-xyz"])
def test_what_cannot_is_taken(password: str) -> None:
    assert weakness("101", password) is None
