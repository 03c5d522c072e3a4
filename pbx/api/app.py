"""The FastAPI application: `/api/v1/…` over one `Office`.

The same application serves the Unix socket, TCP and, without a server, the command line in-process.
It has no state of its own but the idempotency keys of calls it was asked to make. Routes are in
`routes/`, one file per resource.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from pbx import __version__
from pbx.api import stream
from pbx.api.access import Access
from pbx.api.idempotency import Idempotency
from pbx.api.office import Office
from pbx.api.replies import components, explain_refusals
from pbx.api.routes import ROUTERS, VIEWS

PREFIX = "/api/v1"


class Api(FastAPI):
    """FastAPI whose document also holds the schemas that msgspec knows."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(components(list(VIEWS)))
            document["components"]["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer"}
            }
            document["security"] = [{"token": []}]
            self.openapi_schema = document
        return self.openapi_schema


def create_app(office: Office) -> FastAPI:
    """Build the application over `office`."""
    app = Api(
        title="callpbx",
        version=__version__,
        description="Calls, phones, records and events of one callpbx office.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.office = office
    app.state.idempotency = Idempotency()
    app.add_middleware(Access, office=office)
    explain_refusals(app)
    for router in (*ROUTERS, stream.router):
        app.include_router(router, prefix=PREFIX)
    return app
