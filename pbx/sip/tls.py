"""TLS for SIP: who we are, whom we believe, and what is spoken at all. [io]

TLS 1.2 and 1.3 with AEAD ciphers and forward secrecy, nothing older (RFC 9325). A remote that we
connect to must show a certificate for the name that was asked for, signed by somebody in `ca` or,
without that, by somebody the system knows; one that connects to us shows none. Certificates are
read anew by `reload`, for connections from then on; those that are open stay as they are.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pbx.errors import Refused

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL"
"""Of TLS 1.2; those of 1.3 are all AEAD. Phones of ten years ago have the first ones."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: our certificate with its chain, its key, and whom we believe (None: the
    system's)."""

    certificate: Path
    key: Path
    ca: Path | None = None


class Tls:
    """The contexts of both sides. `server` and `client` are those of new connections."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files; raise Refused with a sentence where one is of no use."""
        self._files = files
        self.server, self.client = _contexts(files)

    def reload(self) -> None:
        """Read the files anew; raise Refused and go on with the old ones where that fails."""
        self.server, self.client = _contexts(self._files)


def _contexts(files: TlsFiles) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = _strict(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    client = _strict(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    for context in (server, client):  # some carriers want to see ours too
        _show(context, files)
    _believe(client, files.ca)
    return server, client


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _show(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Load our certificate and key."""
    for path, what in ((files.certificate, "certificate"), (files.key, "key")):
        _check_readable(path, what)
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            sentence = f"the key {files.key} is not that of the certificate {files.certificate}"
        else:
            sentence = (
                f"{files.certificate} and {files.key} are not a certificate and its unencrypted "
                f"key in PEM form ({error.reason or error})"
            )
        raise Refused(sentence) from None


def _believe(context: ssl.SSLContext, ca: Path | None) -> None:
    """Load whom we believe."""
    if ca is None:
        context.load_default_certs()
        return
    _check_readable(ca, "ca")
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError as error:
        raise Refused(f"{ca} holds no certificates in PEM form ({error.reason})") from None


def _check_readable(path: Path, what: str) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise Refused(f"sip: {what}: {path} cannot be read: {error.strerror}") from None


def _no_password() -> str:
    """Answer for a key with a password: nobody is there to type it."""
    return ""
