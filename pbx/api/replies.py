"""How values become responses, exceptions become sentences, and both become the OpenAPI document.

Every refusal has one form, `{"detail": "one sentence"}`, so that the command line and an integrator
can show it as it is. Responses are encoded by msgspec from frozen values; their schemas come from
the same types.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from pbx.errors import CallpbxError, NoResource, NotFound, NotRunning, Refused, StorageError

REF = "#/components/schemas/{name}"
MAX_PAGE = 1000  # rows

STATUS_OF: tuple[tuple[type[CallpbxError], int], ...] = (
    (NotFound, 404),
    (NotRunning, 503),
    (Refused, 409),
    (NoResource, 503),
    (StorageError, 503),
)
"""The first row that fits an exception gives its HTTP status."""


def reply(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return `value` as JSON. Answers may hold secrets and change at once: nobody stores them."""
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def nothing() -> Response:
    """Return the answer of what was done and has nothing to say."""
    return Response(status_code=204)


def returns(kind: Any, *, status: int = 200, what: str = "Done") -> dict[int | str, Any]:
    """Return the `responses` of a route that replies with `kind`, for the OpenAPI document."""
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=REF)
    return {status: {"description": what, "content": {"application/json": {"schema": schema}}}}


def components(kinds: list[Any]) -> dict[str, Any]:
    """Return the OpenAPI schemas of `kinds` and of all that they hold, by name."""
    return dict(msgspec.json.schema_components(kinds, ref_template=REF)[1])


def explain_refusals(app: FastAPI) -> None:
    """Let exceptions raised on purpose become `{"detail": sentence}` with their status."""
    app.add_exception_handler(CallpbxError, _explain)
    app.add_exception_handler(RequestValidationError, _explain_request)


async def _explain(_: Request, error: Exception) -> Response:
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)
    headers = {"Retry-After": "5"} if isinstance(error, NoResource | StorageError) else None
    return JSONResponse({"detail": str(error)}, status, headers)


async def _explain_request(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    sentences = []
    for mistake in error.errors():
        field = ".".join(str(part) for part in mistake["loc"][1:])
        sentence = mistake["msg"].removeprefix("Value error, ")
        sentences.append(f"{field}: {sentence}" if field else sentence)
    return JSONResponse({"detail": "; ".join(sentences)}, 422)
