"""A phone with a lamp for waiting messages: it registers, subscribes, and answers NOTIFY as told.

It speaks SIP by hand, without our user agent, which is never a subscriber. It sends by UDP and
nothing again; what it was told is in `told`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pbx.sip.digest import Challenge, answer
from pbx.sip.flow import Flow
from pbx.sip.message import Request, Response, parse_message
from tests.kit.exchange import EXCHANGE, House
from tests.kit.network import Node

Fields = Sequence[tuple[str, str]]


class LampPhone(Node):
    """One phone of one extension; `answers` says how it takes a NOTIFY: a status, 0 for silence."""

    def __init__(self, house: House, number: str, *, host: str) -> None:
        if number not in house.directory.extensions:
            house.add(number)
        super().__init__(house.network, (host, 5060), house.ua, lambda: None)
        self.number = number
        self.answers: Callable[[Request], int] = lambda notify: 200
        self.told: list[Request] = []
        self.tag = ""
        self.call_id = "register"
        self._subscribed = False
        self._count = 0
        self._asked: dict[int, asyncio.Future[Response]] = {}

    # -- what the phone does -----------------------------------------------------------------

    async def register(self, *, expires: int = 3600) -> int:
        """Register; return the final status."""
        contact = f"<sip:{self.number}@{self.address[0]}:{self.address[1]}>"
        fields = [("Contact", contact), ("Expires", str(expires))]
        return (await self.ask("REGISTER", "", fields, call_id=self.call_id)).status

    async def subscribe(
        self,
        box: str | None = None,
        *,
        expires: int = 3600,
        password: str | None = None,
        fields: Fields = (("Event", "message-summary"),),
    ) -> Response:
        """Subscribe to a box, its own where none is named, or refresh; return the final answer."""
        self._subscribed = True  # its first NOTIFY may come before the 200
        contact = ("Contact", f"<sip:{self.number}@{self.address[0]}>")
        fields = [contact, ("Expires", str(expires)), *fields]
        box = box or self.number
        response = await self.ask(
            "SUBSCRIBE", box, fields, call_id="lamp", password=password, tag=self.tag
        )
        if response.status == 200:
            self.tag = response.to_tag or ""
        return response

    def restart(self) -> None:
        """Forget everything, as a phone does that is switched off and on."""
        self.tag = ""
        self.call_id += "+"
        self._subscribed = False

    async def ask(
        self,
        method: str,
        user: str,
        fields: Fields = (),
        *,
        call_id: str,
        password: str | None = None,
        tag: str = "",
    ) -> Response:
        """Send a request, answering a challenge once; return the final response."""
        response = await self._send(method, user, fields, call_id, tag)
        if response.status == 401 and password != "":
            challenge = Challenge.parse(response.headers.get_all("WWW-Authenticate")[0])
            proof = answer(
                challenge,
                username=self.number,
                password=password or f"pw{self.number}",
                method=method,
                uri=_uri(user),
                cnonce="0a4f113b",
            )
            proven = [*fields, ("Authorization", str(proof))]
            response = await self._send(method, user, proven, call_id, tag)
        return response

    async def _send(
        self, method: str, user: str, fields: Fields, call_id: str, tag: str
    ) -> Response:
        self._count += 1
        aor = f"<sip:{self.number}@{EXCHANGE[0]}>"
        via = f"SIP/2.0/UDP {self.address[0]}:{self.address[1]};rport"
        request = Request(
            method,
            _uri(user),
            [
                ("Via", f"{via};branch=z9hG4bK{self.address[0]}-{self._count}"),
                ("Max-Forwards", "70"),
                ("From", f"{aor};tag=phone"),
                ("To", f"{aor};tag={tag}" if tag else aor),
                ("Call-ID", f"{call_id}@{self.address[0]}"),
                ("CSeq", f"{self._count} {method}"),
                *fields,
            ],
        )
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._asked[self._count] = future
        self.network.carry(bytes(request), self.flow_to(EXCHANGE))
        return await future

    # -- what comes --------------------------------------------------------------------------

    def arrived(self, octets: bytes, flow: Flow) -> None:
        """Take what the network delivers."""
        message = parse_message(octets)
        if isinstance(message, Response):
            future = self._asked.pop(message.cseq.number, None)
            if future is not None:
                future.set_result(message)
            return
        status = 200
        if message.method == "NOTIFY":
            self.told.append(message)
            status = self.answers(message)
            if status == 200 and message.to_tag and not self._subscribed:
                status = 481  # it has forgotten that it ever subscribed
        if status:
            self.network.carry(bytes(Response.answering(message, status)), flow)

    # -- what the person sees ----------------------------------------------------------------

    @property
    def asked_for(self) -> list[bool]:
        """Return of each NOTIFY whether it came in a subscription."""
        return [notify.to_tag is not None for notify in self.told]

    @property
    def states(self) -> list[str]:
        """Return the Subscription-State of each NOTIFY."""
        return [notify.headers.get("Subscription-State") or "" for notify in self.told]

    @property
    def shown(self) -> list[str]:
        """Return the new and old messages that each NOTIFY told of, as `2/8`."""
        return [notify.body.decode().split("Voice-Message: ")[1].split()[0] for notify in self.told]

    @property
    def lamp(self) -> bool | None:
        """Tell whether the lamp is on; None before it was told anything."""
        return b"Messages-Waiting: yes" in self.told[-1].body if self.told else None


def _uri(user: str) -> str:
    return f"sip:{user}@{EXCHANGE[0]}" if user else f"sip:{EXCHANGE[0]}"


def lamp_phones(house: House, *numbers: str) -> list[LampPhone]:
    """Return a phone for each number, each at an address of its own."""
    return [
        LampPhone(house, number, host=f"192.0.2.{100 + count}")
        for count, number in enumerate(numbers)
    ]
