"""Which rule of `outbound` a dialled number goes out by.

With `emergency` a number is matched whole, else by its first digits, of which the longest wins;
of equals the rule that stands first.
"""

from __future__ import annotations

from pbx.plan.model import OutboundRule, Plan
from pbx.plan.numbering import is_emergency


def emergency_rule(plan: Plan, number: str) -> OutboundRule | None:
    """Return the rule that says that this number, whole, calls for help."""
    for rule in plan.outbound.values():
        if rule.emergency and number in rule.match:
            return rule
    return None


def rule_for(plan: Plan, number: str) -> OutboundRule | None:
    """Return the rule that a number goes out by; None: by none."""
    rule = emergency_rule(plan, number)
    if rule is not None:
        return rule
    best: tuple[int, OutboundRule] | None = None
    for rule in plan.outbound.values():
        for prefix in () if rule.emergency else rule.match:
            if number.startswith(prefix) and (best is None or len(prefix) > best[0]):
                best = len(prefix), rule
    return None if best is None else best[1]


def is_help(plan: Plan, number: str) -> bool:
    """Tell whether a number calls for help: by a rule of the plan, or in its country."""
    return emergency_rule(plan, number) is not None or is_emergency(number, plan.defaults.country)


def sent_as(rule: OutboundRule, number: str) -> str:
    """Return what the carrier is sent for a dialled number."""
    return rule.add + number[rule.strip :]
