"""Passwords for phones: made where none is given, refused where they can be guessed."""

from __future__ import annotations

import secrets

ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0 O 1 l I o: passwords are typed into phones by people."""
MADE_LENGTH = 16  # 16 × log2(55) = 92 bits
MIN_LENGTH = 8
MIN_DIFFERENT = 5


def make_password() -> str:
    """Return a fresh random password."""
    return "".join(secrets.choice(ALPHABET) for _ in range(MADE_LENGTH))


def weakness(number: str, password: str) -> str | None:
    """Say why `password` is too weak for the phone `number`; None where it will do.

    Scanners try the number, its reverse, runs of digits and short words first.
    """
    if not (password.isascii() and password.isprintable()):
        return "the password must be printable ASCII: phones disagree about anything else"
    if len(password) < MIN_LENGTH:
        return f"the password is shorter than {MIN_LENGTH} characters"
    if len(set(password)) < MIN_DIFFERENT or password.isdigit():
        return "the password is too simple: mix letters and digits"
    rest = password.lower().replace(number, "").replace(number[::-1], "")
    if len(rest) < MIN_LENGTH // 2:
        return "the password is little more than the number"
    return None
