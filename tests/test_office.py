"""The office on its database: where passwords become digests and bindings become rows."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pbx.api.office import ExtensionChange, Office, TrunkDraft
from pbx.config import Home, Settings, parse_settings
from pbx.errors import NotFound, Refused
from pbx.office import DatabaseOffice, open_office
from pbx.sip.binding import Binding
from pbx.sip.digest import make_ha1
from pbx.sip.flow import Flow
from pbx.sip.headers import NameAddr
from pbx.sip.uri import Uri


def play(
    path: Path,
    scenario: Callable[[DatabaseOffice], Awaitable[None]],
    settings: Settings | None = None,
) -> None:
    async def opened() -> None:
        async with open_office(Home(path), settings or Settings()) as office:
            await scenario(office)

    asyncio.run(opened())


def settings_of(text: str) -> Settings:
    settings, problems = parse_settings(text, "callpbx.yaml", environ={})
    assert problems == []
    assert settings is not None
    return settings


def test_it_is_an_office() -> None:
    def takes(office: Office) -> Office:
        return office

    assert takes  # mypy says whether DatabaseOffice fits
    _: Callable[[DatabaseOffice], Office] = takes


def test_of_a_password_only_digests_are_kept(tmp_path: Path) -> None:
    async def scenario(office: DatabaseOffice) -> None:
        await office.directory.add_extension("101", name="A", password="x9-Kq", contact=None)
        kept = office.in_memory.extension("101")
        assert kept is not None
        credential = make_ha1("101", "callpbx", "x9-Kq")
        assert (kept.ha1_md5, kept.ha1_sha256) == (credential.ha1_md5, credential.ha1_sha256)
        assert "x9-Kq" not in repr(kept)

    play(tmp_path, scenario)
    stored = b"".join(file.read_bytes() for file in Home(tmp_path).var.glob("callpbx.db*"))
    assert b"x9-Kq" not in stored


def test_a_change_touches_what_it_names(tmp_path: Path) -> None:
    async def scenario(office: DatabaseOffice) -> None:
        directory = office.directory
        await directory.add_extension("101", name="A", password="x", contact="sip:door@192.0.2.7")
        before = await directory.extension("101")
        change = ExtensionChange(no_answer_s=30.0, voicemail=True)
        await directory.change_extension("101", change)
        after = await directory.extension("101")
        assert after == replace(before, no_answer_s=30.0, voicemail=True)
        await directory.change_extension("101", ExtensionChange(name="", contact="", password="y"))
        cleared = await directory.extension("101")
        assert (cleared.name, cleared.contact) == (None, None)
        assert cleared.ha1_md5 == make_ha1("101", "callpbx", "y").ha1_md5
        await directory.remove_extension("101")
        with pytest.raises(NotFound, match="there is no extension 101"):
            await directory.extension("101")
        assert office.in_memory.extension("101") is None

    play(tmp_path, scenario)


def test_a_changed_realm_is_refused_until_the_passwords_are_made_anew(tmp_path: Path) -> None:
    async def first(office: DatabaseOffice) -> None:
        await office.check_realm("callpbx")
        await office.directory.add_extension("101", name=None, password="x", contact=None)

    async def second(office: DatabaseOffice) -> None:
        with pytest.raises(Refused, match="callpbx extension reissue"):
            await office.check_realm("other")
        await office.directory.reissue({"101": "y"})
        await office.check_realm("other")
        found = office.in_memory.extension("101")
        assert found is not None
        assert found.ha1_sha256 == make_ha1("101", "other", "y").ha1_sha256

    play(tmp_path, first)
    play(tmp_path, second, settings_of("sip: {realm: other}\n"))


def test_a_carrier_is_known_by_its_addresses(tmp_path: Path) -> None:
    async def scenario(office: DatabaseOffice) -> None:
        await office.directory.add_trunk(TrunkDraft(name="main", server="sip:192.0.2.7"))
        draft = TrunkDraft(name="backup", server="sip:x.example", match=("192.0.2.8:5070",))
        await office.directory.add_trunk(draft)
        found = office.in_memory.trunk_for(("192.0.2.7", 5099))
        assert found is not None
        assert found.name == "main"
        assert office.in_memory.trunk_for(("192.0.2.8", 5060)) is None
        assert office.in_memory.is_trunk("192.0.2.8")  # from whatever port: never banned
        assert not office.in_memory.is_trunk("192.0.2.9")
        await office.directory.remove_trunk("main")
        assert not office.in_memory.is_trunk("192.0.2.7")

    play(tmp_path, scenario)


def test_carriers_told_by_name_are_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(office: DatabaseOffice) -> None:
        for name, host in (("main", "good.example"), ("other", "gone.example")):
            await office.directory.add_trunk(TrunkDraft(name=name, server=f"sip:{host}"))
        assert office.in_memory.trunk_for(("192.0.2.7", 5060)) is None

        async def getaddrinfo(host: str, *_: object, **__: object) -> list[object]:
            if host != "good.example":
                raise socket.gaierror("no such name")
            return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("192.0.2.7", 0))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        await office.reload()
        assert office.in_memory.trunk_for(("192.0.2.7", 5060)) is not None
        assert office.in_memory.is_trunk("192.0.2.7")
        await office.directory.add_trunk(TrunkDraft(name="third", server="sip:192.0.2.9"))
        assert office.in_memory.is_trunk("192.0.2.7")  # a new snapshot forgets no names

    play(tmp_path, scenario)


def test_a_token_opens_the_api_until_it_is_removed(tmp_path: Path) -> None:
    async def scenario(office: DatabaseOffice) -> None:
        secret = await office.directory.add_token("crm", "control")
        found = await office.directory.token(secret)
        assert found is not None
        assert (found.name, found.scope) == ("crm", "control")
        (listed,) = await office.directory.tokens()
        assert listed.last_used is not None
        assert time.time() - listed.last_used < 60
        assert secret not in repr(listed)
        assert await office.directory.token(secret + "x") is None
        await office.directory.remove_token("crm")
        assert await office.directory.token(secret) is None

    play(tmp_path, scenario)


def binding(expires_in: float) -> Binding:
    now = time.monotonic()
    return Binding(
        aor="101",
        contact=Uri.parse("sip:101@192.0.2.1:5062;transport=tcp"),
        flow=Flow("tcp", ("192.0.2.2", 5060), ("192.0.2.1", 40000)),
        path=(NameAddr.parse("<sip:proxy.example;lr>"),),
        call_id="abc",
        cseq=7,
        expires_at=now + expires_in,
        registered_at=now,
        user_agent="Phone 1.0",
        instance="<urn:uuid:1>",
    )


def test_bindings_survive_a_restart(tmp_path: Path) -> None:
    kept = binding(600.0)

    async def first(office: DatabaseOffice) -> None:
        await office.bindings.save([kept, replace(binding(-1.0), aor="102")], [])

    async def second(office: DatabaseOffice) -> None:
        (loaded,) = await office.bindings.load()
        assert abs(loaded.expires_at - kept.expires_at) < 1.0
        times = {"expires_at": 0.0, "registered_at": 0.0}
        assert replace(loaded, **times) == replace(kept, **times)  # type: ignore[arg-type]
        await office.bindings.save([], [loaded])
        assert await office.bindings.load() == []

    play(tmp_path, first)
    play(tmp_path, second)


def test_records_are_fresh_when_a_server_says_how(tmp_path: Path) -> None:
    async def scenario(office: DatabaseOffice) -> None:
        flushed: list[bool] = []

        async def flush() -> None:
            flushed.append(True)

        with pytest.raises(NotFound):
            await office.records.find_one("x")
        office.fresh = flush
        with pytest.raises(NotFound):
            await office.records.find_one("x")
        assert flushed == [True]

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("listen", "server"),
    [
        ("udp://192.0.2.5:5060", "192.0.2.5"),
        ("udp://192.0.2.5:5070", "192.0.2.5:5070"),
        ("'udp://[2001:db8::5]:5070'", "[2001:db8::5]:5070"),
        ("udp://192.0.2.5:0", "192.0.2.5"),
    ],
)
def test_what_people_type_into_a_phone(tmp_path: Path, listen: str, server: str) -> None:
    async def scenario(office: DatabaseOffice) -> None:
        assert office.server == server

    play(tmp_path, scenario, settings_of(f"sip: {{listen: {listen}}}\n"))
