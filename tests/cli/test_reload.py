"""`callpbx reload`: what it says of a reload, a rollback, a trial, and of what is refused."""

from __future__ import annotations

import json

from pbx.api.views import ChangedNumber, DialplanProblem, DialplanReload
from pbx.config import Home
from pbx.errors import Refused
from tests.api.office_double import OfficeDouble
from tests.cli.conftest import Command

WARNING = DialplanProblem(
    code="W020",
    severity="warning",
    file="dialplan.yaml",
    line=9,
    column=3,
    sentence='nothing leads to menu "old"',
    suggestion="remove it",
)
ERROR = DialplanProblem(
    code="E014", severity="error", file="dialplan.yaml", line=4, column=7, sentence="unknown"
)


def said(live: OfficeDouble, **fields: object) -> None:
    """Let the server give this answer."""
    given = {"version": "v42", "version_id": "abc", "before": "v41", "rolled_back": False}
    assert live.live is not None
    live.live.dialplan.answer = DialplanReload(**{**given, **fields})  # type: ignore[arg-type]


def test_a_reload_tells_the_version_and_warnings(live: OfficeDouble, command: Command) -> None:
    said(live, problems=(WARNING,))
    assert command("reload") == (
        0,
        "1 warning: callpbx check lists them\n"
        "v42 is in force (was v41); calls that are up finish on theirs\n",
        "",
    )


def test_nothing_new_is_told(live: OfficeDouble, command: Command) -> None:
    said(live, before="v42")
    assert command("reload")[1] == "v42 is in force; the dialplan has not changed\n"


def test_a_rollback_tells_that_the_file_is_newer(live: OfficeDouble, command: Command) -> None:
    said(live, version="v41", before="v42", rolled_back=True)
    assert command("reload", "--rollback") == (
        0,
        "v41 is in force again (was v42)\n"
        "dialplan.yaml is newer: the next reload or restart takes it; "
        "to keep v41, copy what is in var/dialplan/v41 over it\n",
        "",
    )
    assert live.live is not None
    assert live.live.dialplan.asked == ["rollback"]


def test_a_trial_lists_the_numbers_that_change(live: OfficeDouble, command: Command) -> None:
    said(
        live,
        before="v42",
        numbers=(
            ChangedNumber(number="4001", was="flow:a", now="flow:a", because=("a", "b", "c", "d")),
            ChangedNumber(number="4002", was=None, now="ext:101"),
        ),
        sections=("outbound",),
    )
    status, printed, _ = command("reload", "--dry-run")
    assert status == 0
    assert printed.splitlines() == [
        "Number  Was     Now      Because of",
        "4001    flow:a  flow:a   a, b, c and 1 more",
        "4002    –       ext:101  –",
        "Other sections that change: outbound",
        "Nothing was touched; v42 is in force",
    ]


def test_a_trial_of_a_broken_file_exits_1(live: OfficeDouble, command: Command) -> None:
    said(live, version="v41", problems=(WARNING, ERROR))
    status, printed, _ = command("reload", "--dry-run")
    assert status == 1
    assert printed.splitlines() == [
        "dialplan.yaml:4:7 E014 unknown",
        "2 problems (1 error). Reload would keep v41.",
    ]


def test_as_json_it_is_what_the_server_says(live: OfficeDouble, command: Command) -> None:
    said(live, problems=(WARNING,))
    report = json.loads(command("reload", "--json")[1])
    assert report["version"] == "v42"
    assert report["problems"][0]["code"] == "W020"


def test_what_is_refused_is_told_and_exits_1(live: OfficeDouble, command: Command) -> None:
    assert live.live is not None
    sentence = (
        "dialplan.yaml:4:7 E014 unknown\n1 problem (1 error). Running configuration v41 kept."
    )
    live.live.dialplan.refusal = Refused(sentence)
    assert command("reload") == (1, "", sentence + "\n")


def test_without_a_server_it_says_how_to_start_one(office: Home, command: Command) -> None:
    assert command("reload") == (1, "", "callpbx is not running; start it with callpbx serve\n")


def test_a_trial_of_a_rollback_is_wrong_usage(live: OfficeDouble, command: Command) -> None:
    assert command("reload", "--dry-run", "--rollback")[0] == 2
