"""What the API answers to "why": values made of stored events, JSON as they are."""

from __future__ import annotations

from typing import Literal

from pbx.api.views import View
from pbx.events import Candidate


class Decision(View, frozen=True, kw_only=True):
    """Why a call was offered to `chosen`, and what became of it.

    `candidates` are the best 20 agents with the first test that they failed; `others` counts all
    further agents by failed test. `outcome` says of each chosen agent what it did.
    """

    queue: str
    strategy: str
    waited_s: float
    waiting: int
    chosen: tuple[str, ...]
    candidates: tuple[Candidate, ...] = ()
    others: dict[str, int] = {}
    outcome: dict[str, str] = {}


class WhyStep(View, frozen=True, kw_only=True):
    """One thing that led to what became of a call, `after_s` seconds after it began."""

    at: str
    after_s: float
    text: str
    decision: Decision | None = None


class CallWhy(View, frozen=True, kw_only=True):
    """Why a call went as it did: a few sentences, then step by step."""

    kind: Literal["call"] = "call"
    call: str
    caller: str
    called: str
    summary: str
    steps: tuple[WhyStep, ...]


class Spent(View, frozen=True, kw_only=True):
    """How long an agent did something for one reason."""

    state: str
    reason: str
    seconds: float


class AgentWhy(View, frozen=True, kw_only=True):
    """Why an agent got the calls that it got from `since` until `until`.

    `callers` came into queues, `decisions` were made about them; in `chosen` of these the agent was
    asked, and `took` or declined (`declined` by reason). `tests` counts, for the others, the first
    test that spoke against it.
    """

    kind: Literal["agent"] = "agent"
    agent: str
    since: str
    until: str
    summary: str
    spent: tuple[Spent, ...] = ()
    callers: int = 0
    decisions: int = 0
    chosen: int = 0
    took: int = 0
    declined: dict[str, int] = {}
    tests: dict[str, int] = {}
