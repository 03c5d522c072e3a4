"""All lines of the office: which there are, what they carry, and by which a number goes out.

`dial` is the one door to the outside: extensions that dial, `number:` destinations, members of ring
groups, transfers and call-backs all get their `Contact` from it, and with it the rules: which lines
in which order, which caller number, the limits of lines and the toll-fraud guard. The lines that
follow when one fails ride along in the contact, so whoever rings it needs to know of none of this.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from pbx.call.contact import Carried, Contact
from pbx.call.line import Line, TrunkEntry
from pbx.call.line_watch import LineWatch, Outward
from pbx.call.outcome import DENIED, NO_LINE, NO_RULE, Outcome
from pbx.call.shown_number import identified, number_shown
from pbx.call.toll_fraud import UNLESS_TOLD, TollFraud, TollFraudLimits
from pbx.errors import MessageError
from pbx.plan.dialling import leads_abroad, rule_for, sent_as, sent_for_help
from pbx.plan.model import OutboundRule, Plan
from pbx.sip.events import RequestAnswered, RequestFailed
from pbx.sip.headers import escape_user
from pbx.sip.user_agent import UserAgent

if TYPE_CHECKING:
    from pbx.call.leg import Leg

log = logging.getLogger(__name__)

SILENT_AFTER: Final = 4.0
"""Seconds without any response after which the next line is tried, where there is one."""

_UNANSWERED: Final = frozenset({"timeout", "silent", "transport"})
"""Why a call failed by a line that is to be tried last for a while."""


class Payer(Protocol):
    """What dialling out needs to know of an extension."""

    @property
    def caller_id(self) -> str | None:
        """Return the number that the outside sees; None for the rule's or the line's."""


class LinesDirectory(Protocol):
    """The directory as far as lines need it."""

    def trunks(self) -> Sequence[TrunkEntry]:
        """Return all trunks, by name."""

    def extension(self, number: str) -> Payer | None:
        """Return the extension of that number."""


class Lines:
    """The lines of the office; to be told of changes by `directory_changed`."""

    def __init__(
        self,
        ua: UserAgent,
        *,
        directory: LinesDirectory,
        outward: Outward,
        now: Callable[[], float],
        alarm: Callable[[str], None],
        new_call_id: Callable[[], str],
        limits: TollFraudLimits = UNLESS_TOLD,
    ) -> None:
        self._ua = ua
        self._directory = directory
        self._advertise = outward.advertise
        self._now = now
        self._alarm = alarm
        self._new_call_id = new_call_id
        self._toll_fraud = TollFraud(limits)
        self._watch = LineWatch(ua, outward=outward, now=now, alarm=alarm)
        self._lines: dict[str, Line] = {}
        self._out: dict[Leg, Line] = {}

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def get(self, name: str) -> Line | None:
        """Return the line of that name."""
        return self._lines.get(name)

    def of_token(self, token: str) -> Line | None:
        """Return the line whose registration has this Contact (architecture §7)."""
        return next((each for each in self if each.client and each.entry.token == token), None)

    # -- going out ---------------------------------------------------------------------------

    async def dial(
        self, number: str, *, plan: Plan, by: str | None, caller_id: str | None = None
    ) -> Contact | Outcome:
        """Return what to ring for a number of the outside, or why nobody can be.

        It is one contact: its `otherwise` are the further lines, which `Ringing` takes to by itself
        where one fails (408, 5xx, no answer at all). Ring it at once: limits were asked for now.
        `number` is what would be dialled; `by` is the extension on whose behalf it is (who dials,
        or who transfers), None for the dialplan's own; `caller_id` the number that a queue or flow
        wants to show.

        The outcome is 404 where no rule of `outbound` has the number, 403 where the toll-fraud
        guard refuses it, 503 where no line has room.
        """
        for_help = sent_for_help(plan, number)
        emergency = for_help is not None
        rule = rule_for(plan, number)
        if rule is None:
            if not emergency:
                return NO_RULE
            rule = OutboundRule("emergency", (number,), (), emergency=True)
        sent = sent_as(rule, number) if for_help is None else for_help
        abroad = not emergency and leads_abroad(rule, number, plan.defaults.country)
        lines = self._in_order(rule, emergency=emergency)
        found = [line for line in lines if await self._watch.find(line)]
        # Nothing is waited for from here on: who dials at the same moment finds the limits as they
        # are with this call.
        if abroad and not self._may_go_abroad(by):
            return DENIED
        usable = [line for line in found if emergency or line.has_room(self._now())]
        extension = None if by is None else self._directory.extension(by)
        wanted = (None if extension is None else extension.caller_id, caller_id)
        tries: list[Contact] = []
        for line in usable:
            shown = number_shown(line, wanted, by_rule=rule.caller_id, spelled=plan.spelled)
            tries.append(self._by(line, number, sent, shown))
        if not tries:
            self._alarm(_no_line(rule, lines))
            return NO_LINE
        if abroad:
            self._toll_fraud.count(by, self._now())
        if emergency:
            self._alarm(f"emergency call: {by or 'the dialplan'} calls {number}")
        first, *others = [_paid(each, by, abroad, each is tries[-1]) for each in tries]
        return replace(first, otherwise=tuple(others))

    def _by(self, line: Line, number: str, sent: str, shown: str | None) -> Contact:
        """Return a number of the outside by one line."""
        host = self._advertise(line.flows[0])[0] if line.account is None else line.host
        from_, headers = identified(shown, host)
        return Contact(
            number,
            line.to(escape_user(sent)),
            line.flows,
            headers=headers,
            trunk=line.name,
            carried=Carried(from_, line.entry.token, line.account),
        )

    def _may_go_abroad(self, by: str | None) -> bool:
        why_not = self._toll_fraud.refusal(by, self._now())
        if why_not is None:
            return True
        who = "the dialplan" if by is None else f"extension {by}"
        self._alarm(
            f"toll fraud guard: a call abroad by {who} was refused: {why_not}; "
            "if it is no fraud, raise toll_fraud in callpbx.yaml"
        )
        return False

    def _in_order(self, rule: OutboundRule, *, emergency: bool) -> list[Line]:
        """Return the rule's lines, those last that seem out of order; in an emergency all lines."""
        lines = [line for name in rule.trunks if (line := self._lines.get(name)) is not None]
        if len(lines) < len(rule.trunks):
            missing = [name for name in rule.trunks if name not in self._lines]
            log.warning("outbound.%s: there is no trunk %s", rule.name, ", ".join(missing))
        if emergency:
            lines += [line for line in self if line not in lines]
        now = self._now()
        return sorted(lines, key=lambda line: not line.is_reachable(now))

    # -- what lines carry --------------------------------------------------------------------

    def refuses(self, name: str) -> bool:
        """Tell whether a line that calls us carries as many calls as it may; that is an alarm."""
        line = self._lines.get(name)
        if line is None or not line.is_full:
            return False
        self._alarm(f"trunk {name} is full: a caller was turned away at {line.calls} calls")
        return True

    def took(self, leg: Leg) -> None:
        """Note that a leg begins by a line, whose account answers for all that we send in it."""
        line = self._lines.get(leg.trunk or "")
        if line is not None:
            line.took(leg)
            if line.account is not None:
                self._ua.prove_as(leg.invite, line.account)

    def went_out(self, leg: Leg, carried: Carried) -> None:
        """Note that a leg was dialled by a line."""
        line = self._lines.get(leg.trunk or "")
        if line is not None:
            line.went_out(self._now())
            self._out[leg] = line
        if carried.abroad:
            self._toll_fraud.begun(leg, carried.by)

    def let_go(self, leg: Leg) -> None:
        """Note that a leg is over."""
        line = self._lines.get(leg.trunk or "")
        if line is not None:
            line.let_go(leg)
        self._toll_fraud.ended(leg)
        out = self._out.pop(leg, None)
        ending = leg.ending
        if out is None or ending is None or ending.by == "local" or ending.was_up:
            return
        if ending.reason in _UNANSWERED:
            out.suspect("a call had no answer", self._now())
        elif ending.status in (401, 403, 407, 503):
            out.error = f"a call was refused: {ending.status}"
            if ending.status == 503:
                out.suspect(out.error, self._now())

    # -- being there -------------------------------------------------------------------------

    def directory_changed(self) -> None:
        """Take the lines as the directory has them now; one that changed begins anew."""
        before, self._lines = self._lines, {}
        for entry in self._directory.trunks():
            known = before.pop(entry.name, None)
            if known is not None and known.entry == entry:
                self._lines[entry.name] = known
                continue
            if known is not None:
                self._watch.forget(known)
            try:
                line = Line(
                    entry,
                    call_id=self._new_call_id(),
                    realm_refused=partial(self._realm_refused, entry.name),
                )
            except MessageError as error:
                self._alarm(f"trunk {entry.name} cannot be used: {entry.server} ({error})")
                continue
            if known is not None:
                line.stand_in_for(known)
            self._lines[entry.name] = line
        for gone in before.values():
            self._watch.forget(gone)

    def tick(self) -> None:
        """Register and probe where that is due: once a second."""
        self._watch.tick(self)

    def take(self, event: RequestAnswered | RequestFailed) -> bool:
        """Take the outcome of a request that a line sent; False where it was another's."""
        return self._watch.take(event)

    async def stop(self) -> None:
        """Take back our registrations; the server ends."""
        await self._watch.stop(self)

    def _realm_refused(self, name: str, realm: str) -> None:
        line = self._lines.get(name)
        known = line.account.realm if line is not None and line.account is not None else ""
        self._alarm(
            f"trunk {name} was asked for its password by realm {realm!r}, not {known!r}, and did "
            "not answer; if the carrier changed its realm, remove the trunk and add it again"
        )


def _paid(contact: Contact, by: str | None, abroad: bool, last: bool) -> Contact:
    """Return a contact that says who pays, and how long its line may be silent."""
    assert contact.carried is not None
    silent_after = None if last else SILENT_AFTER
    carried = replace(contact.carried, by=by, abroad=abroad, silent_after=silent_after)
    return replace(contact, carried=carried)


def _no_line(rule: OutboundRule, lines: Sequence[Line]) -> str:
    """Return what an administrator is told when a call found no line."""
    if not lines:
        return f"outbound.{rule.name}: none of its trunks exists; add them with callpbx trunk add"
    told = ", ".join(f"{line.name} ({line.calls} calls)" for line in lines)
    return f"outbound.{rule.name}: a call was not made, no line has room: {told}"
