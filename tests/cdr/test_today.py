"""The live figures of a day: the same as its report, by whatever way they were counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbx.cdr.closing import record_of
from pbx.cdr.counts import Counts, Rules
from pbx.cdr.figures import figures_of
from pbx.cdr.fold import fold_all
from pbx.cdr.kpi import KPIS
from pbx.cdr.outbox import Outbox
from pbx.cdr.reconcile import missing
from pbx.cdr.report import AGENT_FIGURES, QUEUE_FIGURES, Ledger
from pbx.cdr.today import Today
from pbx.events.bus import Stamped
from tests.cdr.story import CALLER, START, Story, queue_call
from tests.kit.clock import VirtualClock

RULES = Rules(timezone="Asia/Shanghai", service_level_s={"service": 20.0, "tech": 10.0})
MIDNIGHT = 1_795_276_800.0
"""The end of 2026-11-21 in Shanghai."""

AGENTS = ("102", "103")


def waiting(call: str, seq: int, queue: str, wait: float, result: str | None) -> Story:
    """Return a caller who waits and is not served; `result` None: hangs up."""
    story = Story(call, seq=seq).began(caller="13800138000").invited(CALLER, "caller", "1")
    story.picks_up(CALLER).in_queue(queue).offered("103", queue).wait(wait)
    story.declined("103", "no_answer", queue)
    if result is not None:
        story.out_of_queue(queue, result).wait(1)
    return story.ends(CALLER).over("abandoned" if result is None else "failed", "x")


@st.composite
def days(draw: st.DrawFn) -> list[list[Stamped]]:
    """Return the events of some calls, each call's by itself."""
    calls = []
    for number in range(draw(st.integers(0, 12))):
        queue = draw(st.sampled_from(["service", "tech"]))
        wait, seq = draw(st.floats(3.0, 60.0)), number * 100 + 1
        result = draw(st.sampled_from(["answered", None, "timeout", "callback", "full", "moved"]))
        if result == "answered":
            agent = draw(st.sampled_from(AGENTS))
            meaning = draw(st.sampled_from([None, "满意", "一般"]))
            story = queue_call(
                f"c{number}", seq=seq, wait=wait, agent=agent, queue=queue, meaning=meaning
            )
            story.wait(5).wrapped_up(agent, draw(st.floats(0.0, 30.0)))
        else:
            story = waiting(f"c{number}", seq, queue, wait, result)
        calls.append(story.events)
    return calls


def differ(ours: Counts, theirs: Counts) -> list[str]:
    """Return the figures in which two counts differ."""
    ours.period = theirs.period = 0
    ours.repeated = theirs.repeated = ours.contacts = theirs.contacts = 0
    ids = [*QUEUE_FIGURES, *AGENT_FIGURES]
    return [id_ for id_ in ids if KPIS[id_].of(ours) != KPIS[id_].of(theirs)]


@given(days(), st.integers(1, 9))
def test_a_closed_day_differs_in_nothing_from_its_report(
    calls: list[list[Stamped]], breath: int
) -> None:
    clock = VirtualClock()
    today = Today(clock, lambda: RULES)
    outbox = Outbox(listener=today)
    for number, stamped in enumerate([stamped for call in calls for stamped in call]):
        outbox.take(stamped)
        if number % breath == 0:
            outbox.seal()
    outbox.seal()
    ledger = Ledger(RULES, round((MIDNIGHT - 86_400) * 1000), round(MIDNIGHT * 1000), "day")
    for call in calls:
        folded = fold_all(call)
        assert folded is not None
        figures = figures_of(record_of(folded))
        if figures is not None:
            ledger.add(figures)
    (tally,) = [page.tally for page in ledger.pages] or [None]
    for queue in ("service", "tech"):
        counts = Counts() if tally is None else tally.queues.get(queue, Counts())
        assert differ(today.counts(queue), counts) == []
        assert missing(counts) == 0
    for agent in AGENTS:
        counts = Counts() if tally is None else tally.agents.get(agent, Counts())
        assert differ(today.agent(agent), counts) == []


def test_a_caller_counts_when_the_wait_is_over_and_not_when_the_call_is() -> None:
    clock = VirtualClock()
    today = Today(clock, lambda: RULES)
    outbox = Outbox(listener=today)
    for stamped in queue_call().events[:9]:
        outbox.take(stamped)
    outbox.seal()
    shown = today.queue("service")
    assert (shown.offered, shown.answered, shown.abandoned) == (1, 1, 0)
    assert (shown.service_level, shown.formula) == (100.0, "SL(20 s), of offered")
    assert today.queue("nobody").service_level is None


def test_all_begins_anew_at_midnight_of_the_office() -> None:
    clock = VirtualClock()
    today = Today(clock, lambda: RULES)
    today.count(queue_call(wall=START).record())
    assert today.queue("service").offered == 1
    clock.set_wall(MIDNIGHT + 1)
    assert today.queue("service").offered == 0
    today.count(queue_call(wall=START).record())
    assert today.queue("service").offered == 0
    assert today.midnight == MIDNIGHT
