"""The caller's side of the API, for the command line: one request at a time, values in, values out.

`over_socket` talks to the running server, `in_process` runs the same application here, on the
database alone. A refusal of the API is raised as the exception that it was on the other side, with
the same sentence. httpx is imported when the first client is made: commands that need none start
without it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pbx.errors import NotFound, NotRunning, Refused

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp

ORIGIN = "http://callpbx"
PREFIX = "/api/v1"
TIMEOUT = 60.0  # seconds for one request: a call that is being set up rings meanwhile
SLICE = 4 << 20  # bytes of a file in one answer
MAX_PAGE = 1000  # rows, the API's own limit
STARTING = 5.0  # seconds that a server which holds the lock may take until its socket answers
POLL = 0.05  # seconds
OWNER_ONLY = "only its owner may use {}; run the command as the user that runs callpbx serve"

Query = Mapping[str, str | int | float | bool | None]
Perform = Callable[["httpx.Request"], "httpx.Response"]


class ApiClient:
    """Asks the API. Every method raises NotFound, NotRunning or Refused for what it is refused."""

    def __init__(self, perform: Perform) -> None:
        self._perform = perform

    def get(self, path: str, query: Query | None = None) -> Any:
        """Return the JSON of a read."""
        return self._ask("GET", PREFIX + path, query=query).json()

    def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON that a creation answers with; None for a deed without an answer."""
        response = self._ask("POST", PREFIX + path, body=body, headers=headers)
        return response.json() if response.content else None

    def put(self, path: str, body: object = None) -> None:
        """Make something so."""
        self._ask("PUT", PREFIX + path, body=body)

    def order(self, path: str) -> None:
        """Let something be done that has nothing to say."""
        self._ask("POST", PREFIX + path)

    def patch(self, path: str, body: object) -> Any:
        """Return the JSON of what was changed."""
        return self._ask("PATCH", PREFIX + path, body=body).json()

    def delete(self, path: str) -> None:
        """Remove what `path` names."""
        self._ask("DELETE", PREFIX + path)

    def pages(self, path: str, query: Query, limit: int | None = None) -> Iterator[bytes]:
        """Yield a long read page by page, at most `limit` rows of it, as the API wrote them."""
        following: str | None = None
        while limit is None or limit > 0:
            rows = MAX_PAGE if limit is None else min(limit, MAX_PAGE)
            page = self._ask(
                "GET", PREFIX + path, query={**query, "limit": rows, "before": following}
            )
            yield page.content
            if "next" not in page.links:
                return
            following = page.request.url.join(page.links["next"]["url"]).params["before"]
            limit = None if limit is None else limit - rows  # a page with a successor is full

    def download(self, path: str) -> Iterator[bytes]:
        """Yield what a file holds, in slices, so that its size does not matter."""
        start, total = 0, 1
        while start < total:
            slice_ = {"Range": f"bytes={start}-{start + SLICE - 1}"}
            response = self._ask("GET", PREFIX + path, headers=slice_)
            yield response.content
            start += len(response.content)
            total = int(response.headers["content-range"].rpartition("/")[2])

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        import httpx

        given = {key: value for key, value in (query or {}).items() if value is not None}
        request = httpx.Request(
            method,
            ORIGIN + path,
            params=given or None,
            json=body,
            headers=headers,
            extensions={"timeout": httpx.Timeout(TIMEOUT).as_dict()},
        )
        response = self._perform(request)
        if response.is_error:
            raise _refusal(response)
        return response


def segment(text: str) -> str:
    """Return `text` as one segment of a path."""
    return quote(text, safe="")


def _refusal(response: httpx.Response) -> Refused:
    try:
        sentence = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        sentence = f"callpbx answered {response.status_code}; its log says more"
    if response.status_code == 404:
        return NotFound("there is nothing of that name" if sentence == "Not Found" else sentence)
    if sentence == str(NotRunning()):
        return NotRunning()
    return Refused(sentence)


@contextlib.contextmanager
def over_socket(path: Path) -> Iterator[ApiClient]:
    """Talk to the running server. One that is just starting is waited for, at most `STARTING`."""
    import httpx

    _wait_for_socket(path)
    with httpx.HTTPTransport(uds=os.fspath(path)) as transport:

        def perform(request: httpx.Request) -> httpx.Response:
            try:
                response = transport.handle_request(request)
                response.read()
            except httpx.TimeoutException:
                raise Refused(f"callpbx gave no answer within {TIMEOUT:.0f} s") from None
            except httpx.TransportError as error:
                raise Refused(f"the connection to callpbx broke: {error}") from None
            response.request = request
            return response

        yield ApiClient(perform)


@contextlib.contextmanager
def in_process(open_app: Callable[[], AbstractAsyncContextManager[ASGIApp]]) -> Iterator[ApiClient]:
    """Run the application in this process, on an event loop of its own, as its administrator."""
    import asyncio

    import httpx

    from pbx.api.access import Administrator

    with asyncio.Runner() as runner:
        opened = open_app()
        app = runner.run(opened.__aenter__())
        transport = httpx.ASGITransport(Administrator(app))

        async def ask(request: httpx.Request) -> httpx.Response:
            response = await transport.handle_async_request(request)
            await response.aread()
            response.request = request
            return response

        try:
            yield ApiClient(lambda request: runner.run(ask(request)))
        finally:
            runner.run(opened.__aexit__(None, None, None))


def _wait_for_socket(path: Path) -> None:
    """Return once `path` accepts connections; raises Refused where it never does."""
    import socket

    give_up = time.monotonic() + STARTING
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(os.fspath(path))
            except PermissionError:
                raise Refused(OWNER_ONLY.format(path)) from None
            except OSError as error:
                if time.monotonic() > give_up:
                    raise Refused(
                        f"callpbx is running, but {path} does not answer ({error.strerror}); "
                        "restart callpbx serve"
                    ) from None
            else:
                return
        time.sleep(POLL)
