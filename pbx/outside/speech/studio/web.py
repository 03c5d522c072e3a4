"""Any other engine, by HTTP: the text is posted, WAV comes back.

`{language}`, `{voice}` and `{speed}` in the URL are filled in. The URL is the administrator's, so
it may lead anywhere; but no further: redirections are not followed.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import httpx

from pbx.errors import Refused
from pbx.media.sounds.audio import WavFile
from pbx.outside.speech.studio.mastering import Samples, whole
from pbx.outside.speech.studio.order import Order

SECONDS: Final = 8.0
LARGEST: Final = 30_000_000  # octets


def speak(order: Order) -> tuple[Samples, int]:
    """Return what the engine answers; raises Refused."""
    url = order.url
    for name, value in (
        ("language", order.language),
        ("voice", order.voice),
        ("speed", f"{order.speed:g}"),
    ):
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    wav = _post(url, order.words)
    return whole(
        WavFile(lambda offset, count: wav[offset : offset + count], len(wav), "its answer")
    )


def _post(url: str, words: str) -> bytes:
    heads = {"Content-Type": "text/plain; charset=utf-8", "Accept": "audio/wav"}
    found = bytearray()
    try:
        with httpx.stream(
            "POST", url, content=words.encode(), headers=heads, timeout=SECONDS
        ) as answer:
            if answer.status_code != 200:
                raise Refused(f"{_host(url)} answered {answer.status_code}")
            for part in answer.iter_bytes():
                found += part
                if len(found) > LARGEST:
                    raise Refused(f"{_host(url)} sent more than {LARGEST} octets")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refused(f"{_host(url)} cannot be asked: {error or type(error).__name__}") from error
    return bytes(found)


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") >= 2 else url
