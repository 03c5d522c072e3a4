"""An engine by HTTP: what it is asked, and what of its answers is taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from pbx.errors import Refused
from pbx.outside.speech.studio import web
from pbx.outside.speech.studio.order import Order
from tests.outside.speech.kit import write_wav

ORDER = Order("zh", "小 云", "您好", 1.5, "http://tts:5000/say/{language}?v={voice}&s={speed}")

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """Give what puts an answering function in place of the network."""

    def serve(answer: Answer) -> None:
        client = httpx.Client(transport=httpx.MockTransport(answer))
        monkeypatch.setattr(httpx, "stream", partial(client.stream))

    return serve


def test_the_text_is_posted_and_wav_comes_back(
    served: Callable[[Answer], None], tmp_path: Path
) -> None:
    wav = write_wav(tmp_path / "a.wav", rate=24000, samples=b"\1\0" * 240).read_bytes()
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=wav)

    served(answer)
    samples, rate = web.speak(ORDER)
    assert (len(samples), rate) == (240, 24000)
    (request,) = asked
    assert request.method == "POST"
    assert str(request.url) == "http://tts:5000/say/zh?v=%E5%B0%8F%20%E4%BA%91&s=1.5"
    assert request.content.decode() == "您好"
    assert request.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (httpx.Response(500), "tts:5000 answered 500"),
        (httpx.Response(302, headers={"Location": "http://127.0.0.1/"}), "answered 302"),
        (httpx.Response(200, content=b"<html>"), "its answer is not a WAV file"),
    ],
)
def test_anything_else_is_refused(
    served: Callable[[Answer], None], response: httpx.Response, sentence: str
) -> None:
    served(lambda _: response)
    with pytest.raises(Refused, match=sentence):
        web.speak(ORDER)


def test_too_much_is_refused(
    served: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LARGEST", 100)
    served(lambda _: httpx.Response(200, content=bytes(101)))
    with pytest.raises(Refused, match="more than 100 octets"):
        web.speak(ORDER)


def test_a_server_that_is_not_there_is_refused(served: Callable[[Answer], None]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    served(answer)
    with pytest.raises(Refused, match="tts:5000 cannot be asked: refused"):
        web.speak(ORDER)
