"""The worked example, word for word, called by real phones.

Each prompt is a tone of its own in each language, so that what a phone hears tells where it is. The
customer look-up asks a real HTTPS server, the order look-up a real SQLite file; the server believes
in the date that the test wants.
"""

from __future__ import annotations

import json
import sqlite3
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

import pytest

from tests.interop.conftest import Phones, assert_stopped_properly
from tests.kit.callers import Caller, Marks, marked_prompts
from tests.kit.certificates import Authority
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.pjsua import SoftPhone
from tests.kit.recordings import sides_of
from tests.kit.tones import heard

EXAMPLE = Path(__file__).parents[3] / "shared" / "dialplan.example.yaml"

FRONT_DOOR = "4008001234"
SPOKEN_HZ = 1_000
"""What callers say: between the tones of two prompts."""

MONDAY = "2026-09-28 02:00:00"  # UTC: 10:00 in Shanghai
NIGHT = "2026-09-28 14:00:00"
HOLIDAY = "2026-10-01 01:30:00"

PROMPTS = (
    *("welcome", "main_menu", "languages", "enter_order", "order_is", "no_order"),
    *("closed", "holiday"),
)
FILES = ("en/main.wav", "en/wait.wav", "en/rate.wav")
"""Sounds that the example wants and that are no mark."""

PHRASES = (
    *("invalid-key", "all-agents-busy", "message-saved", "please-wait", "goodbye"),
    *("enter-mailbox", "enter-pin", "wrong-pin", "message-deleted"),
)

CUSTOMERS = {
    "101": {"name": "张三", "level": "normal", "lang": "zh", "last_agent": ""},
    "102": {"name": "李四", "level": "vip", "lang": "yue", "last_agent": "103"},
    "103": {"name": "王五", "level": "normal", "lang": "en", "last_agent": ""},
    "104": {"name": "赵六", "level": "blocked", "lang": "zh", "last_agent": ""},
}


