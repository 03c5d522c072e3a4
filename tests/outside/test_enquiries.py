"""Lookups end to end: a plan's lookup, the caller's values, real servers and files, one answer."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pbx.config import AllowedHost, HttpSettings, MailSettings, Settings
from pbx.errors import Refused
from pbx.ivr.world import Answer, Failure, Found, Letter, Nothing
from pbx.outside.breaker import FAILURES, OPEN_S
from pbx.outside.enquiries import Outside
from pbx.plan.model import Lookup
from pbx.plan.text import parse_text
from tests.kit.smtp import MailHost
from tests.kit.web import Asked, Web, reply

LOOPBACK = (AllowedHost("crm.local", ipaddress.ip_network("127.0.0.1/32")),)
SECRETS = {"crm": "tell-nobody"}


async def to_loopback(_host: str) -> Sequence[str]:
    return ["127.0.0.1"]


class Surroundings:
    """An office's outside, with what it told: `now` is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1000.0
        self.alarms: list[str] = []

    def outside(
        self,
        connections: Mapping[str, str] | None = None,
        mail: MailSettings | None = None,
        allow: tuple[AllowedHost, ...] = LOOPBACK,
    ) -> Outside:
        settings = Settings(
            connections=connections or {},
            http=HttpSettings(allow),
            mail=mail or MailSettings(),
            secrets=SECRETS,
        )
        return Outside(
            settings,
            self.folder,
            resolve=to_loopback,
            monotonic=lambda: self.now,
            alarm=self.alarms.append,
        )


