"""A real PostgreSQL server: texts in, texts out, nothing written; and what is said without one."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator, Mapping

import pytest

from pbx.errors import Refused
from pbx.outside.breaker import Unavailable
from pbx.outside.postgresql import PostgresqlServer
from tests.kit.postgresql import PostgresqlCluster, postgresql

real = pytest.mark.interop("postgres", "asyncpg")


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresqlCluster]:
    with postgresql() as cluster:
        cluster.run(
            "CREATE TABLE orders (no bigint, status text, eta date, price numeric(9,2), paid bool,"
            " share real, at timestamptz, id uuid);"
            "INSERT INTO orders VALUES (202600123, '已发货', '2026-09-30', 1.10, true, 0.5,"
            " '2026-09-28 10:00+08', '6b1f0b7c-0000-4000-8000-000000000001'),"
            " (7, NULL, NULL, NULL, false, NULL, NULL, NULL);"
            "CREATE SEQUENCE counter; CREATE USER reader; GRANT SELECT ON orders TO reader"
        )
        yield cluster


def ask(
    cluster: PostgresqlCluster,
    query: str,
    parameters: Mapping[str, str] | None = None,
    user: str = "postgres",
) -> dict[str, object] | None:
    async def main() -> dict[str, object] | None:
        server = PostgresqlServer(cluster.url(user))
        try:
            row = await server.first_row(query, parameters or {})
            return None if row is None else dict(row)
        finally:
            await server.close()

    return asyncio.run(main())


@real
def test_a_row_is_texts_as_the_server_writes_them(cluster: PostgresqlCluster) -> None:
    query = "SELECT status, eta, price, paid, share, id FROM orders WHERE no = :no AND no < :most"
    assert ask(cluster, query, {"no": "202600123", "most": "999999999"}, "reader") == {
        "status": "已发货",
        "eta": "2026-09-30",
        "price": "1.10",
        "paid": "t",
        "share": "0.5",
        "id": "6b1f0b7c-0000-4000-8000-000000000001",
    }


@real
def test_only_the_first_row_counts_and_none_is_none(cluster: PostgresqlCluster) -> None:
    assert ask(cluster, "SELECT no FROM orders ORDER BY no") == {"no": "7"}
    assert ask(cluster, "SELECT no FROM orders WHERE no = :no", {"no": "8"}) is None
    assert ask(cluster, "SELECT status FROM orders WHERE no = :no", {"no": "7"}) == {"status": None}


@real
@pytest.mark.parametrize("value", ["' OR '1'='1", "'; DROP TABLE orders; --", "$1", ":no"])
def test_a_value_is_never_sql(cluster: PostgresqlCluster, value: str) -> None:
    assert ask(cluster, "SELECT no FROM orders WHERE status = :s", {"s": value}) is None
    assert cluster.ask("SELECT count(*) FROM orders") == "2"


@real
def test_a_value_that_does_not_fit_is_refused_without_being_repeated(
    cluster: PostgresqlCluster,
) -> None:
    with pytest.raises(Refused, match="does not fit") as caught:
        ask(cluster, "SELECT no FROM orders WHERE no = :no", {"no": "secret1234"})
    assert "1234" not in str(caught.value)


@real
@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING no) SELECT no FROM gone",
        "SELECT nextval('counter')",
        "SELECT no FROM orders FOR UPDATE",
        "SELECT set_config('transaction_read_only', 'off', false) FROM orders",
        "SELECT 1; DELETE FROM orders",
    ],
)
def test_nothing_is_written(cluster: PostgresqlCluster, query: str) -> None:
    with pytest.raises(Refused, match=r"would write|the database says|computed"):
        ask(cluster, query)
    assert cluster.ask("SELECT count(*) FROM orders") == "2"


@real
def test_nothing_is_committed(cluster: PostgresqlCluster) -> None:
    """Until version 16, lo_create writes in a read-only transaction."""
    with contextlib.suppress(Refused):
        ask(cluster, "SELECT lo_create(0) AS made")
    assert cluster.ask("SELECT count(*) FROM pg_largeobject_metadata") == "0"


@real
def test_a_default_that_a_query_turns_off_gains_nothing(cluster: PostgresqlCluster) -> None:
    async def main() -> None:
        server = PostgresqlServer(cluster.url())
        query = "SELECT set_config('default_transaction_read_only', 'off', false)"
        for _ in range(5):
            await server.first_row(query, {})
            with pytest.raises(Refused, match="would write"):
                await server.first_row("WITH d AS (DELETE FROM orders RETURNING no) SELECT 1", {})
        await server.close()

    asyncio.run(main())
    assert cluster.ask("SELECT count(*) FROM orders") == "2"


@real
def test_a_wrong_query_says_what_is_wrong_with_it(cluster: PostgresqlCluster) -> None:
    with pytest.raises(Refused, match='column "colour" does not exist'):
        ask(cluster, "SELECT colour FROM orders")
    with pytest.raises(Refused, match="permission denied"):
        ask(cluster, "SELECT last_value FROM counter", user="reader")


@real
def test_a_query_ends_when_nobody_waits_for_it(cluster: PostgresqlCluster) -> None:
    async def main() -> None:
        server = PostgresqlServer(cluster.url())
        await server.first_row("SELECT 1", {})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await server.first_row("SELECT pg_sleep(600) /* forgotten */", {})
        active = (
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%forgotten%'"
            " AND pid <> pg_backend_pid() AND state = 'active'"
        )
        while await server.first_row(active, {}) is not None:
            await asyncio.sleep(0)
        await server.close()

    asyncio.run(main())


@real
def test_after_a_restart_of_the_server_lookups_work_again(cluster: PostgresqlCluster) -> None:
    async def main() -> None:
        server = PostgresqlServer(cluster.url())
        assert await server.first_row("SELECT '1' AS a", {}) == [("a", "1")]
        await asyncio.to_thread(cluster.restart)
        found = None
        for _ in range(2):
            try:
                found = await server.first_row("SELECT '1' AS a", {})
            except Unavailable:
                continue
        assert found == [("a", "1")]
        await server.close()

    asyncio.run(main())


def test_a_server_that_is_not_there_is_unavailable() -> None:
    pytest.importorskip("asyncpg")

    async def main() -> None:
        server = PostgresqlServer("postgresql://reader@/shop?host=/nonexistent")
        with pytest.raises(Unavailable, match="gives no answer"):
            await server.first_row("SELECT 1", {})
        await server.close()

    asyncio.run(main())


def test_without_the_driver_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(Refused, match=r"pip install callpbx\[postgresql\]"):
        asyncio.run(PostgresqlServer("postgresql://a@b/c").first_row("SELECT 1", {}))
