"""Who may ask what: tokens over TCP, everything on the socket, nothing without either."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from pbx.api.access import MAX_BODY
from pbx.api.app import create_app
from tests.api.office_double import Key, OfficeDouble


def office() -> OfficeDouble:
    double = OfficeDouble()
    double.directory.keys = {
        "r": Key("reader", "read"),
        "c": Key("dialer", "control"),
        "a": Key("boss", "admin"),
    }
    return double


def ask(method: str, path: str, *, secret: str | None = None, **request: object) -> httpx.Response:
    """Send one request as a stranger on TCP would."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(office()))
        async with httpx.AsyncClient(transport=transport, base_url="http://box") as client:
            headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
            headers |= request.pop("headers", {})  # type: ignore[arg-type]
            return await client.request(method, path, headers=headers, **request)  # type: ignore[arg-type]

    return asyncio.run(send())


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/openapi.json", "/api/v1/nothing"])
@pytest.mark.parametrize("secret", [None, "", "wrong"])
def test_without_a_valid_token_nothing_is_said(path: str, secret: str | None) -> None:
    response = ask("GET", path, secret=secret)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "token" in response.json()["detail"]


@pytest.mark.parametrize("header", ["Basic r", "Bearer", "r", "Bearer  "])
def test_other_ways_to_authenticate_are_not_known(header: str) -> None:
    response = ask("GET", "/api/v1/status", headers={"Authorization": header})
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("GET", "/status", None, "r"),
        ("GET", "/registrations", None, "r"),
        ("GET", "/calls", None, "r"),
        ("GET", "/records", None, "r"),
        ("GET", "/recordings", None, "r"),
        ("GET", "/recordings/x/audio", None, "r"),
        ("POST", "/recordings", {"call": "x"}, "c"),
        ("POST", "/recordings/x-1/pause", None, "c"),
        ("POST", "/recordings/x-1/stop", None, "c"),
        ("GET", "/voicemail/boxes", None, "r"),
        ("GET", "/voicemail/messages", None, "r"),
        ("GET", "/voicemail/messages/x/audio", None, "r"),
        ("DELETE", "/voicemail/messages/x", None, "c"),
        ("PUT", "/voicemail/boxes/101", {"pin": "4711"}, "a"),
        ("GET", "/extensions", None, "r"),
        ("GET", "/trunks", None, "r"),
        ("GET", "/bans", None, "r"),
        ("GET", "/openapi.json", None, "r"),
        ("POST", "/calls", {"from": "101", "to": "102"}, "c"),
        ("DELETE", "/calls/x", None, "c"),
        ("GET", "/tokens", None, "a"),
        ("POST", "/tokens", {"name": "x", "scope": "read"}, "a"),
        ("DELETE", "/tokens/x", None, "a"),
        ("POST", "/extensions", {"number": "105"}, "a"),
        ("PATCH", "/extensions/105", {"name": "x"}, "a"),
        ("POST", "/extensions/105/password", None, "a"),
        ("DELETE", "/extensions/105", None, "a"),
        ("POST", "/trunks", {"name": "x", "server": "sip:192.0.2.1"}, "a"),
        ("DELETE", "/trunks/x", None, "a"),
        ("DELETE", "/bans/192.0.2.9", None, "a"),
    ],
)
def test_a_token_may_do_what_its_scope_says(
    method: str, path: str, body: object, needed: str
) -> None:
    scopes = ["r", "c", "a"]
    for secret in scopes:
        response = ask(method, "/api/v1" + path, secret=secret, json=body)
        if scopes.index(secret) < scopes.index(needed):
            assert response.status_code == 403
            assert response.json()["detail"].startswith("token ")
        else:
            assert response.status_code not in (401, 403)


def test_a_body_is_bounded() -> None:
    long = ask("POST", "/api/v1/extensions", secret="a", content=b"x" * (MAX_BODY + 1))
    assert long.status_code == 413

    async def chunks() -> object:
        yield b"x"

    chunked = ask("POST", "/api/v1/extensions", secret="a", content=chunks())
    assert chunked.status_code == 411
