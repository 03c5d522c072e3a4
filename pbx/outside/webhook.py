"""What `send: {webhook: …}` posts: one JSON object to a host that callpbx.yaml allows.

With a body `{"text": BODY, "subject": SUBJECT}`, which chat servers take as a message; without one
every value of the call by its name, but none that was asked for as a secret. Values are texts of
JSON, so none can become anything else. A server that gives no answer or fails (5xx) is asked once
more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from pbx.errors import Refused
from pbx.ivr.world import Letter
from pbx.outside.breaker import Unavailable
from pbx.outside.http import MAX_SECONDS, Client
from pbx.plan.url import Url

ATTEMPTS: Final = 2
"""Times that a webhook is posted at most."""

SECRET: Final = "secret."
"""Fields whose names begin so are for addresses and headers, and are never posted."""


async def post(client: Client, url: Url, fields: Mapping[str, str]) -> None:
    """Post an object to `url`.

    Raises Refused for what may not be asked or will not be taken, Unavailable where the server
    gives no answer or fails.
    """
    body = json.dumps(fields, ensure_ascii=False).encode(errors="replace")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with asyncio.timeout(MAX_SECONDS):
                reply = await client.request("POST", url, {}, body)
            if 200 <= reply.code < 300:
                return
            if reply.code < 500:
                raise Refused(f"{url.host} answers {reply.code}")
            raise Unavailable(f"{url.host} answers {reply.code}")
        except (TimeoutError, Unavailable) as error:
            if attempt == ATTEMPTS:
                raise Unavailable(str(error) or f"{url.host} gave no answer in time") from None


def payload(letter: Letter) -> dict[str, str]:
    """Return what is posted."""
    if letter.body:
        subject = {"subject": letter.subject} if letter.subject else {}
        return {"text": letter.body, **subject}
    return {
        name: text
        for name, text in letter.fields.items()
        if not name.startswith(SECRET) and name not in letter.secret
    }
