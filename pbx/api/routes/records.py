"""Records of calls: one per call a customer made.

A page holds at most 1000 records, newest first; a full one names its successor in a Link header
(RFC 8288), for JSON as for CSV, so that an export of any length is a walk from page to page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from pbx.api.office import Office
from pbx.api.replies import MAX_PAGE, reply, returns
from pbx.api.routes.requests import Body, Controls, OfficeHere, Reads, link_to_next, wall
from pbx.api.views import Noted
from pbx.cdr import export
from pbx.cdr.record import CallRecord, RecordQuery
from pbx.errors import Refused
from pbx.events import RecordAmended, Result

router = APIRouter(prefix="/records", tags=["records"])

Text = Annotated[str | None, Query(max_length=100)]
Format = Literal["json", "jsonl", "csv"]


async def _query(
    since: datetime | None = None,
    until: datetime | None = None,
    from_: Annotated[str | None, Query(alias="from", max_length=100)] = None,
    to: Text = None,
    queue: Text = None,
    agent: Text = None,
    result: Result | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    before: Text = None,
) -> RecordQuery:
    """Read what a list is narrowed by; times without an offset are UTC."""
    return RecordQuery(
        since=wall(since),
        until=wall(until),
        from_=from_,
        to=to,
        queue=queue,
        agent=agent,
        result=result,
        limit=limit,
        before=before,
    )


@router.get("", responses=returns(list[CallRecord]))
async def list_records(
    request: Request,
    office: OfficeHere,
    wanted: Annotated[RecordQuery, Depends(_query)],
    _: Reads,
    format: Format = "json",
) -> Response:
    """Return a page of records, newest first: those that began before the record `before`."""
    found = await office.records.find(wanted)
    media_type, write = WRITERS[format]
    headers = {"Cache-Control": "no-store"}
    if len(found) == wanted.limit:
        headers |= link_to_next(request, found[-1].id)
    content = write(found, wanted.before is None)
    return Response(content, media_type=media_type, headers=headers)


@router.get("/{call}", responses=returns(CallRecord))
async def show_record(call: str, office: OfficeHere, _: Reads) -> Response:
    """Return one record."""
    record = await office.records.find_one(call)
    return Response(msgspec.json.encode(record), media_type="application/json")


class Amendment(Body):
    """What came of a call; an empty text takes back what was there."""

    disposition: Annotated[str | None, Field(max_length=100)] = None
    note: Annotated[str | None, Field(max_length=4000)] = None


@router.patch("/{call}", responses=returns(Noted))
async def amend_record(
    call: str, wanted: Amendment, office: OfficeHere, caller: Controls
) -> Response:
    """Write down what came of a call that goes on or is over."""
    going_on = _going_on(office, call)
    if office.bus is None or going_on is None:
        call = (await office.records.find_one(call)).id
    else:
        call = going_on
    event = RecordAmended(
        call=call, disposition=wanted.disposition, note=wanted.note, by=caller.name
    )
    if office.bus is None:
        record = await office.records.amend(call, event, time.time())
        return reply(Noted(id=call, disposition=record.disposition, note=record.note))
    office.bus.emit(event)
    if going_on is not None:
        return reply(Noted(id=call, disposition=wanted.disposition, note=wanted.note))
    record = await office.records.find_one(call)
    return reply(Noted(id=call, disposition=record.disposition, note=record.note))


def _going_on(office: Office, call: str) -> str | None:
    """Return the id of the call that goes on and begins so; Refused where several do."""
    if office.live is None:
        return None
    found = [each.id for each in office.live.calls() if each.id.startswith(call)]
    if len(found) > 1:
        raise Refused(f"more than one call begins with {call}; give more of its id")
    return found[0] if found else None


def _json(records: Sequence[CallRecord], _first: bool) -> bytes:
    return msgspec.json.encode(records)


def _json_lines(records: Sequence[CallRecord], _first: bool) -> bytes:
    return "".join(map(export.json_line, records)).encode()


def _csv(records: Sequence[CallRecord], first: bool) -> bytes:
    header = export.csv_header() if first else ""
    return (header + "".join(map(export.csv_line, records))).encode()


WRITERS: dict[Format, tuple[str, Callable[[Sequence[CallRecord], bool], bytes]]] = {
    "json": ("application/json", _json),
    "jsonl": ("application/jsonl", _json_lines),
    "csv": ("text/csv", _csv),
}
"""Format → its media type, and how a page is written; the first page of CSV has the header."""
