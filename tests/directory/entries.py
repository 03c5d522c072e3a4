"""Entries of a small office, for the tests of this folder."""

from __future__ import annotations

from pbx.directory.bindings import BindingRow
from pbx.directory.model import Agent, ApiToken, Extension, Scope, Trunk, token_digest

NOW = 1_795_248_000.5


def extension(number: str = "101", **changes: object) -> Extension:
    """Return a phone's entry."""
    fields: dict[str, object] = {
        "name": "Alice",
        "realm": "callpbx",
        "ha1_md5": f"md5-{number}",
        "ha1_sha256": f"sha-{number}",
        "created_at": NOW,
        **changes,
    }
    return Extension(number=number, **fields)


def trunk(name: str = "main", server: str = "sip:192.0.2.10:5060", **changes: object) -> Trunk:
    """Return a line."""
    return Trunk(name=name, server=server, **{"created_at": NOW, "token": "7a0c", **changes})


def token(name: str = "wallboard", scope: Scope = "read", secret: str = "s3cret") -> ApiToken:
    """Return a token whose secret is known."""
    return ApiToken(name=name, scope=scope, sha256=token_digest(secret), created_at=NOW)


def binding(number: str = "101", port: int = 5060, **changes: object) -> BindingRow:
    """Return a registered contact."""
    fields: dict[str, object] = {
        "aor": number,
        "contact": f"sip:{number}@192.0.2.7:{port}",
        "transport": "udp",
        "local": ("192.0.2.1", 5060),
        "remote": ("192.0.2.7", port),
        "path": (),
        "call_id": "abc@192.0.2.7",
        "cseq": 7,
        "expires_at": NOW + 300,
        "registered_at": NOW,
        **changes,
    }
    return BindingRow(**fields)


def agent(number: str = "101", **changes: object) -> Agent:
    """Return an agent's entry."""
    return Agent(number=number, **{"created_at": NOW, "skills": {"en": 5}, **changes})
