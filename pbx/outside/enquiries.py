"""The outside as calls see it: lookups that always end in an answer, letters that nobody waits for.

Whatever a server or a database does is a value here, never an exception: `Failure` with a sentence
for the trace, which takes the caller to `if_error`. Sentences hold no values and no secrets.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from pbx.config import Settings
from pbx.errors import Refused
from pbx.ivr.world import Answer, Failure, Letter, Nothing
from pbx.outside.addresses import Guard
from pbx.outside.answers import answer_of, clean, found_of
from pbx.outside.breaker import FAILURES, Breaker, Unavailable
from pbx.outside.http import MAX_SECONDS, Client, Resolve
from pbx.outside.mail import MailServer
from pbx.outside.outbox import Outbox
from pbx.outside.sql import Databases
from pbx.outside.webhook import SECRET, payload, post
from pbx.plan.model import Lookup
from pbx.plan.text import Text
from pbx.plan.url import EmptyValue, parse_url

log = logging.getLogger(__name__)


class Outside:
    """Lookups, mail and webhooks; made once per server, closed at its end."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        resolve: Resolve,
        monotonic: Callable[[], float],
        alarm: Callable[[str], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Connect to nothing yet.

        Paths of SQLite files begin at `folder`, the office's. `resolve` finds the addresses of a
        host, `monotonic` are seconds that never jump, `alarm` takes a sentence for the
        administrator, `tls` says which certificates are trusted (None: the system's authorities).
        """
        trusted = tls or ssl.create_default_context()
        self._secrets = {SECRET + name: value for name, value in settings.secrets.items()}
        self._client = Client(Guard(settings.http.allow), resolve, trusted)
        self._databases = Databases(settings.connections, folder)
        self._mail = MailServer(settings.mail, trusted)
        self._outbox = Outbox(alarm)
        self._alarm = alarm
        self._monotonic = monotonic
        self._breakers: dict[str, Breaker] = {}

    async def look_up(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        """Ask; never raises, and takes no longer than the lookup's time, 5 s at most."""
        try:
            if lookup.http is not None:
                return await self._ask_server(lookup, lookup.http, values)
            return await self._ask_database(lookup, values)
        except EmptyValue as error:
            return Nothing(str(error))
        except (Refused, ValueError) as error:
            return Failure(str(error))
        except Exception:  # the fence: a defect in a lookup must not cost the call
            log.exception("lookup %s failed", lookup.name)
            return Failure("callpbx failed; its log says where")

    def send(self, letter: Letter) -> None:
        """Send; whatever becomes of it, nobody waits. What cannot be sent is an alarm."""
        try:
            if letter.kind == "mail":
                self._post_mail(letter.to, letter.subject, letter.body, None)
            else:
                self._post_webhook(letter)
        except (Refused, ValueError) as error:
            self._alarm(f"{letter.kind} of a dialplan was not sent: {error}")

    async def mail(self, to: str, subject: str, body: str, attachment: Path | None = None) -> None:
        """Queue a mail; it is tried four times within 36 minutes, then given up with an alarm.

        Raises Refused with a sentence for what is known at once: no server, no address, a full
        queue. An attached file is read when the mail goes out.
        """
        self._post_mail(to, subject, body, attachment)

    async def idle(self) -> None:
        """Wait until every letter went out or was given up."""
        await self._outbox.idle()

    async def close(self) -> None:
        """Give up what waits and close what is open."""
        await self._outbox.close()
        await self._client.close()
        await self._databases.close()

    # -- lookups -------------------------------------------------------------------------------

    async def _ask_server(self, lookup: Lookup, http: Text, values: Mapping[str, str]) -> Answer:
        known = {**values, **self._secrets}
        url = parse_url(http).fill(known)
        headers = {name: text.fill(known) for name, text in lookup.headers.items()}

        async def ask() -> Answer:
            reply = await self._client.request("GET", url, headers)
            return answer_of(reply, lookup.save.values())

        return await self._guarded(f"{url.scheme}://{url.authority}", lookup, ask)

    async def _ask_database(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        connection, query = lookup.sql or "", lookup.query or ""
        parameters = {
            name: clean(values.get(source, "")) for name, source in lookup.parameters.items()
        }
        if parameters and not any(parameters.values()):
            return Nothing("every value of the query is empty")

        async def ask() -> Answer:
            row = await self._databases.first_row(connection, query, parameters)
            return Nothing() if row is None else found_of(row, lookup.save.values())

        return await self._guarded(connection, lookup, ask)

    async def _guarded(
        self, target: str, lookup: Lookup, ask: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Ask within the lookup's time, unless the target failed too often of late."""
        breaker = self._breakers.setdefault(target, Breaker())
        if not breaker.enter(self._monotonic()):
            return Failure(
                f"{target} failed {FAILURES} times in a row and is left alone for a while"
            )
        try:
            async with asyncio.timeout(min(lookup.timeout_s, MAX_SECONDS)):
                answer = await ask()
        except (TimeoutError, Unavailable) as error:
            breaker.failed(self._monotonic())
            return Failure(str(error) or "no answer in time")
        else:
            breaker.succeeded()
            return answer
        finally:
            breaker.abandoned()

    # -- letters -------------------------------------------------------------------------------

    def _post_mail(self, to: str, subject: str, body: str, attachment: Path | None) -> None:
        mail = self._mail.write(to, subject, body, attachment)
        self._outbox.post(f"mail to {mail.to}", partial(self._mail.deliver, mail))

    def _post_webhook(self, letter: Letter) -> None:
        if letter.url is None:
            raise Refused("it names no address")
        url = parse_url(letter.url).fill({**letter.fields, **self._secrets})
        deliver = partial(post, self._client, url, payload(letter))
        self._outbox.post(f"webhook to {url.host}", deliver, pauses=())
