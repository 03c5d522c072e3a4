"""REGISTER from the wire to the database, and whether registered phones still answer.

The registrar decides (pure), the store keeps, and only then the 200 goes out. A store that cannot
write costs no phone its line: the binding then lives in memory, and an alarm says so. Every second
the bindings that are due get an OPTIONS; its round-trip time is kept, two without an answer within
10 s make a phone unreachable. An extension that leaves the directory loses its bindings, and
nothing else: its calls go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from pbx.call.admission import RETRY_AFTER, Admission, DirectoryLookup, Refusal
from pbx.call.message_waiting import MessageWaiting
from pbx.errors import CallpbxError
from pbx.sip.events import RequestAnswered, RequestFailed, RequestId, RequestReceived
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.registrar import QUALIFY_PATIENCE, Binding, Registrar, Registration
from pbx.sip.user_agent import UserAgent

log = logging.getLogger(__name__)

MAX_WAITING = 5_000
"""REGISTERs that may wait for the store at once; further ones get 503 and come again."""


class BindingKeeper(Protocol):
    """Where bindings survive a restart."""

    async def save(self, upserts: Sequence[Binding], removals: Sequence[Binding]) -> None:
        """Write both in one transaction; durable when it returns. Raises CallpbxError."""


class Registrations:
    """Lets phones in and watches over them."""

    def __init__(
        self,
        ua: UserAgent,
        *,
        admission: Admission,
        registrar: Registrar,
        directory: DirectoryLookup,
        keeper: BindingKeeper,
        message_waiting: MessageWaiting,
        transmit_soon: Callable[[], None],
        now: Callable[[], float],
        alarm: Callable[[str], None],
    ) -> None:
        self._ua = ua
        self._admission = admission
        self._registrar = registrar
        self._directory = directory
        self._keeper = keeper
        self._message_waiting = message_waiting
        self._transmit_soon = transmit_soon
        self._now = now
        self._alarm = alarm
        self._tasks: set[asyncio.Task[None]] = set()
        self._probes: dict[RequestId, tuple[Binding, float]] = {}

    def receive(self, event: RequestReceived) -> Refusal | None:
        """Act on a REGISTER; a Refusal is for the caller to send."""
        now = self._now()
        request = event.request
        user = self._admission.authenticate(request, event.flow, now)
        if isinstance(user, Refusal):
            return user
        if request.to.uri.number != user or self._directory.extension(user) is None:
            return Refusal(403)
        if len(self._tasks) >= MAX_WAITING:
            return Refusal(503, RETRY_AFTER)
        registration = self._registrar.register(request, user, event.flow, now)
        if registration.upserts or registration.removals:
            self._start(self._keep(event, registration))
        else:
            self._answer(event, registration)
        return None

    def expire(self) -> None:
        """Forget bindings whose time is over."""
        gone = self._registrar.expire(self._now())
        if gone:
            self._start(self._save((), gone))

    def directory_changed(self) -> None:
        """Forget the bindings and subscriptions of extensions that are no more."""
        self._message_waiting.directory_changed()
        numbers = {binding.aor for binding in self._registrar.all(self._now())}
        gone: list[Binding] = []
        for number in sorted(numbers):
            if self._directory.extension(number) is None:
                gone += self._registrar.remove(number)
        if gone:
            self._start(self._save((), gone))

    def qualify(self) -> None:
        """Send OPTIONS to the bindings whose turn it is; give up those without an answer."""
        now = self._now()
        self._give_up(now)
        for binding in self._registrar.due_for_qualify(now):
            ours = Uri("sip", "callpbx", None, binding.flow.local[0])
            probe = self._ua.send(
                "OPTIONS",
                binding.contact,
                destinations=(binding.flow,),
                to=NameAddr(None, binding.contact),
                from_=NameAddr(None, ours),
                route=binding.path,
                now=now,
            )
            self._probes[probe] = (binding, now)
        self._transmit_soon()

    def answered(self, event: RequestAnswered) -> None:
        """Note a phone's answer to our OPTIONS; without effect when the request was another."""
        probe = self._probes.pop(event.request_id, None)
        if probe is not None:
            binding, sent_at = probe
            now = self._now()
            changed = self._registrar.qualified(binding, (now - sent_at) * 1000.0, now)
            if changed is not None:  # it is back
                self._message_waiting.registered(changed)

    def failed(self, event: RequestFailed) -> None:
        """Note that a phone did not answer; without effect when the request was another."""
        probe = self._probes.pop(event.request_id, None)
        if probe is not None:
            self._registrar.qualified(probe[0], None, self._now())

    def _give_up(self, now: float) -> None:
        """Count what waits for too long as not answered; an answer that comes after all is none.

        Probes stand in the order in which they were sent.
        """
        late = []
        for probe, (_, sent_at) in self._probes.items():
            if sent_at > now - QUALIFY_PATIENCE:
                break
            late.append(probe)
        for probe in late:
            self._registrar.qualified(self._probes.pop(probe)[0], None, now)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="registration")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, event: RequestReceived, registration: Registration) -> None:
        await self._save(registration.upserts, registration.removals)
        if registration.upserts and self._directory.extension(registration.upserts[0].aor) is None:
            registration = Registration(403, removals=registration.upserts)  # removed meanwhile
            await self._save((), registration.removals)
        self._registrar.apply(registration, self._now())
        self._answer(event, registration)
        if registration.status == 200:
            for binding in registration.upserts:
                self._message_waiting.registered(binding)

    async def _save(self, upserts: Sequence[Binding], removals: Sequence[Binding]) -> None:
        """Let the store keep both: the fence for its defects, which must not cost a phone its
        answer."""
        try:
            await self._keeper.save(upserts, removals)
        except Exception as error:
            if not isinstance(error, CallpbxError):
                log.exception("registrations cannot be saved")
            self._alarm(f"registrations are not being saved: {error}; they live in memory only")

    def _answer(self, event: RequestReceived, registration: Registration) -> None:
        self._ua.respond(
            event.transaction, registration.status, headers=registration.headers, now=self._now()
        )
        self._transmit_soon()
