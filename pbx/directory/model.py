"""Extensions, agents, trunks and API tokens: plain values, and the rules that they must keep.

No password is kept, only the two digests of one that RFC 8760 needs (HA1 with MD5 and SHA-256 of
user, realm and password), and of a token only its SHA-256. A trunk's password is the exception: it
has to be proved to the carrier. The `check_…` functions raise Refused with one sentence.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pbx.errors import Refused

NO_ANSWER_S = 20.0
"""Seconds that a phone rings unless its extension says otherwise."""

MAX_NO_ANSWER_S = 600.0
MAX_NAME = 80  # characters

MAX_LEVEL = 10
"""The highest level of a skill; the lowest is 1."""

MAX_SKILLS = 50
"""Skills that one agent may have."""

MAX_CAPACITY = 20
"""Calls that one agent may take at once."""

MAX_WEIGHT = 100

Scope = Literal["read", "control", "admin"]
"""What a token may do; each includes those before it."""

SCOPES: tuple[Scope, ...] = ("read", "control", "admin")

SrtpPolicy = Literal["required", "optional", "off"]
"""Whether speech must, may or must not be encrypted (SRTP)."""

SRTP_POLICIES: tuple[SrtpPolicy, ...] = ("required", "optional", "off")

_NUMBER = re.compile(r"[0-9]{2,10}")
_OUTSIDE = re.compile(r"\+?[0-9]{3,20}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_SKILL = re.compile(r"[^\s:,]{1,40}")
_SERVER = re.compile(
    r"sips?:(?:[^@\s]+@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:;[^\s<>]*)?"
)
_MATCH = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:/[0-9]{1,3})?|[A-Za-z0-9._/-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A phone of the office. `created_at` is seconds since the epoch.

    `realm` is the one its digests were made for; `contact` a fixed SIP URI of a device that never
    registers; `caller_id` the number that the outside sees.
    """

    number: str
    name: str | None
    realm: str
    ha1_md5: str
    ha1_sha256: str
    created_at: float
    no_answer_s: float = NO_ANSWER_S
    voicemail: bool = True
    contact: str | None = None
    srtp: SrtpPolicy = "optional"
    caller_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Somebody who takes calls of queues at the extension `number`.

    `name` None is the extension's own. `skills` are levels of 1 to 10 by name, `capacity` is how
    many calls it takes at once, `weight` its share with the strategy `weighted`.
    """

    number: str
    created_at: float
    name: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    capacity: int = 1
    weight: int = 1


@dataclass(frozen=True, slots=True)
class PasswordDigests:
    """HA1 of a new password, in hexadecimal, and the realm it was made for."""

    realm: str
    ha1_md5: str
    ha1_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A line to a carrier. `match` are the addresses that its calls come from (see `Source`).

    Without `match` it is the host of `server`. `max_calls` and `per_minute` (calls that go out)
    None mean no limit. `numbers` are those that the carrier gave us, the first of them shown by
    default. `token` is the user part of the Contact that we register: random and hexadecimal.
    """

    name: str
    server: str
    created_at: float
    username: str | None = None
    password: str | None = None
    register: bool = False
    match: tuple[str, ...] = ()
    max_calls: int | None = None
    srtp: SrtpPolicy = "optional"
    numbers: tuple[str, ...] = ()
    per_minute: int | None = None
    token: str = field(repr=False)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return where its calls come from."""
        return tuple(parse_source(text) for text in self.match) or (_server_source(self.server),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A key to the API, without the key. Times are seconds since the epoch."""

    name: str
    scope: Scope
    sha256: str
    created_at: float
    last_used: float | None = None

    def allows(self, scope: Scope) -> bool:
        """Tell whether it may do what needs `scope`."""
        return SCOPES.index(scope) <= SCOPES.index(self.scope)


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Source:
    """Where calls may come from: a network (one address is the smallest) or a host by name.

    `port` None means any.
    """

    network: Network | None
    host: str | None
    port: int | None


def parse_source(text: str) -> Source:
    """Read `10.0.0.5`, `10.0.0.5:5060`, `10.0.0.0/24`, `[2001:db8::1]:5060` or `sip.carrier.com`.

    Raises Refused for anything else.
    """
    found = _MATCH.fullmatch(text)
    port = None if found is None or found["port"] is None else int(found["port"])
    if found is None or (port is not None and not 0 < port < 65_536):
        raise Refused(f"{text!r} is no address: write ADDRESS, ADDRESS:PORT or ADDRESS/BITS")
    host = found["host"].strip("[]")
    try:
        return Source(ipaddress.ip_network(host, strict=False), None, port)
    except ValueError as error:
        if ":" in host or "/" in host or host.replace(".", "").isdigit():
            raise Refused(f"{text!r} is no address: {error}") from error
        return Source(None, host.lower(), port)


