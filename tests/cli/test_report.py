"""`callpbx report …`: tables with their formulas, JSON, CSV, a picture of a day."""

from __future__ import annotations

import csv
import io
import json

import pytest

from pbx.cdr.figures import Figures, figures_of
from pbx.cdr.report import FIGURES
from pbx.cli.output import figures
from pbx.cli.report import TITLES, _bar, _fitting
from pbx.config import Home
from tests.api.office_double import OfficeDouble
from tests.cdr.story import START, queue_call
from tests.cli.conftest import Command

HOUR = 3600.0
ANOTHER = "in this time; another one: --since yesterday, --since 7d"


def counted(*hours: float, queue: str = "service", meaning: str | None = None) -> list[Figures]:
    """Return what counts of calls that began so many hours after 16:00 in Shanghai."""
    calls = []
    for number, hour in enumerate(hours):
        story = queue_call(f"c{number}", wall=START + hour * HOUR, queue=queue, meaning=meaning)
        found = figures_of(story.wrapped_up("102", 5.0).record())
        assert found is not None
        calls.append(found)
    return calls


def test_a_table_stands_above_the_formulas_of_its_columns(
    live: OfficeDouble, command: Command
) -> None:
    live.reports.calls = counted(0, 0.1) + counted(0.2, queue="tech")
    status, out, err = command("report", "queues")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[:4] == ["Queue", "Offered", "Answered", "Abandoned"]
    assert [line.split()[:3] for line in lines[1:4]] == [
        ["service", "2", "2"],
        ["tech", "1", "1"],
        ["all", "3", "3"],
    ]
    assert any("SL(20 s), of offered = answered within" in line for line in lines)
    assert "No CSAT %: nobody answered the survey" in lines
    assert lines[-1] == "Hours and days are those of Asia/Shanghai"


def test_a_figure_that_no_row_has_takes_no_column(live: OfficeDouble, command: Command) -> None:
    live.reports.calls = counted(0)
    assert "CSAT" not in command("report", "queues")[1].splitlines()[0]
    live.reports.calls = counted(0, meaning="满意")
    assert "CSAT" in command("report", "queues")[1].splitlines()[0]


def test_nothing_counted_is_a_sentence(live: OfficeDouble, command: Command) -> None:
    assert command("report", "survey")[1] == f"No survey was asked {ANOTHER}\n"
    assert command("report", "agents")[1] == f"No agent was at work {ANOTHER}\n"
    assert command("report", "agents", "--json")[1] == "[]\n"
    assert live.reports.asked[0].since is None


def test_hours_are_drawn_before_they_are_told(live: OfficeDouble, command: Command) -> None:
    live.reports.calls = counted(0, 0.1, 0.2, 0.3, 2)
    lines = command("report", "queues", "--by", "hour")[1].splitlines()
    assert lines[0] == "Offered by hour, at most 4"
    assert lines[3] == f"2026-11-21 {' ' * 16}█ ▂"
    assert [line.split()[:4] for line in lines[6:8]] == [
        ["2026-11-21", "16:00", "service", "4"],
        ["2026-11-21", "18:00", "service", "1"],
    ]


@pytest.mark.parametrize(("count", "shown"), [(0, " "), (1, "▁"), (500, "▄"), (1000, "█")])
def test_a_bar_shows_whatever_is_there(count: float, shown: str) -> None:
    assert _bar(" ▁▂▃▄▅▆▇█", count, 1000) == shown


def test_json_is_a_bare_array_with_the_formulas(live: OfficeDouble, command: Command) -> None:
    live.reports.calls = counted(0)
    (row,) = json.loads(command("report", "agents", "--json")[1])
    assert (row["agent"], row["handled"], row["wrap_up"], row["aht"]) == ("102", 1, 5.0, 65.0)
    assert row["formulas"]["aht"] == "(talk + hold + after-call work) / handled"
    assert row["reasons"]["utilisation"] == "the paid time is not known"
    assert row["states"] == {}
    live.reports.calls = counted(0, meaning="满意")
    (row,) = json.loads(command("report", "survey", "--json")[1])
    assert (row["survey"], row["csat"], row["answers"]) == ("csat", 100.0, {"满意": 1})


def test_csv_names_the_formula_in_each_head(live: OfficeDouble, command: Command) -> None:
    live.reports.calls = counted(0)
    head, row = csv.reader(io.StringIO(command("report", "queues", "--csv")[1]))
    assert "sl_of_offered (SL(20 s), of offered)" in head
    assert row[:2] == ["service", "1970-01-01T08:00+08:00"]
    assert dict(zip(head, row, strict=True))["offered (Offered)"] == "1"


def test_answers_to_a_survey_are_told_by_their_meaning(
    live: OfficeDouble, command: Command
) -> None:
    live.reports.calls = counted(0, 1, meaning="满意") + counted(2, meaning="一般")
    assert "csat: 满意 2, 一般 1" in command("report", "survey")[1].splitlines()


def test_a_narrow_terminal_shows_the_columns_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = ["Queue", figures("Offered"), figures("Answered")]
    lines = [["service", 1, 2]]
    assert _fitting(heads, lines) == 3
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "25")
    assert _fitting(heads, lines) == 2


def test_every_column_is_a_figure_of_its_report() -> None:
    assert set(TITLES) <= set(FIGURES)
    for kind, shown in FIGURES.items():
        assert set(TITLES.get(kind, ())) <= set(shown)


def test_reports_need_no_server(office: Home, command: Command) -> None:
    status, out, err = command("report", "queues", "--since", "30d", "--by", "day")
    assert (status, out, err) == (0, f"No call came into a queue {ANOTHER}\n", "")
    status, _, err = command("report", "queues", "--since", "today", "--until", "yesterday")
    assert (status, err) == (1, "the report's time ends before it begins\n")
