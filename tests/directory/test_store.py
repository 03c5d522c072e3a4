"""The directory in the database: what is written is what is shown, and refusals change nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from pbx.db.engine import MemoryDatabase
from pbx.directory.bindings import BindingStore
from pbx.directory.model import PasswordDigests
from pbx.directory.snapshot import Directory
from pbx.directory.store import TOKEN_USE_NOTED, DirectoryStore
from pbx.errors import NotFound, Refused
from tests.directory.entries import NOW, binding, extension, token, trunk
from tests.kit.loop import run


def with_store(use: Callable[[DirectoryStore], Awaitable[None]]) -> None:
    """Use a store on an empty database; afterwards the database must say the same as it shows."""

    async def main() -> None:
        database = MemoryDatabase()
        store = DirectoryStore(database)
        assert await store.load() == Directory.of()
        await use(store)
        assert await DirectoryStore(database).load() == store.directory

    run(main())


def test_an_extension_comes_back_as_it_was_added() -> None:
    whole = extension(
        name="王", no_answer_s=12.5, voicemail=True, contact="sip:door@192.0.2.7", created_at=NOW
    )

    async def use(store: DirectoryStore) -> None:
        await store.add_extension(whole)
        assert store.directory.extension("101") == whole

    with_store(use)


def test_a_number_can_be_given_once() -> None:
    async def use(store: DirectoryStore) -> None:
        await store.add_extension(extension())
        with pytest.raises(Refused, match="extension 101 exists already"):
            await store.add_extension(extension(name="Bob"))
        assert store.directory.extensions() == (extension(),)

    with_store(use)


def test_an_entry_that_breaks_the_rules_is_not_written() -> None:
    async def use(store: DirectoryStore) -> None:
        with pytest.raises(Refused):
            await store.add_extension(extension("1"))
        with pytest.raises(Refused):
            await store.add_trunk(trunk(server="nowhere"))
        with pytest.raises(Refused):
            await store.add_token(token(name="no name"))

    with_store(use)


def test_changing_an_extension_changes_what_was_said_and_nothing_else() -> None:
    async def use(store: DirectoryStore) -> None:
        await store.add_extension(extension())
        after = await store.change_extension("101", lambda e: replace(e, no_answer_s=30.0))
        assert after == extension(no_answer_s=30.0)
        assert store.directory.extension("101") == after

    with_store(use)


def test_a_change_that_breaks_the_rules_is_undone() -> None:
    async def use(store: DirectoryStore) -> None:
        await store.add_extension(extension())
        for change in (
            {"number": "102"},
            {"realm": "elsewhere"},
            {"no_answer_s": 0.0},
            {"name": "\n"},
        ):
            with pytest.raises(Refused):
                await store.change_extension("101", lambda e, c=change: replace(e, **c))
        assert store.directory.extension("101") == extension()

    with_store(use)


def test_what_does_not_exist_cannot_be_changed_or_removed() -> None:
    async def use(store: DirectoryStore) -> None:
        with pytest.raises(NotFound, match="there is no extension 101"):
            await store.change_extension("101", lambda e: e)
        with pytest.raises(NotFound, match="there is no extension 101"):
            await store.remove_extension("101")
        with pytest.raises(NotFound, match="there is no trunk main"):
            await store.remove_trunk("main")
        with pytest.raises(NotFound, match="there is no token t"):
            await store.remove_token("t")

    with_store(use)


def test_a_removed_extension_takes_its_bindings_along() -> None:
    async def main() -> None:
        database = MemoryDatabase()
        store, bindings = DirectoryStore(database), BindingStore(database)
        await store.add_extension(extension("101"))
        await bindings.save([binding("101"), binding("102")], [])
        await store.remove_extension("101")
        assert store.directory.extensions() == ()
        assert await bindings.load(NOW) == [binding("102")]

    run(main())


def test_all_passwords_of_an_office_are_for_one_realm() -> None:
    async def use(store: DirectoryStore) -> None:
        await store.add_extension(extension("101"))
        with pytest.raises(Refused, match="made for the realm 'callpbx', not for 'other'"):
            await store.add_extension(extension("102", realm="other"))

    with_store(use)


def test_a_new_realm_comes_with_new_passwords_for_all() -> None:
    async def use(store: DirectoryStore) -> None:
        await store.add_extension(extension("101"))
        await store.add_extension(extension("102"))
        new = {
            number: PasswordDigests("office", f"m{number}", f"s{number}")
            for number in ("101", "102")
        }
        with pytest.raises(Refused, match="for every extension"):
            await store.reissue({"101": new["101"]})
        with pytest.raises(Refused, match="for every extension"):
            await store.reissue({**new, "102": PasswordDigests("another", "m", "s")})
        assert store.directory.realm_in_use() == "callpbx"
        await store.reissue(new)
        assert store.directory.realm_in_use() == "office"
        changed = store.directory.extension("102")
        assert changed is not None
        assert (changed.ha1_md5, changed.ha1_sha256, changed.name) == ("m102", "s102", "Alice")

    with_store(use)


def test_a_trunk_comes_back_as_it_was_added_and_goes() -> None:
    whole = trunk(
        username="u",
        password="geheim",
        register=True,
        match=("10.0.0.5:5060", "10.0.0.0/24"),
        max_calls=8,
    )

    async def use(store: DirectoryStore) -> None:
        await store.add_trunk(whole)
        assert store.directory.trunks() == (whole,)
        with pytest.raises(Refused, match="trunk main exists already"):
            await store.add_trunk(whole)
        await store.remove_trunk("main")
        assert store.directory.trunks() == ()

    with_store(use)


def test_a_token_works_from_its_making_to_its_removal() -> None:
    async def use(store: DirectoryStore) -> None:
        await store.add_token(token("ops", "control", "abc"))
        found = store.directory.token("abc")
        assert found is not None
        assert found.allows("read")
        with pytest.raises(Refused, match="token ops exists already"):
            await store.add_token(token("ops", "read", "def"))
        await store.remove_token("ops")
        assert store.directory.token("abc") is None

    with_store(use)


def test_the_use_of_a_token_is_written_once_in_a_while() -> None:
    async def use(store: DirectoryStore) -> None:
        await store.add_token(token("ops", secret="abc"))

        async def used(at: float) -> float | None:
            found = store.directory.token("abc")
            assert found is not None
            await store.note_token_use(found, at)
            again = store.directory.token("abc")
            return None if again is None else again.last_used

        assert await used(NOW) == NOW
        assert await used(NOW + TOKEN_USE_NOTED / 2) == NOW
        assert await used(NOW + TOKEN_USE_NOTED) == NOW + TOKEN_USE_NOTED

    with_store(use)


def test_every_change_is_shown_to_who_asked() -> None:
    seen: list[Directory] = []

    async def main() -> None:
        store = DirectoryStore(MemoryDatabase(), changed=seen.append)
        await store.load()
        await store.add_extension(extension())
        await store.add_trunk(trunk())
        with pytest.raises(NotFound):
            await store.remove_token("x")

    run(main())
    assert [(len(d.extensions()), len(d.trunks())) for d in seen] == [(0, 0), (1, 0), (1, 1)]