def token_digest(secret: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def check_extension(extension: Extension) -> None:
    """Refuse an extension that could not be dialled, shown or rung."""
    if not _NUMBER.fullmatch(extension.number):
        raise Refused(f"an extension has 2 to 10 digits; {extension.number!r} has not")
    _check_shown_name(extension.name)
    if not 1.0 <= extension.no_answer_s <= MAX_NO_ANSWER_S:
        raise Refused(
            f"a phone rings for 1 to {MAX_NO_ANSWER_S:.0f} s, not {extension.no_answer_s:g} s"
        )
    if extension.contact is not None and not _SERVER.fullmatch(extension.contact):
        raise Refused(f"{extension.contact!r} is no SIP URI such as sip:door@192.0.2.7")
    if extension.caller_id is not None and not _OUTSIDE.fullmatch(extension.caller_id):
        raise Refused(f"{extension.caller_id!r} is no number; write digits alone")
    _check_srtp(extension.srtp)


def check_agent(agent: Agent) -> None:
    """Refuse an agent whose skills no queue could ask for, or who could take no call."""
    _check_shown_name(agent.name)
    if len(agent.skills) > MAX_SKILLS:
        raise Refused(f"an agent has at most {MAX_SKILLS} skills, not {len(agent.skills)}")
    for skill, level in agent.skills.items():
        if not (_SKILL.fullmatch(skill) and skill.isprintable()):
            raise Refused(
                f"a skill's name has 1 to 40 characters without spaces, colons or commas; "
                f"{skill!r} does not fit"
            )
        if not 1 <= level <= MAX_LEVEL:
            raise Refused(f"a skill has a level of 1 to {MAX_LEVEL}; {skill} has {level}")
    if not 1 <= agent.capacity <= MAX_CAPACITY:
        raise Refused(f"an agent takes 1 to {MAX_CAPACITY} calls at once, not {agent.capacity}")
    if not 1 <= agent.weight <= MAX_WEIGHT:
        raise Refused(f"an agent's weight is 1 to {MAX_WEIGHT}, not {agent.weight}")


def check_trunk(trunk: Trunk) -> None:
    """Refuse a trunk that could not be reached or matched."""
    _check_word("trunk", trunk.name)
    if not _SERVER.fullmatch(trunk.server):
        raise Refused(f"{trunk.server!r} is no SIP server such as sip:sip.carrier.com:5060")
    if trunk.max_calls is not None and trunk.max_calls < 1:
        raise Refused(f"a trunk carries at least 1 call, not {trunk.max_calls}")
    if trunk.register and (trunk.username is None or trunk.password is None):
        raise Refused(f"trunk {trunk.name} needs a username and a password to register")
    for secret in (trunk.username, trunk.password):
        if secret is not None and not (secret and secret.isprintable()):
            raise Refused(f"trunk {trunk.name}: username and password are printable characters")
    if trunk.per_minute is not None and trunk.per_minute < 1:
        raise Refused(f"at least 1 call a minute goes out by a trunk, not {trunk.per_minute}")
    for number in trunk.numbers:
        if not _OUTSIDE.fullmatch(number):
            raise Refused(f"trunk {trunk.name}: {number!r} is no number; write digits alone")
    for text in trunk.match:
        parse_source(text)
    _check_srtp(trunk.srtp)


def check_token(token: ApiToken) -> None:
    """Refuse a token without a usable name or with an unknown scope."""
    _check_word("token", token.name)
    if token.scope not in SCOPES:
        raise Refused(f"a token's scope is one of {', '.join(SCOPES)}, not {token.scope!r}")


def _server_source(server: str) -> Source:
    found = _SERVER.fullmatch(server)
    if found is None:
        raise Refused(f"{server!r} is no SIP server such as sip:sip.carrier.com:5060")
    return parse_source(found["host"])


def _check_word(kind: str, name: str) -> None:
    if not _WORD.fullmatch(name):
        raise Refused(
            f"a {kind}'s name has 1 to 40 letters, digits, dots, dashes or underscores; "
            f"{name!r} does not fit"
        )


def _check_srtp(policy: str) -> None:
    if policy not in SRTP_POLICIES:
        raise Refused(f"SRTP is one of {', '.join(SRTP_POLICIES)}, not {policy!r}")


def _check_shown_name(name: str | None) -> None:
    if name is None:
        return
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise Refused(f"a name has 1 to {MAX_NAME} printable characters; {name!r} does not fit")
