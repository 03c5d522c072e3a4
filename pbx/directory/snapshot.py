"""The whole directory in memory, as it was read last: look-ups that never wait.

A snapshot never changes; after a change there is a new one. Pure.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pbx.directory.model import Agent, ApiToken, Extension, Source, Trunk, token_digest
from pbx.directory.pins import ConferencePins

Address = tuple[str, int]
"""An IP address in text (IPv6 without brackets) and a port."""

_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class _Rule:
    """One place that a trunk's calls come from, and how exactly it is told (more is better)."""

    exactness: tuple[bool, int]
    source: Source
    trunk: Trunk


@dataclass(frozen=True)
class Directory:
    """Extensions, agents, trunks and tokens.

    `resolved` are the addresses of host names (see `hosts`).
    """

    _extensions: Mapping[str, Extension] = field(default_factory=dict)
    _trunks: Mapping[str, Trunk] = field(default_factory=dict)
    _tokens: Mapping[str, ApiToken] = field(default_factory=dict)
    _resolved: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _rules: tuple[_Rule, ...] = ()
    _pins: Mapping[str, ConferencePins] = field(default_factory=dict)
    _agents: Mapping[str, Agent] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        extensions: Iterable[Extension] = (),
        trunks: Iterable[Trunk] = (),
        tokens: Iterable[ApiToken] = (),
        pins: Iterable[ConferencePins] = (),
        agents: Iterable[Agent] = (),
    ) -> Directory:
        """Make a directory of its entries."""
        lines = {trunk.name: trunk for trunk in sorted(trunks, key=lambda trunk: trunk.name)}
        return cls(
            {e.number: e for e in sorted(extensions, key=lambda extension: extension.number)},
            lines,
            {t.name: t for t in sorted(tokens, key=lambda token: token.name)},
            {},
            _rules_of(lines.values()),
            {each.room: each for each in sorted(pins, key=lambda each: each.room)},
            {each.number: each for each in sorted(agents, key=lambda agent: agent.number)},
        )

    def extension(self, number: str) -> Extension | None:
        """Return the extension of that number."""
        return self._extensions.get(number)

    def extensions(self) -> tuple[Extension, ...]:
        """Return all extensions, by number."""
        return tuple(self._extensions.values())

    def agent(self, number: str) -> Agent | None:
        """Return the agent at that number, named as its extension where it has no name."""
        found = self._agents.get(number)
        if found is None or found.name is not None:
            return found
        extension = self._extensions.get(number)
        return found if extension is None else replace(found, name=extension.name)

    def agents(self) -> tuple[Agent, ...]:
        """Return all agents, by number, named as `agent` says."""
        return tuple(agent for number in self._agents if (agent := self.agent(number)) is not None)

    def trunk(self, name: str) -> Trunk | None:
        """Return the trunk of that name."""
        return self._trunks.get(name)

    def trunks(self) -> tuple[Trunk, ...]:
        """Return all trunks, by name."""
        return tuple(self._trunks.values())

    def trunk_of_token(self, token: str) -> Trunk | None:
        """Return the trunk that registers with this user part in its Contact."""
        found = (trunk for trunk in self._trunks.values() if trunk.register)
        return next((trunk for trunk in found if trunk.token == token), None)

    def tokens(self) -> tuple[ApiToken, ...]:
        """Return all tokens, by name."""
        return tuple(self._tokens.values())

    def conference_pins(self, room: str) -> ConferencePins | None:
        """Return the PINs of a conference room; None where none was ever set."""
        return self._pins.get(room)

    def trunk_for(self, source: Address) -> Trunk | None:
        """Return the trunk that calls from this address belong to.

        Address with port goes before address, a smaller network before a larger one, an address
        before a host's name; of equals, the first by name.
        """
        if not self._rules:
            return None
        address = _unmapped(source[0])
        for rule in self._rules:
            if rule.source.port in (None, source[1]) and self._is_from(rule.source, address):
                return rule.trunk
        return None

    def token(self, secret: str) -> ApiToken | None:
        """Return the token of this secret; the same work whether or not there is one."""
        digest = token_digest(secret)
        found = None
        for token in self._tokens.values():
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def realm_in_use(self) -> str | None:
        """Return the realm that the passwords were made for; None while there are none."""
        return next((extension.realm for extension in self._extensions.values()), None)

    def hosts(self) -> frozenset[str]:
        """Return the host names that calls come from, which somebody has to resolve."""
        return frozenset(rule.source.host for rule in self._rules if rule.source.host is not None)

    def with_hosts(self, resolved: Mapping[str, Iterable[str]]) -> Directory:
        """Return the same directory, knowing the addresses of these hosts."""
        known = {host.lower(): frozenset(addresses) for host, addresses in resolved.items()}
        return replace(self, _resolved=known)

    def _is_from(self, source: Source, address: _Ip) -> bool:
        if source.network is not None:
            return address in source.network
        return str(address) in self._resolved.get(source.host or "", ())


def _rules_of(trunks: Iterable[Trunk]) -> tuple[_Rule, ...]:
    rules = [
        _Rule(_exactness(source), source, trunk) for trunk in trunks for source in trunk.sources
    ]
    # Sorting is stable: of equally exact ones the first by name stays first.
    return tuple(sorted(rules, key=lambda rule: rule.exactness, reverse=True))


def _exactness(source: Source) -> tuple[bool, int]:
    bits = -1 if source.network is None else source.network.prefixlen
    if source.network is not None and source.network.version == 4:
        bits += 96  # as the same network is told in IPv6
    return source.port is not None, bits


@lru_cache(maxsize=4096)
def _unmapped(host: str) -> _Ip:
    """Return the address; an IPv4 one that a socket of IPv6 shows as `::ffff:…` as itself."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
