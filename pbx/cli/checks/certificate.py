"""TLS: is there a certificate, does its key fit, and for how long is it good.

What an X.509 certificate says is read by shaking hands with it in memory, believing it itself:
Python decodes only what it has verified.
"""

from __future__ import annotations

import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from pbx.cli.checks.finding import Check, Examined, Finding, fail, ok, warn

SOON_DAYS = 21
"""Days before its end at which a certificate is worth a word: those of Let's Encrypt are renewed
30 days before theirs."""

DAY = 86400.0  # seconds
EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


def check_certificate(examined: Examined) -> Iterator[Finding]:
    """Look at the certificate of TLS, where there is one."""
    sip = examined.settings.sip
    if sip.certificate is None or sip.key is None:
        return
    certificate, key = (examined.home.path / name for name in (sip.certificate, sip.key))
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o007:
        yield fail("certificate", f"everybody on this machine may read {key}", f"chmod o= {key}")
    try:
        days = (certificate_end(certificate, key) - time.time()) / DAY
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == EXPIRED:
            yield fail("certificate", f"{certificate} has expired", _renew(certificate))
        else:
            fix = "ask whoever issued it"
            yield fail("certificate", f"{certificate}: {error.verify_message}", fix)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror
        fix = "set sip: certificate and key in callpbx.yaml to two PEM files that belong together"
        yield fail("certificate", f"{certificate} with {key}: {reason}", fix)
    else:
        sentence = f"{certificate} is good for {days:.0f} days"
        if days < SOON_DAYS:
            yield warn("certificate", sentence, _renew(certificate))
        else:
            yield ok("certificate", sentence)


CERTIFICATE_CHECKS: tuple[Check, ...] = (check_certificate,)


def certificate_end(certificate: Path, key: Path) -> float:
    """Return when a certificate ends, seconds since the epoch; raises OSError, ssl.SSLError."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key, password=lambda: "")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(certificate)
    shown = _shake_hands(server, client).getpeercert()
    return ssl.cert_time_to_seconds(str(shown["notAfter"])) if shown else 0.0


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Return the client's side of a handshake in memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there)
    theirs = server.wrap_bio(there, back, server_side=True)
    for side in (ours, theirs, ours):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ours


def _renew(certificate: Path) -> str:
    return f"renew {certificate}, then kill -HUP the server: calls go on"
