"""Who may call: registration, passwords, trunks, strangers."""

from __future__ import annotations

import asyncio

from pbx.plan.model import Destination, NumberRoute, Plan
from tests.kit.exchange import House, Trunk, flow


def test_a_phone_registers_with_its_password() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101")
        response = await alice.register()
        assert response.status == 200
        assert "expires=" in (response.headers.get("Contact") or "")
        assert len(house.keeper.saved) == 1

    flow(scenario)


def test_a_wrong_password_and_an_unknown_user_are_answered_alike() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101")
        nobody = house.phone("199")
        del house.directory.extensions["199"]
        wrong = await alice.register(password="guess")
        unknown = await nobody.register(password="guess")
        assert (
            (wrong.status, wrong.reason) == (unknown.status, unknown.reason) == (401, wrong.reason)
        )
        assert (
            wrong.headers.get_all("WWW-Authenticate")[0][:30]
            == (unknown.headers.get_all("WWW-Authenticate")[0][:30])
        )

    flow(scenario)


def test_a_phone_may_not_register_for_another() -> None:
    async def scenario(house: House) -> None:
        house.add("102")
        alice = house.phone("101")
        alice.uri  # noqa: B018
        response = await alice.register()
        assert response.status == 200
        assert not house.registrar.bindings("102", house.clock.monotonic())

    flow(scenario)


def test_an_unregistered_phone_may_call_with_its_password() -> None:
    async def scenario(house: House) -> None:
        (bob,) = await house.registered("102")
        alice = house.phone("101")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.caller.number == "101"


def test_a_stranger_is_challenged_and_leaves_no_record() -> None:
    async def scenario(house: House) -> None:
        await house.registered("102")
        stranger = house.phone("666")
        del house.directory.extensions["666"]
        assert await stranger.call("102").failed() == 401

    assert not flow(scenario).records


def _numbers(**routes: str) -> Plan:
    return Plan(
        "test",
        {
            number: NumberRoute(number, Destination(*to.split(":")), 1)
            for number, to in routes.items()
        },
    )


def test_a_trunk_reaches_the_numbers_that_are_named_and_no_others() -> None:
    async def scenario(house: House) -> None:
        house.directory.trunks.append(Trunk("carrier", "198.51.100.7"))
        house.exchange.plan = Plan(
            "test", {"4008001234": NumberRoute("4008001234", Destination("ext", "102"), 1)}
        )
        (bob,) = await house.registered("102")
        carrier = house.phone("13800138000", host="198.51.100.7")
        call = carrier.call("4008001234")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()
        assert await carrier.call("102").failed() == 404

    house = flow(scenario)
    first, second = house.records.values()
    assert (first.direction, first.caller.number) == ("inbound", "13800138000")
    assert second.result == "failed"


def test_a_full_trunk_gets_503() -> None:
    async def scenario(house: House) -> None:
        house.directory.trunks.append(Trunk("carrier", "198.51.100.7", max_calls=1))
        house.exchange.plan = Plan(
            "test", {"400": NumberRoute("400", Destination("ext", "102"), 1)}
        )
        (bob,) = await house.registered("102")
        carrier = house.phone("13800138000", host="198.51.100.7")
        call = carrier.call("400")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        assert await carrier.call("400").failed() == 503
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_ten_wrong_passwords_ban_a_source() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101")
        for _ in range(10):
            await alice.register(password="guess")
        assert house.guard.dropped(alice.address[0], house.clock.monotonic())

    flow(scenario)


def test_draining_lets_calls_end_and_no_new_ones_in() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        drained = asyncio.create_task(house.exchange.drain(5.0))
        await asyncio.sleep(1)
        assert await carol.call("102").failed() == 503
        await drained
        await call.ended()
        await rung.ended()

    house = flow(scenario)
    assert [record.reason for record in house.records.values()] == ["shutdown"]
