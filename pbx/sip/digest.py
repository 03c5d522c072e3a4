"""Digest authentication as SIP uses it (RFC 7616, RFC 8760): header values and arithmetic.

`Challenge` is what WWW-Authenticate and Proxy-Authenticate say, `Credentials` what Authorization
and Proxy-Authorization answer. Both directions are here because both hash the same way: a server
compares with `digest_response`, a client writes `answer`. Which nonces are good, who may try and
what a failure means is `auth`.

Texts are hashed as the bytes that came over the wire. Only `qop=auth` is known; a client also
answers challenges without qop, as old carriers still send them (RFC 2617 §3.2.2.1).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pbx.errors import MessageError
from pbx.sip.grammar import LWS, quote, unquote

MAX_PARAMETERS = 32
"""Parameters of one value; real ones have at most twelve."""

_PARAMETER = re.compile(
    r"[ \t]*+([A-Za-z0-9\-.!%*_+`'~]++)[ \t]*+=[ \t]*+"
    r'("(?:[^"\\]|\\.)*"|[^ \t,"]*+)[ \t]*+(?:,[ \t,]*+|$)',
    re.DOTALL,
)
_HEX = re.compile("[0-9A-Fa-f]++")


def _md5(text: str) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


ALGORITHMS: dict[str, Callable[[str], str]] = {"SHA-256": _sha256, "MD5": _md5}
"""Hash of a text in lower-case hexadecimal by algorithm name, the preferred one first."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is stored of a password: H(user:realm:password) by each algorithm (RFC 7616 §3.4.2)."""

    ha1_md5: str
    ha1_sha256: str

    def ha1(self, algorithm: str) -> str:
        """Return the hash that belongs to `algorithm`, a key of `ALGORITHMS`."""
        return self.ha1_md5 if algorithm == "MD5" else self.ha1_sha256


def make_ha1(user: str, realm: str, password: str) -> Credential:
    """Hash a password for storage. Another realm needs another credential."""
    secret = f"{user}:{realm}:{password}"
    return Credential(_md5(secret), _sha256(secret))


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for (RFC 7616 §3.3). `qop` holds the offered kinds, in lower case.

    `algorithm` is as in `ALGORITHMS`, or in upper case whatever else the server named.
    """

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ("auth",)
    opaque: str | None = None
    stale: bool = False

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Read one challenge; raise `MessageError` 400 where it is none."""
        found = _parse_parameters(text)
        if "realm" not in found or "nonce" not in found:
            raise MessageError(400, "incomplete_digest", text[:40])
        kinds = (kind.strip(LWS).lower() for kind in found.get("qop", "").split(","))
        return cls(
            found["realm"],
            found["nonce"],
            found.get("algorithm", "MD5").upper(),
            tuple(kind for kind in kinds if kind),
            found.get("opaque"),
            found.get("stale", "").lower() == "true",
        )

    def __str__(self) -> str:
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}"]
        if self.qop:
            parts.append(f"qop={quote(','.join(self.qop))}")
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        return "Digest " + ", ".join([*parts, f"algorithm={self.algorithm}"])


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client answers (RFC 7616 §3.4). `nc` is hexadecimal as written; "" where absent."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str = ""
    nc: str = ""
    cnonce: str = ""
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Credentials:
        """Read one value of Authorization; raise `MessageError` 400 where it is no digest."""
        found = _parse_parameters(text)
        try:
            return cls(
                found["username"],
                found["realm"],
                found["nonce"],
                found["uri"],
                found["response"],
                found.get("algorithm", "MD5").upper(),
                found.get("qop", ""),
                found.get("nc", ""),
                found.get("cnonce", ""),
                found.get("opaque"),
            )
        except KeyError:
            raise MessageError(400, "incomplete_digest", text[:40]) from None

    def __str__(self) -> str:
        parts = [
            f"username={quote(self.username)}",
            f"realm={quote(self.realm)}",
            f"nonce={quote(self.nonce)}",
            f"uri={quote(self.uri)}",
            f"response={quote(self.response)}",
            f"algorithm={self.algorithm}",
        ]
        if self.qop:
            parts += [f"cnonce={quote(self.cnonce)}", f"qop={self.qop}", f"nc={self.nc}"]
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        return "Digest " + ", ".join(parts)

    @property
    def nonce_count(self) -> int:
        """Return `nc` as a number of 1 … 2**32 - 1; 0 where it is none."""
        return int(self.nc, 16) if len(self.nc) <= 8 and _HEX.fullmatch(self.nc) else 0


def digest_response(credentials: Credentials, method: str, ha1: str) -> str:
    """Return the response that whoever knows `ha1` must give (RFC 7616 §3.4.1).

    `credentials.algorithm` must be one of `ALGORITHMS`.
    """
    c = credentials
    digest = ALGORITHMS[c.algorithm]
    ha2 = digest(f"{method}:{c.uri}")
    if not c.qop:
        return digest(f"{ha1}:{c.nonce}:{ha2}")
    return digest(f"{ha1}:{c.nonce}:{c.nc}:{c.cnonce}:{c.qop}:{ha2}")


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """Read the challenges that can be answered, in order; pass over others (RFC 8760 §2.4)."""
    challenges = []
    for value in values:
        try:
            challenge = Challenge.parse(value)
        except MessageError:
            continue
        if challenge.algorithm in ALGORITHMS and (not challenge.qop or "auth" in challenge.qop):
            challenges.append(challenge)
    return challenges


def answer(
    challenge: Challenge,
    *,
    method: str,
    uri: str,
    username: str,
    password: str,
    cnonce: str,
    nonce_count: int = 1,
) -> Credentials:
    """Answer a challenge of `parse_challenges`, whose first one the server prefers.

    `uri` is the Request-URI as it is sent. `cnonce` is fresh random text, `nonce_count` tells how
    often this nonce was answered, this answer included.
    """
    unsigned = Credentials(username, challenge.realm, challenge.nonce, uri, "", challenge.algorithm)
    if challenge.qop:
        unsigned = replace(unsigned, qop="auth", nc=f"{nonce_count:08x}", cnonce=cnonce)
    ha1 = make_ha1(username, challenge.realm, password).ha1(challenge.algorithm)
    response = digest_response(unsigned, method, ha1)
    return replace(unsigned, response=response, opaque=challenge.opaque)


def _parse_parameters(text: str) -> dict[str, str]:
    scheme, *parameters = text.split(maxsplit=1) or [""]
    if scheme.lower() != "digest":
        raise MessageError(400, "not_digest", scheme[:40])
    found: dict[str, str] = {}
    position = 0
    rest = "".join(parameters).lstrip(LWS + ",")
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        if not match or len(found) == MAX_PARAMETERS:
            raise MessageError(400, "bad_digest", rest[position : position + 40])
        name = match[1].lower()
        if name in found:
            raise MessageError(400, "duplicate_parameter", name)
        found[name] = unquote(match[2])
        position = match.end()
    return found
