"""An office, the carrier that its line leads to, and phones on both sides: on duty at their desks,
and customers beyond the carrier.

    with Town(folder) as town:
        agent, customer = town.talk(CUSTOMER, AGENT)
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from tests.kit.agents import add_agents
from tests.kit.office import Record, TestedOffice, eventually
from tests.kit.phones.kamailio import ACCOUNT, PASSWORD, SERVER, CameBy, Kamailio
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.phones.talker import Talker, wait_for

NUMBER: Final = "02888886666"
"""The number of the office."""

CUSTOMER: Final = "13800138000"
OTHER: Final = "13900139000"
"""Numbers beyond the carrier."""

AGENT: Final = "101"
COLLEAGUE: Final = "102"
IN_QUEUE: Final = "103"
"""Extensions; the last one serves the queue 400."""

TONES: Final = {AGENT: 430, COLLEAGUE: 560, IN_QUEUE: 690, CUSTOMER: 820, OTHER: 950}

CODECS: Final = {COLLEAGUE: "PCMA", OTHER: "PCMA"}
"""All others prefer PCMU, so that a customer's codec changes on the way to one of these."""

DIALPLAN: Final = f"""\
version: 1
numbers: {{"{NUMBER}": "ext:{AGENT}", "400": queue:service}}
outbound:
  emergency: {{match: [110], trunks: [main], emergency: yes}}
  national: {{match: ["1"], trunks: [main]}}
queues:
  service: {{skills: {{service: 1}}, wrap_up: 0s, whisper: no, if_no_agents: hangup}}
"""


class Town:
    """An office with a registered line, its carrier, and the phones of `TONES`, from `with` to its
    end."""

    def __init__(self, folder: Path) -> None:
        self.office = TestedOffice(folder / "office", dialplan=DIALPLAN)
        self.carrier = Kamailio(folder / "carrier")
        self.phones: dict[str, SoftPhone] = {}
        self._folder = folder
        self._stack = ExitStack()
        self._calls = 0
        self._came_by = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.office)
            stack.enter_context(self.carrier)
            with ThreadPoolExecutor() as threads:
                begun = {n: threads.submit(self._start, stack, n) for n in TONES}
                self.office.start()
                self._add_line()
                add_agents(self.office, {IN_QUEUE: {"service": 5}})
            self.phones = {number: phone.result() for number, phone in begun.items()}
            self._register()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def quit(self) -> None:
        """Let all phones leave, and wait until they have."""
        for phone in self.phones.values():
            phone.quit()
        for phone in self.phones.values():
            phone.close()

    def _start(self, stack: ExitStack, number: str) -> SoftPhone:
        codecs = CODECS.get(number, "PCMU,PCMA")
        return stack.enter_context(SoftPhone(f"phone-{number}", self._folder, codecs=codecs))

    def _add_line(self) -> None:
        """Give the office its line, and wait until it is registered."""
        line = {
            "name": "main",
            "server": f"sip:{SERVER}",
            "username": ACCOUNT,
            "password": PASSWORD,
            "register": True,
            "numbers": [NUMBER],
        }
        office = self.office
        with office.api() as api:
            api.post("/trunks", json=line).raise_for_status()
        eventually(lambda: office.ask("trunk", "list")[0]["state"]["registered"], bool, timeout=20)

    def _register(self) -> None:
        for number, phone in self.phones.items():
            if number in (CUSTOMER, OTHER):
                phone.register(f"sip:{number}@{SERVER}", PASSWORD)
            else:
                phone.register(self.uri(number), self.office.passwords[number])

    # -- one test after the other ------------------------------------------------------------

    def begin(self) -> None:
        """Forget what was before: `requests` and `records` are those from now on."""
        self._came_by = len(self.carrier.requests())
        self._calls = len(self.office.ask("cdr", "list", "--limit", "100"))

    def clear(self) -> None:
        """End every call that goes on."""
        for call in self.office.ask("calls"):
            self.office.run("hangup", call["id"])
        eventually(lambda: self.office.ask("calls"), lambda calls: not calls)

    def requests(self) -> list[CameBy]:
        """Return what the carrier saw."""
        return self.carrier.requests()[self._came_by :]

    def records(self, count: int) -> list[Record]:
        """Return the records, newest first, once there are `count`; more is an error."""
        return self.office.records(self._calls + count)[:count]

    # -- what people do ----------------------------------------------------------------------

    def uri(self, number: str) -> str:
        """Return how the office's phones dial a number."""
        return self.office.uri(number)

    def dial(self, caller: str, number: str) -> SoftCall:
        """Let a phone call a number by its own server."""
        outside = caller in (CUSTOMER, OTHER)
        return self.phones[caller].dial(f"sip:{number}@{SERVER}" if outside else self.uri(number))

    def answer(self, number: str) -> Talker:
        """Let a phone answer and speak."""
        call = self.phones[number].incoming()
        call.answer()
        call.wait("confirmed")
        return Talker(call, TONES[number])

    def talk(self, caller: str, called: str) -> tuple[Talker, Talker]:
        """Let the agent and somebody outside talk, whoever of them calls; return them so."""
        call = self.dial(caller, NUMBER if called == AGENT else called)
        answered = self.answer(called)
        call.wait("confirmed")
        calling = Talker(call, TONES[caller])
        wait_for({calling: {answered}, answered: {calling}})
        return (calling, answered) if caller == AGENT else (answered, calling)
