"""`callpbx cdr …`: lists, one record, exports, and times as people write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from pbx.cdr.record import (
    AgentPart,
    CalledBack,
    QualityRow,
    Recorded,
    Segment,
    Supervised,
    Surveyed,
)
from pbx.cli.cdr import RESULTS, moment
from pbx.config import Home
from pbx.events import Result
from tests.api.office_double import OfficeDouble, record_of
from tests.cli.conftest import Command

EAST = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=EAST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T08:00:00Z", datetime(2026, 11, 21, 8, 0, tzinfo=UTC)),
        ("2026-11-21 08:00+08:00", datetime(2026, 11, 21, 8, 0, tzinfo=EAST)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


def test_days_begin_at_midnight_here() -> None:
    now = datetime.now().astimezone()
    today, yesterday = moment("today", now), moment("yesterday", now)
    assert (today.hour, today.minute, today.date()) == (0, 0, now.date())
    assert (yesterday.hour, yesterday.date()) == (0, now.date() - timedelta(days=1))
    assert moment(f"{now:%Y-%m-%d}", now) == today


def test_every_result_can_be_asked_for() -> None:
    assert set(RESULTS) == set(Result.__args__)  # type: ignore[attr-defined]


def test_records_are_listed(live: OfficeDouble, command: Command) -> None:
    assert command("cdr", "list")[1] == "No records\n"
    live.records.rows = [record_of(f"c{number}") for number in range(1200)]
    _, out, _ = command("cdr", "list", "--limit", "2")
    assert [line.split()[0] for line in out.splitlines()] == ["Call", "c0", "c1"]
    assert "101 王小明" in out
    assert "0:10" in out
    _, out, _ = command("cdr", "list", "--limit", "1100", "--json")
    assert len(json.loads(out)) == 1100


def test_a_list_is_narrowed(live: OfficeDouble, command: Command) -> None:
    command(
        *("cdr", "list", "--since", "2026-11-21T08:00:00Z", "--from", "101", "--to", "102"),
        *("--result", "busy", "--queue", "q", "--agent", "7"),
    )
    (query,) = live.records.asked
    assert (query.since, query.from_, query.to) == (1795248000.0, "101", "102")
    assert (query.result, query.queue, query.agent, query.limit) == ("busy", "q", "7", 50)
    status, _, err = command("cdr", "list", "--since", "noonish")
    assert status == 2
    assert '"noonish" is no time; write 2026-11-21' in err


def test_csv_goes_to_stdout(live: OfficeDouble, command: Command) -> None:
    live.records.rows = [record_of("c0")]
    status, out, _ = command("cdr", "list", "--csv")
    assert status == 0
    assert out.startswith("id,direction")


def test_one_record_with_all_there_is(live: OfficeDouble, command: Command) -> None:
    segment = Segment(
        kind="talk",
        with_="102",
        started_at="2026-11-21T08:00:02.223Z",
        ended_at="2026-11-21T08:00:12.423Z",
        result="answered",
    )
    quality = QualityRow(
        leg="caller",
        direction="received",
        codec="PCMA",
        packets=500,
        loss_percent=0.0,
        jitter_ms=0.4,
        mos=4.41,
    )
    live.records.rows = [record_of("c0", segments=(segment,), quality=(quality,))]
    _, out, _ = command("cdr", "show", "c0")
    assert "answered (bye), ended by caller" in out
    assert "duration 12.3, wait 0.0, ring 2.1, talk 10.2, hold 0.0, wrap-up 0.0" in out
    assert "4.41" in out
    _, out, _ = command("cdr", "show", "c0", "--json")
    assert json.loads(out)["quality"][0]["mos"] == 4.41
    assert command("cdr", "show", "c1") == (1, "", "there is no record of a call c1\n")


def test_who_supervised_and_what_was_recorded_is_shown(
    live: OfficeDouble, command: Command
) -> None:
    began, ended = "2026-11-21T08:00:02.000Z", "2026-11-21T08:00:07.500Z"
    watch = Supervised(by="103", mode="whisper", started_at=began, ended_at=ended)
    tape = Recorded(id="c0-1", started_at=began, seconds=5.5, sha256="0" * 64, error=None)
    live.records.rows = [record_of("c0", supervision=(watch,), recordings=(tape,))]
    lines = command("cdr", "show", "c0")[1].splitlines()
    assert any(line.startswith("103 ") and "whisper" in line and "5.5" in line for line in lines)
    assert any(line.startswith("c0-1 ") and "5.5" in line for line in lines)


def test_tags_and_opinions_are_shown_where_there_are_some(
    live: OfficeDouble, command: Command
) -> None:
    plain = record_of("c0")
    asked = msgspec.structs.replace(plain, tags=("order_done",), survey=Surveyed(name="csat"))
    answer = Surveyed(name="csat", key="1", meaning="满意")
    answered = msgspec.structs.replace(plain, survey=answer)
    for record, tags, opinion in (
        (plain, None, None),
        (asked, "order_done", "csat: no answer"),
        (answered, None, "csat: 1 (满意)"),
    ):
        live.records.rows = [record]
        lines = command("cdr", "show", "c0")[1].splitlines()
        shown = dict(line.split(maxsplit=1) for line in lines if line[:1].strip() and " " in line)
        assert (shown.get("Tags"), shown.get("Survey")) == (tags, opinion)


def test_exports_hold_everything(live: OfficeDouble, command: Command, tmp_path: Path) -> None:
    live.records.rows = [record_of(f"c{number}") for number in range(1500)]
    for name, lines in (("all.csv", 1501), ("all.jsonl", 1500)):
        file = tmp_path / name
        assert command("cdr", "export", str(file)) == (0, f"{file} is written\n", "")
        assert len(file.read_text().splitlines()) == lines


def test_an_export_overwrites_nothing(live: OfficeDouble, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_text("mine")
    status, _, err = command("cdr", "export", str(file))
    assert (status, err) == (1, f"{file} exists; choose another name or remove it\n")
    assert file.read_text() == "mine"
    status, _, err = command("cdr", "export", str(tmp_path / "no" / "all.csv"))
    assert status == 1
    assert "cannot be written: No such file" in err
    assert command("cdr", "export", str(tmp_path / "all.xlsx"))[0] == 2
    assert live.live is not None


def test_what_came_of_a_call_is_written_down_and_shown(
    live: OfficeDouble, command: Command
) -> None:
    noted = record_of(
        "c0",
        agent="102",
        queue="service",
        disposition="refund",
        note="angry",
        callback=CalledBack(number="138", result="answered", waited_s=61.0, agent="103", tries=2),
        agents=(
            AgentPart(
                agent="102", queue="service", began_at="2026-11-21T08:00:02.000Z", result="answered"
            ),
        ),
    )
    live.records.rows = [noted]
    status, out, _ = command("cdr", "note", "c0", "--disposition", "refund", "--note", "angry")
    assert (status, out) == (0, "Call c0: refund: angry\n")
    assert json.loads(command("cdr", "note", "c0", "--note", "x", "--json")[1])["id"] == "c0"
    status, _, err = command("cdr", "note", "c0")
    assert (status, "say --disposition or --note" in err) == (2, True)
    out = command("cdr", "show", "c0")[1]
    assert "102, queue service" in out
    assert "138: answered by 103 after 1:01, tries: 2" in out
    assert "refund: angry" in out


def test_a_note_needs_no_server(office: Home, command: Command) -> None:
    assert command("cdr", "note", "c0", "--note", "x") == (
        1,
        "",
        "there is no record of a call c0\n",
    )


def test_who_was_lost_is_listed_with_who_spoke_to_them_since(
    live: OfficeDouble, command: Command
) -> None:
    lost = record_of("c0", result="abandoned", queue="service", wait_s=30.0)
    live.records.rows = [lost]
    _, out, _ = command("cdr", "list", "--result", "abandoned", "--queue", "service")
    assert "Called back?" in out
    assert "yes, 2026-11-21" in out
    assert [(asked.to, asked.result) for asked in live.records.asked[1:]] == [("101", "answered")]