class Crm(BaseHTTPRequestHandler):
    """Knows customers by their number."""

    asked: list[str] = []

    def do_GET(self) -> None:
        """Answer with the customer, or 404."""
        number = self.path.rpartition("/")[2]
        self.asked.append(self.path)
        customer = CUSTOMERS.get(number)
        body = json.dumps(customer).encode()
        self.send_response(404 if customer is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def crm(folder: Path) -> Iterator[Path]:
    """Run the customers' server on 127.0.0.1:443; yield the certificate to trust."""
    files = Authority(folder).issue("crm.local")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    server = ThreadingHTTPServer(("127.0.0.1", 443), Crm)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        assert files.ca is not None
        yield files.ca
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Example:
    """The office of the example, at some time."""

    def __init__(self, office: TestedOffice, marks: Marks) -> None:
        self.office = office
        self.marks = marks

    def call(self, phone: SoftPhone, number: str = FRONT_DOOR, *, hz: int = 0) -> Caller:
        """Let a phone call the front door."""
        call = phone.dial(self.office.uri(number))
        call.wait("confirmed")
        return Caller(call, self.marks, hz=hz)

    def path(self) -> list[str]:
        """Return the way of the only call, once its record is there."""
        path: list[str] = self.office.record()["path"]
        return path


class ExampleMaker(Protocol):
    """Makes the example's office, serving."""

    def __call__(self, clock: str) -> Example:
        """Let it believe that it is `clock` (UTC)."""


@pytest.fixture
def example(make_office: OfficeMaker, tmp_path: Path) -> Iterator[ExampleMaker]:
    """Return what serves the example at a time; the server must come through the test unharmed."""
    if not EXAMPLE.exists():
        pytest.skip("../shared/dialplan.example.yaml is not here")
    orders = tmp_path / "orders.db"
    with closing(sqlite3.connect(orders)) as database, database:
        database.execute("CREATE TABLE orders (no TEXT PRIMARY KEY, status TEXT, eta TEXT)")
        database.execute("INSERT INTO orders VALUES ('202600123', '已发货', '2026-09-30')")
    made: list[TestedOffice] = []
    with crm(tmp_path) as ca:

        def at(clock: str) -> Example:
            office = make_office(
                dialplan=EXAMPLE.read_text(),
                clock=clock,
                settings={
                    "connections": {"shop": f"sqlite:///{orders}"},
                    "http": {"allow": [{"host": "crm.local", "address": "127.0.0.1/32"}]},
                },
            )
            made.append(office)
            office.environment["SSL_CERT_FILE"] = str(ca)
            names = [f"{each}/{name}" for name in PROMPTS for each in ("zh", "yue", "en")]
            names += [f"zh/{name}" for name in PHRASES] + ["yue/all-agents-busy"]
            marks = marked_prompts(office.folder, names)
            for path in FILES:
                sound = (office.folder / "sounds/en/welcome.wav").read_bytes()
                (office.folder / "sounds" / path).write_bytes(sound)
            office.start()
            return Example(office, marks)

        yield at
        for office in made:
            assert_stopped_properly(office)


@pytest.mark.interop("pjsua2", "faketime")
def test_a_customer_asks_for_an_order_and_changes_the_language(
    example: ExampleMaker, phones: Phones
) -> None:
    shown = example(MONDAY)
    phone = phones.pjsua(shown.office, "101")
    caller = shown.call(phone)
    caller.hears("zh/welcome", "zh/main_menu")
    assert "/api/by-phone/101" in Crm.asked
    caller.presses("1")
    caller.hears("zh/enter_order")
    caller.presses("202600123#", method="info")
    caller.hears("zh/order_is")
    caller.hears("zh/welcome")
    caller.presses("1")
    caller.hears("zh/enter_order")
    caller.presses("999999#")
    caller.hears("zh/no_order", "zh/welcome", "zh/main_menu")
    caller.presses("8")
    caller.hears("zh/languages")
    caller.presses("3")
    caller.hears("en/welcome", "en/main_menu")
    caller.presses("8")
    caller.presses("2")
    caller.hears("yue/welcome")
    caller.call.hang_up()
    assert shown.path() == [
        f"numbers:{FRONT_DOOR}",
        "menu:main:1",
        "menu:main:1",
        "menu:main:8",
        "menu:language:3",
        "menu:main:8",
        "menu:language:2",
        "menu:main",
    ]
    record = shown.office.record()
    assert record["tags"] == ["self_service_done"]
    assert record["dialplan_version"]


@pytest.mark.interop("pjsua2", "faketime")
def test_a_vip_goes_to_the_queue_at_once_and_leaves_a_message(
    example: ExampleMaker, phones: Phones
) -> None:
    shown = example(MONDAY)
    phone = phones.pjsua(shown.office, "102")
    caller = shown.call(phone, hz=SPOKEN_HZ)
    caller.hears("yue/all-agents-busy", "zh/closed")
    time.sleep(4.0)  # what is said until # is the message
    caller.presses("#")
    caller.call.wait("disconnected", timeout=15)
    record = shown.office.record()
    assert record["path"] == [f"numbers:{FRONT_DOOR}", "queue:service", "voicemail:service"]
    assert record["result"] == "voicemail"
    (message,) = shown.office.ask("voicemail", "list", "service")
    copy = shown.office.folder / "message.wav"
    shown.office.cli("voicemail", "export", message["id"], str(copy))
    (sound,) = sides_of(copy)
    assert heard(sound.part(1.0, 2.5), (SPOKEN_HZ, 690)) == {SPOKEN_HZ}


@pytest.mark.interop("pjsua2", "faketime")
def test_a_message_is_heard_by_phone_with_the_pin(example: ExampleMaker, phones: Phones) -> None:
    shown = example(NIGHT)
    shown.office.cli("voicemail", "set", "service", "--pin", "2580")
    leaver, owner = phones.at_once(
        lambda: phones.pjsua(shown.office, "101"), lambda: phones.pjsua(shown.office, "103")
    )
    assert isinstance(leaver, SoftPhone)
    assert isinstance(owner, SoftPhone)
    caller = shown.call(leaver, hz=SPOKEN_HZ)
    caller.hears("zh/closed", "zh/closed")  # the flow says so, then the box
    time.sleep(4.0)
    caller.call.hang_up()
    eventually(lambda: shown.office.ask("voicemail", "list", "service"), bool)
    listener = shown.call(owner, "*98")
    listener.hears("zh/enter-mailbox")
    listener.presses("7378423#")  # "service" as the letters stand on the keys
    listener.hears("zh/enter-pin")
    listener.presses("1111#")
    listener.hears("zh/wrong-pin")
    listener.presses("2580#")
    listener.hears_tone(SPOKEN_HZ, within=15)
    listener.presses("7")
    listener.hears("zh/message-deleted")
    listener.call.hang_up()
    eventually(lambda: shown.office.ask("voicemail", "list", "service"), lambda found: not found)


@pytest.mark.interop("pjsua2", "faketime")
def test_on_a_holiday_there_is_another_menu(example: ExampleMaker, phones: Phones) -> None:
    shown = example(HOLIDAY)
    rung, phone = phones.at_once(
        lambda: phones.pjsua(shown.office, "103"), lambda: phones.pjsua(shown.office, "101")
    )
    assert isinstance(phone, SoftPhone)
    del rung
    caller = shown.call(phone)
    caller.hears("zh/holiday")
    caller.presses("7")
    caller.hears("zh/invalid-key", "zh/holiday")
    caller.presses("2")
    caller.hears("zh/closed")
    caller.call.hang_up()
    assert shown.path() == [f"numbers:{FRONT_DOOR}", "menu:holiday:2", "voicemail:service"]


@pytest.mark.interop("pjsua2", "faketime")
def test_a_blocked_customer_is_hung_up_and_the_day_night_key_opens_the_office(
    example: ExampleMaker, phones: Phones
) -> None:
    shown = example(NIGHT)
    blocked, phone = phones.at_once(
        lambda: phones.pjsua(shown.office, "104"), lambda: phones.pjsua(shown.office, "101")
    )
    assert isinstance(blocked, SoftPhone)
    assert isinstance(phone, SoftPhone)
    blocked.dial(shown.office.uri(FRONT_DOOR)).wait("disconnected", timeout=10)
    key = phone.dial(shown.office.uri("*28"))
    key.wait("disconnected", timeout=15)
    caller = shown.call(phone)
    caller.hears("zh/welcome", "zh/main_menu")
    caller.call.hang_up()
    shown.office.records(3)


@pytest.mark.interop("pjsua2", "faketime")
def test_a_phone_without_telephone_events_keys_by_tones_and_whoever_is_silent_gives_up(
    example: ExampleMaker, phones: Phones
) -> None:
    shown = example(MONDAY)
    phone = phones.pjsua(shown.office, "103", events=False, codecs="PCMA")
    caller = shown.call(phone)
    caller.hears("en/welcome", "en/main_menu")
    caller.presses("8", method="tones")
    caller.hears("zh/languages")  # there is no English text of it
    caller.presses("1", method="tones")
    caller.hears("zh/welcome", "zh/main_menu")
    again = ("zh/main_menu",) * 2
    caller.hears(*again, "zh/all-agents-busy", "zh/closed", within=40)
    caller.call.hang_up()
    assert shown.path()[-3:] == ["menu:main:give_up", "queue:service", "voicemail:service"]
