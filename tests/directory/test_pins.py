"""PINs of conference rooms: what is kept, what is refused."""

from __future__ import annotations

import pytest

from pbx.db.engine import MemoryDatabase
from pbx.directory.pins import ConferencePins, check_pin, pin_digest
from pbx.directory.store import DirectoryStore
from pbx.errors import Refused
from tests.kit.loop import run


def test_a_pin_is_known_by_its_digest() -> None:
    pins = ConferencePins("7001", "salt", pin_digest("2580", "salt"), pin_digest("9513", "salt"))
    assert pins.is_members("2580")
    assert pins.is_moderators("9513")
    assert not pins.is_members("9513")
    assert not pins.is_moderators("2580")
    assert not ConferencePins("7001", "salt").is_members("")
    assert "2580" not in repr(pins)


@pytest.mark.parametrize("pin", ["", "123", "12345678901", "12a4", "1111", "1234", "0000"])
def test_what_cannot_be_keyed_or_is_tried_first_is_refused(pin: str) -> None:
    with pytest.raises(Refused):
        check_pin(pin)


def test_pins_are_set_one_by_one_and_stay() -> None:
    async def scenario() -> None:
        database = MemoryDatabase()
        store = DirectoryStore(database)
        await store.load()
        await store.set_pins("7001", "s1", member="2580")
        await store.set_pins("7001", "s2", moderator="9513")
        with pytest.raises(Refused, match="different PINs"):
            await store.set_pins("7001", "s3", member="9513")
        with pytest.raises(Refused, match="different PINs"):
            await store.set_pins("7002", "s4", member="3691", moderator="3691")
        directory = await DirectoryStore(database).load()
        pins = directory.conference_pins("7001")
        assert pins is not None
        assert pins.is_members("2580")
        assert pins.is_moderators("9513")
        assert directory.conference_pins("7002") is None

    run(scenario())
