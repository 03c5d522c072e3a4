"""A scripted carrier for flow tests: it challenges, takes registrations, and answers calls as told.

carrier = Carrier(house, "198.51.100.7", password="geheim")
house.trunk(carrier.trunk("main", register=True))
carrier.answers = [503]             # what the next calls get; 200 where nothing is said
call = await carrier.called()       # an INVITE that was proved, as a `PhoneCall`
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import Any

from pbx.sip import events as sip
from pbx.sip.digest import Challenge, Credentials, digest_response, make_ha1
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.message import Request
from tests.kit.exchange import House, Trunk
from tests.kit.softphone import PhoneCall, Softphone, Tokens

USER = "8602888886666"


class Carrier(Softphone):
    """A carrier at one address; with a `password` it challenges REGISTER and INVITE."""

    def __init__(
        self, house: House, host: str, *, password: str = "", realm: str = "carrier.example"
    ) -> None:
        super().__init__(
            house.network,
            USER,
            password,
            address=(host, 5060),
            exchange=("192.0.2.1", 5060),
            tokens=Tokens(host),
        )
        house.phones.append(self)
        self.realm = realm
        self.answers: list[int] = []
        """The statuses that the next calls get; afterwards they ring."""
        self.expires = 600
        self.least = 0
        """The shortest registration that is taken; 423 for a shorter one."""
        self.refuses_registering = 0
        """The status that a REGISTER gets; 0 means that it is taken."""
        self.asked: list[Request] = []
        self.registers: list[Request] = []
        self.contact: Uri | None = None
        self._taken: deque[PhoneCall] = deque()
        self._came = asyncio.Event()

    def trunk(self, name: str, **told: Any) -> Trunk:
        """Return the line to this carrier."""
        line = Trunk(name, self.address[0])
        if self.password:
            line = replace(line, username=USER, password=self.password)
        return replace(line, **told)

    async def called(self, within: float = 60.0) -> PhoneCall:
        """Return the next call that was let in."""
        async with asyncio.timeout(within):
            while not self._taken:
                self._came.clear()
                await self._came.wait()
        return self._taken.popleft()

    @property
    def was_called(self) -> bool:
        """Tell whether a call came in that nobody took with `called`."""
        return bool(self._taken)

    def call_in(self, number: str, *, from_: str = "13800138000", token: bool = False) -> PhoneCall:
        """Call a number of the office, at the registered Contact where `token` says so."""
        caller = NameAddr(None, Uri("sip", from_, host=self.address[0]))
        if not token:
            return self.call(number, from_=caller)
        assert self.contact is not None
        call = PhoneCall(self, number, 70)
        call.from_ = caller
        call.body = self.describe()
        call.invite = self.ua.invite(
            self.contact,
            destinations=(self.node.flow_to(self.exchange, self.transport),),
            to=NameAddr(None, Uri("sip", number, host=self.realm)),
            from_=caller,
            body=call.body,
            now=self.now(),
        )
        self.calls[call.invite] = call
        self.node.transmit_soon()
        return call

    def _take(self, event: sip.UserAgentEvent) -> None:
        match event:
            case sip.InviteReceived():
                self.asked.append(event.request)
                if self._lets_in(event):
                    self._call(event)
            case sip.RequestReceived(invite=None) if event.request.method == "REGISTER":
                self.registers.append(event.request)
                if self._lets_in(event):
                    self._register(event)
            case _:
                super()._take(event)

    def _lets_in(self, event: sip.InviteReceived | sip.RequestReceived) -> bool:
        """Tell whether the request is proved; challenge it where it is not."""
        if not self.password or self._proved(event.request):
            return True
        registering = event.request.method == "REGISTER"
        challenge = Challenge(self.realm, f"nonce{len(self.asked) + len(self.registers)}")
        name = "WWW-Authenticate" if registering else "Proxy-Authenticate"
        status = 401 if registering else 407
        headers = ((name, str(challenge)),)
        self.ua.respond(event.transaction, status, headers=headers, now=self.now())
        self.node.transmit_soon()
        return False

    def _proved(self, request: Request) -> bool:
        registering = request.method == "REGISTER"
        text = request.headers.get("Authorization" if registering else "Proxy-Authorization")
        if text is None:
            return False
        given = Credentials.parse(text)
        ha1 = make_ha1(USER, self.realm, self.password).ha1(given.algorithm)
        return given.response == digest_response(given, request.method, ha1)

    def _call(self, event: sip.InviteReceived) -> None:
        call = PhoneCall(self, self.number, 70)
        call.invite, call.request = event.invite, event.request
        call.transaction = event.transaction
        self.calls[event.invite] = call
        status = self.answers.pop(0) if self.answers else 180
        call.respond(status)
        self._taken.append(call)
        self._came.set()

    def _register(self, event: sip.RequestReceived) -> None:
        wanted = event.request.expires or 0
        headers: tuple[tuple[str, str], ...] = ()
        status = self.refuses_registering or 200
        if 0 < wanted < self.least:
            status, headers = 423, (("Min-Expires", str(self.least)),)
        elif status == 200:
            (contact,) = event.request.contacts
            granted = min(wanted, max(self.expires, self.least))
            self.contact = contact.uri if granted else None
            headers = (("Contact", f"{contact};expires={granted}"),)
        self.ua.respond(event.transaction, status, headers=headers, now=self.now())
        self.node.transmit_soon()
