"""`callpbx simulate --queue NAME`: a day of one queue, before anybody lives through it.

The queue is the dialplan's, with its strategy, its limits and its times; agents, callers and
chance are made up. The engine is the one that serves real callers (`pbx/acd`), loaded when it is
asked for.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pbx.cli.output import can_print, print_json
from pbx.cli.text import pad, pad_left, visible
from pbx.config import did_you_mean
from pbx.plan.model import Plan, Queue

if TYPE_CHECKING:
    from pbx.acd.simulation import Seen, Simulation

HOUR: Final = 3600.0

SLOT_MINUTES: Final = 30
"""One line of the picture is so long."""

MOST_CALLS: Final = 100_000
"""Calls an hour that a day may have."""

WIDEST: Final = 50
"""Cells of the longest bar."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Day:
    """What is made up for a day. Times are seconds; `calls_per_hour` is by hour, the last goes on;
    with a `patience` of 0 nobody leaves."""

    agents: int
    calls_per_hour: tuple[float, ...]
    talk: float
    patience: float
    pick_up: float
    hours: float
    seed: int


def _rates(_ctx: click.Context, _option: click.Parameter, text: str) -> tuple[float, ...]:
    """Read `120`, or `40,90,60` for the first, the second and all later hours."""
    try:
        rates = tuple(float(rate) for rate in text.split(","))
    except ValueError:
        rates = ()
    if not rates or not all(0 <= rate <= MOST_CALLS for rate in rates):
        raise click.BadParameter(f'"{text}" is no number of calls; write 120, or 40,90,60 by hour')
    return rates


def day_options(command: F) -> F:
    """Add the options of a day."""
    for option in (
        click.option("--seed", type=int, default=1, help="Another seed is another day."),
        click.option(
            "--hours", type=click.FloatRange(0.5, 24 * 31), default=8.0, help="How long a day is."
        ),
        click.option(
            "--pick-up",
            type=click.FloatRange(0, 14),
            default=4.0,
            metavar="SECONDS",
            help="How long an agent's phone rings.",
        ),
        click.option(
            "--patience",
            type=click.FloatRange(0, 86_400),
            default=120.0,
            metavar="SECONDS",
            help="How long callers wait on the average before they give up; 0: for ever.",
        ),
        click.option(
            "--talk",
            type=click.FloatRange(1, 86_400),
            default=180.0,
            metavar="SECONDS",
            help="How long a talk is on the average; the queue's wrap_up follows it.",
        ),
        click.option(
            "--calls-per-hour",
            callback=_rates,
            default="60",
            metavar="N[,N…]",
            help="How many call a queue; several numbers are of one hour after the other.",
        ),
    ):
        command = option(command)
    return command


def simulate_day(plan: Plan, name: str, day: Day, *, as_json: bool) -> None:
    """Live through a day of a queue, and print what became of the callers."""
    queue = plan.queues.get(name)
    if queue is None:
        there = did_you_mean(name, plan.queues) or f"it has {', '.join(plan.queues) or 'none'}"
        raise click.UsageError(f'--queue: the dialplan has no "{name}" — {there}')
    simulation = _lived(queue, day)
    found = _figures(queue, simulation, day)
    most = _most_waiting(simulation.seen[name], day.hours)
    if as_json:
        print_json({"queue": name, **asdict(day), **found, "most_waiting": most})
        return
    _print(queue, day, found)
    _picture(most)


def _lived(queue: Queue, day: Day) -> Simulation:
    from pbx.acd.model import Profile
    from pbx.acd.simulation import Demand, Simulation

    crew = [Profile(number=str(1001 + count), skills=queue.skills) for count in range(day.agents)]
    demand = Demand(
        queue=queue,
        calls_per_hour=day.calls_per_hour,
        talk_s=day.talk,
        patience_s=day.patience or None,
    )
    simulation = Simulation([demand], crew, random.Random(day.seed), pick_up_s=day.pick_up)
    simulation.run(day.hours * HOUR)
    return simulation


def _figures(queue: Queue, simulation: Simulation, day: Day) -> dict[str, Any]:
    """Return what came of it; shares are 0 to 1, None where there is nothing to divide."""
    seen = simulation.seen[queue.name]
    waits = seen.answered_waits()
    within = queue.service_level[1]
    took = [work.calls for work in simulation.work.values()]
    return {
        "calls": seen.joined,
        "answered": len(waits),
        "service_level": _share(sum(wait <= within for wait in waits), seen.joined),
        "abandoned": len(seen.waits) - len(waits),
        "sent_away": dict(seen.away),
        "waiting": seen.waiting[-1] if seen.waiting else 0,
        "asa_s": _share(sum(waits), len(waits)),
        "longest_wait_s": round(max(seen.waits, default=0.0), 1),
        "occupancy": _share(simulation.busy_s(), day.agents * day.hours * HOUR),
        "calls_of_an_agent": [min(took, default=0), max(took, default=0)],
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _most_waiting(seen: Seen, hours: float) -> list[int]:
    """Return how many waited at most, in each slot of the day."""
    slot = SLOT_MINUTES * 60.0
    most = [0] * max(1, round(hours * HOUR / slot))
    for moment, waiting in zip(seen.changed_at, seen.waiting, strict=True):
        at = min(int(moment / slot), len(most) - 1)
        most[at] = max(most[at], waiting)
    return most


def _print(queue: Queue, day: Day, found: dict[str, Any]) -> None:
    rates = ", ".join(f"{rate:g}" for rate in day.calls_per_hour)
    patience = f"patience {day.patience:g} s" if day.patience else "nobody gives up"
    click.echo(
        f"{visible(queue.name)}: {day.hours:g} h, {rates} calls an hour, {day.agents} agents,"
        f" {queue.strategy}\ntalk {day.talk:g} s, wrap-up {queue.wrap_up_s:g} s, {patience},"
        f" picked up after {day.pick_up:g} s, seed {day.seed}\n"
    )
    percent, within = queue.service_level
    calls = found["calls"]
    away = sum(found["sent_away"].values())
    reasons = ", ".join(f"{count} {why}" for why, count in found["sent_away"].items())
    low, high = found["calls_of_an_agent"]
    for title, figure, remark in (
        ("calls", calls, ""),
        ("answered", found["answered"], _percent(_share(found["answered"], calls))),
        (
            "service level",
            _percent(found["service_level"]),
            f"answered within {within:g} s, of all calls; the goal is {percent} %",
        ),
        ("abandoned", found["abandoned"], _percent(_share(found["abandoned"], calls))),
        ("sent away", away, reasons),
        ("still waiting", found["waiting"], "when the day ended"),
        ("ASA", _seconds(found["asa_s"]), "the mean wait of those answered"),
        ("longest wait", _seconds(found["longest_wait_s"]), ""),
        ("occupancy", _percent(found["occupancy"]), "talk and wrap-up, of the time on duty"),
        ("calls an agent", f"{low}–{high}", "the fewest and the most that one took"),
    ):
        click.echo(f"{pad(title, 15)}{pad_left(str(figure), 9)}  {remark}".rstrip())


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"


def _picture(most: list[int]) -> None:
    """Draw how many waited."""
    block = "█" if can_print("█") else "#"
    scale = min(1.0, WIDEST / max(*most, 1))
    click.echo(f"\nmost callers who waited at once, in each {SLOT_MINUTES} minutes of the day")
    for slot, waiting in enumerate(most):
        hours, minutes = divmod(slot * SLOT_MINUTES, 60)
        bar = block * (max(1, round(waiting * scale)) if waiting else 0)
        click.echo(f"{hours:2}:{minutes:02}  " + f"{bar} {waiting}".lstrip())
