"""What the API needs to answer "why": a Protocol, satisfied by `pbx.why.answers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pbx.api.why_views import AgentWhy, CallWhy


class Why(Protocol):
    """Answers from what is stored; with and without a server."""

    async def call(self, name: str) -> CallWhy:
        """Return why a call went as it did; it is named by its id or the beginning of it.

        Raises NotFound and Refused.
        """

    async def agent(self, agent: str, since: float, until: float) -> AgentWhy:
        """Return why an agent got the calls that it got within that time (wall).

        Raises Refused for a time that is too long, or none.
        """
