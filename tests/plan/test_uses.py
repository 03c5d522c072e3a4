"""Where the branches of `hours` steps lead."""

from __future__ import annotations

from pbx.plan.destination import HANGUP, Destination
from pbx.plan.model import Flow, Menu, Plan
from pbx.plan.step import Branch, Mark, Step
from pbx.plan.uses import Use, uses_of

MAIN, NIGHT = Destination("menu", "main"), Destination("flow", "night")


def hours(line: int = 1, **outcomes: Branch) -> Step:
    return Step("hours", {"schedule": "office"}, outcomes, Mark("dialplan.yaml", line, 7))


def use_of(*steps: Step) -> Use:
    (use,) = uses_of(Plan("test", flows={"front": Flow("front", steps)}), "office")
    return use


def test_destinations_are_named_as_in_the_file() -> None:
    use = use_of(hours(68, open=MAIN, closed=NIGHT, holiday=Destination("menu", "holiday")))
    assert (use.place, str(use.mark)) == ("flow:front", "dialplan.yaml:68")
    assert [use.lead(state) for state in ("open", "closed", "holiday")] == [
        "menu:main",
        "flow:night",
        "menu:holiday",
    ]


def test_a_holiday_of_which_nothing_is_said_is_closed_and_the_rest_goes_on() -> None:
    use = use_of(hours(closed=NIGHT))
    assert (use.open, use.closed, use.holiday) == ("next step", "flow:night", "flow:night")


def test_steps_lead_where_the_last_of_them_goes() -> None:
    say = Step("say", {"prompts": ("closed",)})
    use = use_of(
        hours(
            open=(say, Step("goto", {"to": MAIN})),
            closed=(say, Step("hangup", {"cause": "normal"})),
            holiday=(say,),
        )
    )
    assert (use.open, use.closed, use.holiday) == ("menu:main", "hangup", "say, then next step")


def test_steps_within_outcomes_and_menus_are_found() -> None:
    nested = Step("if", {}, {"then": (hours(2, open=MAIN),)})
    menu = Menu("m", (), {"1": HANGUP, "2": (hours(9, open=MAIN),)}, give_up=(hours(10),))
    plan = Plan(
        "test",
        flows={"front": Flow("front", (nested, Step("hours", {"schedule": "shop"})))},
        menus={"m": menu},
    )
    found = [(use.place, use.mark.line) for use in uses_of(plan, "office")]
    assert found == [("flow:front", 2), ("menu:m", 9), ("menu:m", 10)]
