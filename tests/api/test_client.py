"""The caller's side: what is refused there is raised here."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import httpx
import pytest

from pbx.api import client
from pbx.api.client import ApiClient, over_socket, segment
from pbx.errors import NotFound, NotRunning, Refused


def answering(status: int, **content: object) -> ApiClient:
    return ApiClient(lambda _: httpx.Response(status, **content))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "detail", "kind"),
    [
        (404, "there is no extension 9", NotFound),
        (409, "extension 101 exists", Refused),
        (503, str(NotRunning()), NotRunning),
        (503, "no port is free", Refused),
        (422, "number: Field required", Refused),
    ],
)
def test_a_refusal_keeps_its_kind_and_sentence(
    status: int, detail: str, kind: type[Refused]
) -> None:
    with pytest.raises(kind, match=detail) as raised:
        answering(status, json={"detail": detail}).get("/x")
    assert type(raised.value) is kind


@pytest.mark.parametrize("content", [{"text": "oops"}, {"json": []}, {"json": {}}])
def test_an_answer_that_makes_no_sense_points_to_the_log(content: dict[str, object]) -> None:
    with pytest.raises(Refused, match="callpbx answered 500; its log says more"):
        answering(500, **content).get("/x")


def test_names_become_one_segment_of_a_path() -> None:
    assert segment("../a b/é") == "..%2Fa%20b%2F%C3%A9"


def test_a_server_that_never_answers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "STARTING", 0.0)
    path = tmp_path / "callpbx.sock"
    with pytest.raises(Refused, match="does not answer"), over_socket(path):
        pass


def test_a_connection_that_breaks_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "callpbx.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def hang_up() -> None:
            for _ in range(2):  # the probe, then the request
                listening.accept()[0].close()

        answering_thread = threading.Thread(target=hang_up)
        answering_thread.start()
        refused = pytest.raises(Refused, match="the connection to callpbx broke")
        with refused, over_socket(path) as api:
            api.get("/status")
        answering_thread.join()
