"""Reports over the API."""

from __future__ import annotations

import pytest

from pbx.cdr.figures import figures_of
from pbx.cdr.report import ReportQuery
from pbx.errors import Refused
from tests.api.office_double import OfficeDouble, client_of
from tests.cdr.story import queue_call


def test_a_report_has_its_formulas_and_its_rows() -> None:
    office = OfficeDouble()
    office.reports.calls = [figures for figures in [figures_of(queue_call().record())] if figures]
    with client_of(office) as api:
        found = api.get("/reports/queues", {"since": "2026-11-21T00:00:00Z", "by": "day"})
    columns = {column["id"]: column for column in found["columns"]}
    assert columns["sl_of_offered"]["name"] == "SL(20 s), of offered"
    assert columns["actual_abandons"]["formula"].startswith("offered - (answered + short")
    (row,) = found["rows"]
    assert (row["name"], row["from"]) == ("service", "2026-11-21T08:00+08:00")
    assert (row["values"]["offered"], row["values"]["fcr"]) == (1, None)
    assert row["reasons"]["csat"] == "nobody answered the survey"
    assert office.reports.asked == [ReportQuery(kind="queues", since=1795219200.0, by="day")]


@pytest.mark.parametrize("path", ["/reports/menus", "/reports/queues?by=week"])
def test_what_is_no_report_is_refused(path: str) -> None:
    with client_of(OfficeDouble()) as api, pytest.raises(Refused):
        api.get(path)
