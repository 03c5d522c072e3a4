"""Which rule of `outbound` a dialled number goes out by.

With `emergency` a number is matched whole, else by its first digits, of which the longest wins;
of equals the rule that stands first. What people put between digits is nothing to a carrier, and so
it is nothing here; a text with anything else in it is no number, and goes nowhere.
"""

from __future__ import annotations

import re
from typing import Final

from pbx.plan.model import OutboundRule, Plan
from pbx.plan.numbering import is_abroad, is_emergency, is_way_abroad

_SEPARATORS: Final = str.maketrans("", "", "-.() ")
"""What stands between digits for the eye alone (RFC 3966 §5.1.1)."""

_NUMBER: Final = re.compile(r"\+?[0-9*#]+")


def emergency_rule(plan: Plan, number: str) -> OutboundRule | None:
    """Return the rule that says that this number, whole, calls for help."""
    number = _digits(number)
    for rule in plan.outbound.values():
        if rule.emergency and number in rule.match:
            return rule
    return None


def rule_for(plan: Plan, number: str) -> OutboundRule | None:
    """Return the rule that a number goes out by; None: by none."""
    rule = emergency_rule(plan, number)
    if rule is not None:
        return rule
    number = _digits(number)
    if _NUMBER.fullmatch(number) is None:
        return None
    best: tuple[int, OutboundRule] | None = None
    for rule in plan.outbound.values():
        for prefix in () if rule.emergency else rule.match:
            if number.startswith(prefix) and (best is None or len(prefix) > best[0]):
                best = len(prefix), rule
    return None if best is None else best[1]


def is_help(plan: Plan, number: str) -> bool:
    """Tell whether a number calls for help: by a rule of the plan, or in its country."""
    return sent_for_help(plan, number) is not None


def sent_for_help(plan: Plan, number: str) -> str | None:
    """Return what any carrier is sent for a number that calls for help; None for other numbers.

    The country's own numbers are sent as they are, also where the plan has a rule for numbers that
    begin so (911 where 9 gets a line), and behind what such a rule takes off (9911).
    """
    rule = emergency_rule(plan, number)
    if rule is not None:
        return sent_as(rule, number)
    digits, country = _digits(number), plan.defaults.country
    if is_emergency(digits, country):
        return digits
    rule = rule_for(plan, number)
    rest = "" if rule is None else digits[rule.strip :]
    return rest if is_emergency(rest, country) else None


def sent_as(rule: OutboundRule, number: str) -> str:
    """Return what the carrier is sent for a dialled number."""
    return rule.add + _digits(number)[rule.strip :]


def leads_abroad(rule: OutboundRule, number: str, country: str) -> bool:
    """Tell whether a dialled number leads to another country, whatever the rule takes off or adds:
    a carrier may want numbers without 00, or with a code of its own before them."""
    digits = _digits(number)
    off, rest = digits[: rule.strip], digits[rule.strip :]
    if is_abroad(rule.add + rest, country) or is_abroad(rest, country):
        return True
    ways = (at for at in range(len(off)) if is_way_abroad(off[at:], country))
    return any(is_abroad(digits[at:], country) for at in ways)


def _digits(number: str) -> str:
    """Return a number without what stands between its digits."""
    return number.translate(_SEPARATORS)
