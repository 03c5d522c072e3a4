"""Who may call: registration, passwords, trunks, strangers."""

from __future__ import annotations

import asyncio

import pytest

from pbx.call import registration
from pbx.errors import StorageError
from pbx.plan.destination import Destination
from pbx.plan.model import NumberRoute, Plan
from pbx.sip.headers import NameAddr
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
        assert (await alice.register(for_number="102")).status == 403
        assert not house.registrar.bindings("102", house.clock.monotonic())

    flow(scenario)


def test_the_digest_says_who_calls_and_from_is_not_believed() -> None:
    async def scenario(house: House) -> None:
        house.add("103", name="The Director")
        house.add("101", name="Alice")
        alice, bob = await house.registered("101", "102")
        call = alice.call("102", from_=NameAddr.parse('"The Director" <sip:103@192.0.2.1>'))
        rung = await bob.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.number == "101"
        assert rung.request.from_.display_name == "Alice"
        assert "P-Asserted-Identity" not in rung.request.headers
        rung.respond(486)
        await call.failed()

    assert flow(scenario).record.caller.number == "101"


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


def test_a_trunk_reaches_the_numbers_that_are_named_and_no_others() -> None:
    async def scenario(house: House) -> None:
        house.trunk(Trunk("carrier", "198.51.100.7"))
        house.exchange.plan = Plan(
            "test", {"4008001234": NumberRoute("4008001234", Destination("ext", "102"))}
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
    assert first.path == ("numbers:4008001234", "ext:102")
    assert second.result == "failed"


def test_a_full_trunk_gets_503() -> None:
    async def scenario(house: House) -> None:
        house.trunk(Trunk("carrier", "198.51.100.7", max_calls=1))
        house.exchange.plan = Plan("test", {"400": NumberRoute("400", Destination("ext", "102"))})
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


@pytest.mark.parametrize("dialled", ["+864008001234", "00864008001234", "864008001234"])
def test_a_trunk_may_write_a_number_in_every_usual_way(dialled: str) -> None:
    async def scenario(house: House) -> None:
        house.trunk(Trunk("carrier", "198.51.100.7"))
        house.exchange.plan = Plan(
            "test", {"+864008001234": NumberRoute("+864008001234", Destination("ext", "102"))}
        )
        (bob,) = await house.registered("102")
        carrier = house.phone("13800138000", host="198.51.100.7")
        call = carrier.call(dialled)
        (await bob.rung()).respond(486)
        assert await call.failed() == 486

    assert flow(scenario).record.called.number == "4008001234", "as the office dials it"


def test_a_trunk_reaches_no_feature_code_and_no_extension_that_is_not_named() -> None:
    async def scenario(house: House) -> None:
        house.trunk(Trunk("carrier", "198.51.100.7"))
        await house.registered("102")
        carrier = house.phone("13800138000", host="198.51.100.7")
        for number in ("102", "*43", "*999"):
            assert await carrier.call(number).failed() == 404

    flow(scenario)


@pytest.mark.parametrize(
    ("sender", "number", "name"),
    [
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', "anonymous", "Anonymous"),
        ("<sip:198.51.100.7>", "anonymous", None),
        ('"A \\"B\\"" <sip:+8613800138000@carrier;user=phone>', "13800138000", 'A "B"'),
        ("<sip:+85221234567@carrier>", "0085221234567", None),
    ],
)
def test_who_calls_from_a_trunk_is_shown_as_the_office_would_dial_it(
    sender: str, number: str, name: str | None
) -> None:
    async def scenario(house: House) -> None:
        house.trunk(Trunk("carrier", "198.51.100.7"))
        house.exchange.plan = Plan("test", {"400": NumberRoute("400", Destination("ext", "102"))})
        (bob,) = await house.registered("102")
        carrier = house.phone("13800138000", host="198.51.100.7")
        call = carrier.call("400", from_=NameAddr.parse(sender))
        rung = await bob.rung()
        assert rung.request is not None
        shown = rung.request.from_
        assert (shown.uri.number, shown.display_name) == (number, name)
        assert "198.51.100" not in str(rung.request)
        rung.respond(486)
        await call.failed()

    record = flow(scenario).record
    assert (record.caller.number, record.caller.name) == (number, name)


# -- registrations ---------------------------------------------------------------------------------


def test_an_extension_that_is_removed_loses_its_bindings_and_keeps_its_call() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        del house.directory.extensions["102"]
        house.registrations.directory_changed()
        await asyncio.sleep(5)
        now = house.clock.monotonic()
        assert [binding.aor for binding in house.registrar.all(now)] == ["101"]
        assert [binding.aor for binding in house.keeper.removed] == ["102"]
        assert len(house.exchange.calls) == 1
        assert await alice.call("102").failed() == 404
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_an_extension_that_is_removed_while_it_registers_stays_away() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101")

        async def slow(*_: object) -> None:
            house.directory.extensions.pop("101", None)

        house.keeper.save = slow  # type: ignore[assignment, method-assign]
        assert (await alice.register()).status == 403
        assert not house.registrar.all(house.clock.monotonic())

    flow(scenario)


def test_options_goes_the_way_that_the_registration_came() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101")
        response = await alice.register(headers=[("Path", "<sip:edge@192.0.2.10:5060;lr>")])
        assert response.status == 200
        for _ in range(35):
            await asyncio.sleep(1)
            house.registrations.qualify()
        options = [c.octets for c in house.network.carried if c.octets.startswith(b"OPTIONS")]
        assert options
        assert all(b"\r\nRoute: <sip:edge@192.0.2.10:5060;lr>\r\n" in sent for sent in options)

    flow(scenario)


def test_a_store_that_fails_costs_no_phone_its_line() -> None:
    async def scenario(house: House) -> None:
        failures = [StorageError("the disk is full"), RuntimeError("a defect")]

        async def fails(*_: object) -> None:
            raise failures[len(house.alarms)]

        house.keeper.save = fails  # type: ignore[assignment, method-assign]
        for _ in failures:
            assert (await house.phone("101").register()).status == 200
        assert len(house.alarms) == 2
        assert len(house.registrar.all(house.clock.monotonic())) == 2

    flow(scenario)


def test_more_registrations_than_the_store_can_take_are_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registration, "MAX_WAITING", 3)

    async def scenario(house: House) -> None:
        gate = asyncio.Event()

        async def waits(*_: object) -> None:
            await gate.wait()

        house.keeper.save = waits  # type: ignore[assignment, method-assign]
        phones = [house.phone(str(number)) for number in range(101, 106)]
        registering = [asyncio.create_task(phone.register()) for phone in phones]
        await asyncio.sleep(1)
        gate.set()
        responses = await asyncio.gather(*registering)
        statuses = sorted(response.status for response in responses)
        assert statuses == [200, 200, 200, 503, 503]

    flow(scenario)
