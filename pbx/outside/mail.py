"""Mails: how a message is made, and one delivery to the office's mail server (RFC 5321).

TLS from the start on port 465, STARTTLS wherever the server offers it, with its certificate
checked. A password goes through TLS only, or to a server on this machine. A value can make a
subject ugly but never a header: addresses are of one plain form and line ends are spaces.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from pathlib import Path
from typing import Final

import aiosmtplib

from pbx.config import MailSettings
from pbx.config.values import mail_server
from pbx.errors import Refused
from pbx.marks.mail import mail_address
from pbx.outside.answers import clean
from pbx.outside.breaker import Unavailable

TIMEOUT: Final = 30.0
"""Seconds that the server may take for one answer."""

TLS_PORT: Final = 465
"""Where TLS begins at once, RFC 8314 §3.3."""

SUBMISSION_PORT: Final = 587
"""Where a server with users is reached, RFC 6409."""

RELAY_PORT: Final = 25
"""Where one without users is."""

MAX_BODY: Final = 100_000
"""Characters of a mail's text."""

MAX_ATTACHMENT: Final = 20_000_000
"""Bytes of an attached file; servers refuse larger ones."""

KINDS: Final = {".wav": ("audio", "wav"), ".ogg": ("audio", "ogg")}
"""Suffix of an attached file → its type."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `id` and `date` stay the same however often its delivery is tried."""

    to: str
    subject: str
    body: str
    id: str
    date: str
    attachment: Path | None = None


class MailServer:
    """The server that callpbx.yaml names; without one everything is refused."""

    def __init__(self, settings: MailSettings, tls: ssl.SSLContext) -> None:
        """`tls` says which certificates are trusted."""
        self._settings = settings
        self._tls = tls

    def write(self, to: str, subject: str, body: str, attachment: Path | None = None) -> Mail:
        """Return a mail that can be delivered.

        Raises Refused with a sentence where there is no server or `to` is no address.
        """
        if self._settings.server is None or self._settings.sender is None:
            raise Refused("no mail can be sent; write server and from in mail: of callpbx.yaml")
        try:
            address = mail_address(to.strip())
        except ValueError as error:
            raise Refused(f'"{clean(to)}" {error}') from None
        return Mail(
            address,
            " ".join(clean(subject).split()),
            body[:MAX_BODY].encode(errors="replace").decode(),
            make_msgid(domain=self._sender.rpartition("@")[2]),
            formatdate(localtime=True),
            attachment,
        )

    async def deliver(self, mail: Mail) -> None:
        """Hand a mail to the server.

        Raises Unavailable where a later try may help, Refused where none will.
        """
        message = self._message(mail)
        if mail.attachment is not None:
            await asyncio.to_thread(_attach, message, mail.attachment)
        try:
            await self._hand_over(message, mail.to)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _answered(error.recipients[0].code, error.recipients[0].message) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(error.code, error.message) from None
        except ssl.SSLCertVerificationError as error:
            reason = f"the certificate of the mail server is not trusted: {error.verify_message}"
            raise Unavailable(reason) from None
        except (aiosmtplib.SMTPException, OSError):
            raise Unavailable("the mail server cannot be reached, or broke off") from None

    @property
    def _sender(self) -> str:
        return parseaddr(self._settings.sender or "")[1]

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._settings.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = mail.date
        message["Message-ID"] = mail.id
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        message.set_content(mail.body)
        return message

    async def _hand_over(self, message: EmailMessage, to: str) -> None:
        host, port = mail_server(self._settings.server or "")
        user, password = self._settings.user, self._settings.password
        if port is None:
            port = SUBMISSION_PORT if user else RELAY_PORT
        client = aiosmtplib.SMTP(
            hostname=host,
            port=port,
            use_tls=port == TLS_PORT,
            tls_context=self._tls,
            timeout=TIMEOUT,
            local_hostname=self._sender.rpartition("@")[2],
        )
        try:
            await client.connect()
            if user is not None:
                _insist_on_secrecy(client)
                await client.login(user, password or "")
            await client.send_message(message, sender=self._sender, recipients=[to])
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()  # the mail is the server's by now, whatever it says to this
        finally:
            client.close()


def _insist_on_secrecy(client: aiosmtplib.SMTP) -> None:
    """Raise Refused where a password would pass somebody else's wires in clear."""
    if client.get_transport_info("sslcontext") is not None:
        return
    remote = ipaddress.ip_address(client.get_transport_info("peername")[0].partition("%")[0])
    if not remote.is_loopback:
        raise Refused("the mail server offers no TLS, and a password is not sent in clear")


def _attach(message: EmailMessage, path: Path) -> None:
    """Read the file now: a thousand waiting mails keep no sound in memory."""
    try:
        if path.stat().st_size > MAX_ATTACHMENT:
            raise Refused(f"{path.name} is larger than {MAX_ATTACHMENT // 10**6} MB")
        content = path.read_bytes()
    except OSError:
        raise Refused(f"{path.name} is not there any more") from None
    main, sub = KINDS.get(path.suffix.lower(), ("application", "octet-stream"))
    message.add_attachment(content, maintype=main, subtype=sub, filename=clean(path.name))


def _answered(code: int, message: str) -> Unavailable | Refused:
    """5xx is for good, all else for now (RFC 5321 §4.2.1)."""
    kind = Refused if 500 <= code < 600 else Unavailable
    return kind(f"the mail server says {code} {clean(message)}")
