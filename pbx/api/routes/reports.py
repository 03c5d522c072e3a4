"""Reports: what was counted of queues, agents and surveys, each figure with its formula."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response

from pbx.api.replies import reply, returns
from pbx.api.routes.requests import OfficeHere, Reads, wall
from pbx.cdr.report import By, Kind, Report, ReportQuery

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get("/{kind}", responses=returns(Report))
async def show_report(
    kind: Kind,
    office: OfficeHere,
    _: Reads,
    since: datetime | None = None,
    until: datetime | None = None,
    by: By | None = None,
) -> Response:
    """Return the figures of `queues`, `agents` or the `survey`, since midnight until now unless
    told otherwise; times without an offset are UTC, hours and days those of the office."""
    query = ReportQuery(kind=kind, since=wall(since), until=wall(until), by=by)
    return reply(await office.reports.report(query))
