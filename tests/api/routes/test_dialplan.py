"""The dialplan over the API: which one is in force, reload, rollback, trial."""

from __future__ import annotations

import pytest

from pbx.errors import NotFound, NotRunning, Refused
from tests.api.office_double import OfficeDouble, client_of


def test_the_dialplan_in_force_is_shown_with_those_before() -> None:
    with client_of(OfficeDouble()) as api:
        assert api.get("/dialplan") == {
            "version": "v42",
            "version_id": "abc",
            "since": "2026-11-21T08:00:00.000Z",
            "rolled_back": False,
            "versions": [
                {"version": "v42", "version_id": "abc", "since": "2026-11-21T08:00:00.000Z"}
            ],
        }


@pytest.mark.parametrize(
    ("path", "asked"),
    [("reload", "reload"), ("rollback", "rollback"), ("dry-run", "try_out")],
)
def test_each_action_answers_what_came_of_it(path: str, asked: str) -> None:
    office = OfficeDouble()
    assert office.live is not None
    with client_of(office) as api:
        assert api.post(f"/dialplan/{path}") == {
            "version": "v42",
            "version_id": "abc",
            "before": "v41",
            "rolled_back": False,
            "problems": [],
            "numbers": [],
            "sections": [],
        }
    assert office.live.dialplan.asked == [asked]


def test_a_refusal_says_why() -> None:
    office = OfficeDouble()
    assert office.live is not None
    office.live.dialplan.refusal = Refused("dialplan.yaml:1:1 E001 …\nv41 kept.")
    with client_of(office) as api:
        with pytest.raises(Refused, match="E001 …\nv41 kept"):
            api.post("/dialplan/reload")
        office.live.dialplan.refusal = NotFound("no version before v1 is kept")
        with pytest.raises(NotFound, match="no version before v1"):
            api.post("/dialplan/rollback")


def test_without_a_server_there_is_nothing_to_reload() -> None:
    with client_of(OfficeDouble(live=None)) as api, pytest.raises(NotRunning):
        api.post("/dialplan/reload")
