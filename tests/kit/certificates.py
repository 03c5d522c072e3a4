"""Certificates of a made-up authority, for tests of TLS."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import trustme

from pbx.sip.tls import TlsFiles


class Authority:
    """A certificate authority; `folder` takes what it issues."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA(key_type=trustme.KeyType.RSA)
        self.ca = folder / "ca.pem"
        """Its own certificate."""
        self._authority.cert_pem.write_to_path(self.ca)

    def issue(
        self,
        *names: str,
        file: str = "server",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> TlsFiles:
        """Issue a certificate for host names and addresses.

        RSA, which phones of ten years ago have too.
        """
        issued = self._authority.issue_cert(
            *names,
            key_type=trustme.KeyType.RSA,
            not_before=not_before,
            not_after=not_after,
        )
        files = TlsFiles(self._folder / f"{file}.pem", self._folder / f"{file}.key", self.ca)
        files.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(files.key)
        files.key.chmod(0o600)
        return files
