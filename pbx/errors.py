"""Every exception that callpbx raises on purpose.

CallpbxError
├── UsageError        our own code called something in a wrong state: a defect, no remote's fault
├── ConfigError       a user's mistake in callpbx.yaml or dialplan.yaml, with file:line:column
├── Refused           a command that cannot be carried out; its text is shown to the user as it is
│   ├── NotRunning    the command needs a running server
│   └── NotFound      what the command names does not exist
├── RemoteError       what a remote sent cannot be accepted; carries the SIP status to answer with
│   ├── MessageError  a datagram or stream that is no acceptable SIP message
│   └── SdpError      a session description that cannot be used
├── StorageError      the database cannot be read or written now: disk full, locked, damaged
└── NoResource        ports, descriptors or memory ran out: 503 with Retry-After

Busy, no answer, timeout and hang-up are no exceptions: they are outcomes (`pbx.call`) and events.
"""

from __future__ import annotations


class CallpbxError(Exception):
    """Base of all exceptions raised on purpose."""


class UsageError(CallpbxError):
    """Our own code asked for something that its state does not allow."""


class ConfigError(CallpbxError):
    """A mistake in a file that a user wrote.

    `line` and `column` count from 1; 0 means that the file as a whole is meant.
    """

    def __init__(self, message: str, *, file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if not self.file:
            return self.message
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place} {self.message}"


class Refused(CallpbxError):
    """A command is refused; the text is one sentence that says why and what to do."""


class NotRunning(Refused):
    """The command needs a running server."""

    def __init__(self) -> None:
        super().__init__("callpbx is not running; start it with callpbx serve")


class NotFound(Refused):
    """What a command names — an extension, a trunk, a call — does not exist."""


class RemoteError(CallpbxError):
    """A remote sent something unacceptable.

    `status` is the SIP status to answer with, `slug` a short name for traces and tests.
    """

    def __init__(self, status: int, slug: str, detail: str = "") -> None:
        super().__init__(f"{slug}: {detail}" if detail else slug)
        self.status = status
        self.slug = slug
        self.detail = detail


class MessageError(RemoteError):
    """Bytes that are no acceptable SIP message (RFC 3261 §7, RFC 4475).

    `partial` is the `pbx.sip.message.Request` as far as it could be read, so that it can be
    answered; None for responses, and for bytes that show no request.
    """

    def __init__(
        self, status: int, slug: str, detail: str = "", *, partial: object | None = None
    ) -> None:
        super().__init__(status, slug, detail)
        self.partial = partial


class SdpError(RemoteError):
    """A session description that cannot be used (RFC 8866, RFC 3264)."""


class StorageError(CallpbxError):
    """The database cannot be read or written now; the text is one sentence that says why."""


class NoResource(CallpbxError):
    """Something finite ran out: RTP ports, descriptors. Answered with 503 and Retry-After."""