@pytest.fixture
def here(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def http(address: str, timeout_s: float = 3.0, **headers: str) -> Lookup:
    texts = {name.replace("_", "-"): parse_text(value) for name, value in headers.items()}
    return Lookup("customer", http=parse_text(address), headers=texts, timeout_s=timeout_s)


def ask(
    here: Surroundings,
    answer: bytes | Callable[[Asked], bytes | Awaitable[bytes]],
    path: str,
    values: Mapping[str, str] | None = None,
    **headers: str,
) -> tuple[Answer, list[Asked]]:
    async def main() -> tuple[Answer, list[Asked]]:
        outside = here.outside()
        async with Web(answer) as web:
            lookup = http(f"http://crm.local:{web.port}{path}", **headers)
            found = await outside.look_up(lookup, values or {})
        await outside.close()
        return found, web.requests

    return asyncio.run(main())


def test_a_customer_is_found(here: Surroundings) -> None:
    answer, (asked,) = ask(
        here,
        reply('{"name": "张三", "level": "vip", "agent": {"number": 1201}}'),
        "/api/by-phone/${caller.number}",
        {"caller.number": "+8613800138000"},
    )
    assert answer == Found({"name": "张三", "level": "vip", "agent.number": "1201"})
    assert asked.line == "GET /api/by-phone/%2B8613800138000 HTTP/1.1"


def test_secrets_go_out_and_never_into_a_sentence(
    here: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    values = {"secret.crm": "made up by a caller"}
    answer, (asked,) = ask(
        here, reply("no", 401), "/?key=${secret.crm}", values, Authorization="Bearer ${secret.crm}"
    )
    assert asked.line == "GET /?key=tell-nobody HTTP/1.1"
    assert asked.headers["authorization"] == "Bearer tell-nobody"
    assert answer == Failure("the server answers 401")
    assert "tell-nobody" not in caplog.text


@pytest.mark.parametrize(
    "value",
    [
        *("../admin", "..", "x/../../admin", "?admin=1", "#", "@evil.example", "%2e%2e/admin"),
        *("a HTTP/1.1\r\nHost: evil\r\n\r\n", "//evil.example/", "\\..\\admin", "\x00"),
        *("${secret.crm}", "{{7*7}}", "${caller.number}", "$(id)", "`id`", "; rm -rf /"),
    ],
)
def test_a_value_only_ever_is_itself(here: Surroundings, value: str) -> None:
    answer, requests = ask(here, reply('{"a": "b"}'), "/in/${digits}/out", {"digits": value})
    if value == "..":
        assert answer == Failure("a value in the path is a way out of its folder")
        assert requests == []
        return
    (asked,) = requests
    method, target, version = asked.line.split(" ")
    assert (method, version) == ("GET", "HTTP/1.1")
    assert target.split("/")[:2] == ["", "in"]
    assert target.split("/")[3:] == ["out"]
    assert asked.headers["host"].startswith("crm.local:")
    assert "tell-nobody" not in asked.line
    assert "49" not in asked.line


def test_an_answer_is_no_template_either(here: Surroundings) -> None:
    body = json.dumps({"name": "${secret.crm}", "level": "{{7*7}}"})
    answer, _ = ask(here, reply(body), "/")
    assert answer == Found({"name": "${secret.crm}", "level": "{{7*7}}"})


def test_a_caller_without_a_number_is_not_asked_for(here: Surroundings) -> None:
    answer, requests = ask(
        here, reply('[{"name": "the first of all"}]'), "/by-phone/${caller.number}"
    )
    assert answer == Nothing("a value in the path is empty")
    assert requests == []


def test_a_host_that_is_not_configured_is_a_failure(here: Surroundings) -> None:
    async def main() -> None:
        outside = here.outside(allow=())
        answer = await outside.look_up(http("https://crm.local/"), {})
        assert answer == Failure("crm.local is not among http: allow in callpbx.yaml; add it there")
        await outside.close()

    asyncio.run(main())


def test_a_lookup_ends_within_its_time(here: Surroundings) -> None:
    async def silence(_: Asked) -> bytes:
        await asyncio.Event().wait()
        return b""

    async def main() -> None:
        outside = here.outside()
        async with Web(silence) as web:
            lookup = http(f"http://crm.local:{web.port}/", timeout_s=0.02)
            assert await outside.look_up(lookup, {}) == Failure("no answer in time")
        await outside.close()

    asyncio.run(main())


def test_a_dead_server_is_left_alone_then_tried(here: Surroundings) -> None:
    answers = [reply("", 503)] * (FAILURES + 1) + [reply('{"a": "b"}')] * 2

    async def main() -> None:
        outside = here.outside()
        async with Web(lambda _: answers.pop(0)) as web:
            lookup = http(f"http://crm.local:{web.port}/")
            for _ in range(FAILURES):
                assert await outside.look_up(lookup, {}) == Failure("the server answers 503")
            alone = await outside.look_up(lookup, {})
            assert isinstance(alone, Failure)
            assert "failed 5 times in a row and is left alone" in alone.reason
            assert len(web.requests) == FAILURES
            here.now += OPEN_S
            assert await outside.look_up(lookup, {}) == Failure("the server answers 503")
            assert "left alone" in str(await outside.look_up(lookup, {}))
            here.now += OPEN_S
            for _ in range(2):
                assert await outside.look_up(lookup, {}) == Found({"a": "b"})
        await outside.close()

    asyncio.run(main())


def test_what_one_caller_keys_opens_no_circuit(here: Surroundings) -> None:
    async def main() -> None:
        outside = here.outside()
        async with Web(lambda asked: reply("{}", 400 if "bad" in asked.line else 404)) as web:
            lookup = http(f"http://crm.local:{web.port}/${{digits}}")
            for _ in range(FAILURES * 2):
                assert isinstance(await outside.look_up(lookup, {"digits": "bad"}), Failure)
            assert isinstance(await outside.look_up(lookup, {"digits": "1"}), Nothing)
        await outside.close()

    asyncio.run(main())


def test_a_defect_is_a_failure(here: Surroundings, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: str) -> Sequence[str]:
        raise KeyError("tell-nobody")

    async def main() -> None:
        settings = Settings(http=HttpSettings(LOOPBACK))
        outside = Outside(
            settings, here.folder, resolve=broken, monotonic=lambda: 0.0, alarm=here.alarms.append
        )
        answer = await outside.look_up(http("http://crm.local/"), {})
        assert answer == Failure("callpbx failed; its log says where")
        await outside.close()

    asyncio.run(main())
    assert "lookup customer failed" in caplog.text


def test_an_order_is_found_in_a_file_of_the_office(here: Surroundings) -> None:
    with contextlib.closing(sqlite3.connect(here.folder / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE orders (no TEXT, status TEXT, eta TEXT)")
        shop.execute("INSERT INTO orders VALUES ('202600123', '已发货', '2026-09-30')")
    query = "SELECT status, eta FROM orders WHERE no = :no"
    order = Lookup("order", sql="shop", query=query, parameters={"no": "order_no"})

    async def main() -> None:
        for url in ("sqlite:///shop.db", f"sqlite:///{here.folder}/shop.db"):
            outside = here.outside({"shop": url})
            found = await outside.look_up(order, {"order_no": "202600123"})
            assert found == Found({"status": "已发货", "eta": "2026-09-30"})
            assert await outside.look_up(order, {"order_no": "' OR 1=1 --"}) == Nothing()
            unasked = Nothing("every value of the query is empty")
            assert await outside.look_up(order, {}) == unasked
            await outside.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("sql", "query", "sentence"),
    [
        ("shop", "SELECT 1", 'connection "shop" is not in callpbx.yaml; add it there'),
        ("gone", "SELECT 1", "there is no file gone.db"),
        ("gone", "DELETE FROM orders", "the query is no SELECT"),
        ("gone", "SELECT :no", "the query's :no has no value; name it under with"),
    ],
)
def test_a_database_that_cannot_be_asked_is_a_failure(
    here: Surroundings, sql: str, query: str, sentence: str
) -> None:
    async def main() -> None:
        outside = here.outside({"gone": "sqlite:///gone.db"})
        assert await outside.look_up(Lookup("x", sql=sql, query=query), {}) == Failure(sentence)
        await outside.close()

    asyncio.run(main())


def posted(
    here: Surroundings, answers: list[bytes], letter: Callable[[int], Letter]
) -> list[Asked]:
    async def main() -> list[Asked]:
        outside = here.outside()
        async with Web(lambda _: answers.pop(0)) as web:
            outside.send(letter(web.port))
            await outside.idle()
        await outside.close()
        return web.requests

    return asyncio.run(main())


def webhook(port: int, body: str = "", path: str = "/hook") -> Letter:
    url = parse_text(f"http://crm.local:{port}{path}")
    fields = {"caller.number": '1"}', "secret.crm": "x", "digits": "../x", "pin": "1234"}
    secret = frozenset({"pin"})
    return Letter("webhook", url=url, subject="Fire", body=body, fields=fields, secret=secret)


def test_a_webhook_posts_its_text_or_all_values(here: Surroundings) -> None:
    (asked,) = posted(here, [reply()], lambda port: webhook(port, "at once"))
    assert json.loads(asked.body) == {"text": "at once", "subject": "Fire"}
    (asked,) = posted(here, [reply("", 204)], webhook)
    assert json.loads(asked.body) == {"caller.number": '1"}', "digits": "../x"}
    assert here.alarms == []


def test_a_webhook_is_posted_twice_at_most(here: Surroundings) -> None:
    assert len(posted(here, [reply("", 500), reply()], webhook)) == 2
    assert here.alarms == []
    assert len(posted(here, [reply("", 500)] * 3, webhook)) == 2
    assert here.alarms == ["webhook to crm.local was not sent: crm.local answers 500"]


def test_a_webhook_that_is_refused_is_not_repeated(here: Surroundings) -> None:
    assert len(posted(here, [reply("", 302, location="http://127.0.0.1/")], webhook)) == 1
    assert here.alarms == ["webhook to crm.local was not sent: crm.local answers 302"]


def test_a_value_in_a_webhooks_address_is_one_segment(here: Surroundings) -> None:
    (asked,) = posted(
        here, [reply()], lambda port: webhook(port, path="/${digits}?k=${secret.crm}")
    )
    assert asked.line == "POST /..%2Fx?k=tell-nobody HTTP/1.1"


def test_what_cannot_be_sent_is_an_alarm(here: Surroundings) -> None:
    async def main() -> None:
        outside = here.outside(allow=())
        outside.send(Letter("mail", to="a@b.example"))
        outside.send(Letter("webhook"))
        outside.send(webhook(80))
        await outside.idle()
        with pytest.raises(Refused, match="no mail can be sent"):
            await outside.mail("a@b.example", "", "")
        await outside.close()

    asyncio.run(main())
    assert [alarm.partition(":")[0] for alarm in here.alarms] == [
        "mail of a dialplan was not sent",
        "webhook of a dialplan was not sent",
        "webhook to crm.local was not sent",
    ]


def test_a_voicemail_goes_out_with_its_sound(here: Surroundings) -> None:
    async def main() -> None:
        sound = here.folder / "m.wav"
        sound.write_bytes(b"RIFF")
        async with MailHost() as host:
            mail = MailSettings(f"127.0.0.1:{host.port}", "pbx@caoyuan.example")
            outside = here.outside(mail=mail)
            await outside.mail("kefu@caoyuan.example", "留言", "13800138000", sound)
            await outside.idle()
            await outside.close()
            (letter,) = host.letters
            assert [each.get_filename() for each in letter.message.iter_attachments()] == ["m.wav"]

    asyncio.run(main())
    assert here.alarms == []
