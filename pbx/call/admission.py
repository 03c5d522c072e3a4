"""Who is calling (architecture §7): an extension by its digest, a trunk by its address, or nobody
we know.

A call to the random Contact of a trunk's registration is that trunk's. On a flow that holds
authenticated bindings a phone calls, never a trunk; elsewhere a trunk is known by its address.
Everybody but a trunk proves by digest on every INVITE to be an extension: the digest alone says
which, From is not believed. Whoever does not is answered alike whether or not the user exists.
Failures are reported to the guard; a request without credentials is no failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pbx.call.line import TrunkEntry
from pbx.events import Direction
from pbx.sip.auth import Credential, DigestAuthenticator, Failed, Stale, Verified
from pbx.sip.flow import Address, Flow
from pbx.sip.grammar import printable
from pbx.sip.guard import Guard
from pbx.sip.message import Request
from pbx.sip.registrar import Registrar


class ExtensionEntry(Protocol):
    """What a call needs to know of an extension."""

    @property
    def number(self) -> str:
        """Return the number that is dialled."""

    @property
    def name(self) -> str | None:
        """Return the name that others see."""

    @property
    def no_answer_s(self) -> float:
        """Return the seconds it rings before nobody answered."""

    @property
    def voicemail(self) -> bool:
        """Tell whether its mailbox takes calls that nobody else does."""

    @property
    def caller_id(self) -> str | None:
        """Return the number that the outside sees; None for the rule's or the line's."""

    @property
    def contact(self) -> str | None:
        """Return the fixed URI of a device that never registers."""

    @property
    def srtp(self) -> str:
        """Return whether its speech is encrypted: required, optional or off."""

    @property
    def ha1_md5(self) -> str:
        """Return the MD5 digest of user, realm and password."""

    @property
    def ha1_sha256(self) -> str:
        """Return the SHA-256 digest of user, realm and password."""


class ConferencePins(Protocol):
    """The PINs of a conference room, of which only digests are known."""

    def is_members(self, pin: str) -> bool:
        """Tell whether it is the PIN that lets members in."""

    def is_moderators(self, pin: str) -> bool:
        """Tell whether it is the moderators' PIN."""


class DirectoryLookup(Protocol):
    """The directory as it is in memory: every look-up is synchronous."""

    def extension(self, number: str) -> ExtensionEntry | None:
        """Return the extension of that number."""

    def conference_pins(self, room: str) -> ConferencePins | None:
        """Return the PINs of a conference room; None where it has none."""

    def trunk_for(self, address: Address) -> TrunkEntry | None:
        """Return the trunk that calls from `address` belong to."""

    def trunk_of_token(self, token: str) -> TrunkEntry | None:
        """Return the trunk whose registration has this user part in its Contact."""

    def trunks(self) -> Sequence[TrunkEntry]:
        """Return all trunks, by name."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: an extension, or somebody beyond a trunk."""

    number: str
    name: str | None
    direction: Direction
    trunk: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What to answer somebody who is not let in; `delay` seconds later."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0


RETRY_AFTER = (("Retry-After", "5"),)
"""What a 503 says: seconds."""


class Admission:
    """Decides who a request is from."""

    def __init__(
        self,
        *,
        authenticator: DigestAuthenticator,
        guard: Guard,
        registrar: Registrar,
        directory: DirectoryLookup,
    ) -> None:
        self._authenticator = authenticator
        self._guard = guard
        self._registrar = registrar
        self._directory = directory

    def identify(self, request: Request, flow: Flow, now: float) -> Identity | Refusal:
        """Return who sends this INVITE, or how to refuse it."""
        trunk = self._directory.trunk_of_token(request.uri.number)
        if trunk is None and not self._registrar.on_flow(flow):
            trunk = self._directory.trunk_for(flow.remote)
        if trunk is not None:
            return _beyond_trunk(request, trunk)
        number = self.authenticate(request, flow, now)
        if isinstance(number, Refusal):
            return number
        extension = self._directory.extension(number)
        name = extension.name if extension is not None else None
        return Identity(number, name, "internal")

    def authenticate(self, request: Request, flow: Flow, now: float) -> str | Refusal:
        """Return the extension that the digest proves, or how to refuse the request."""
        source = flow.remote[0]
        verdict = self._authenticator.check(request, self._credential, source=source, now=now)
        if isinstance(verdict, Verified):
            self._guard.succeeded(source, verdict.username, now)
            return verdict.username
        delay = 0.0
        if isinstance(verdict, Failed):
            self._guard.failed(source, verdict.username, now)
            bound = verdict.username in self._registrar.on_flow(flow)
            delay = self._guard.delay(verdict.username, bound, now)
        challenge = self._authenticator.challenge(
            request, source=source, now=now, stale=isinstance(verdict, Stale)
        )
        return Refusal(401, tuple(challenge), delay)

    def _credential(self, username: str) -> Credential | None:
        extension = self._directory.extension(username)
        if extension is None:
            return None
        return Credential(extension.ha1_md5, extension.ha1_sha256)


def _beyond_trunk(request: Request, trunk: TrunkEntry) -> Identity:
    caller = request.from_
    name = printable(caller.display_name) if caller.display_name else None
    return Identity(printable(caller.uri.number) or "anonymous", name, "inbound", trunk.name)
