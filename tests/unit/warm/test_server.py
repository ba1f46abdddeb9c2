"""The detector answers each request with detections or the error."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.model.engine import Engine, Prepared
from scripts.model.inference import Floor, Seen
from scripts.warm import server
from scripts.warm.sockets import NO_SOCKET

FLOOR = {"confidence": 0.05, "iou": 0.7, "imgsz_px": 320, "most_per_class": 300}


class Seeing(Engine):
    """Stands for a loaded model: it sees nothing in the first image and then fails, because a real one never does."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.prepared: list[Path] = []

    def prepare(self, images: list[Path], floor: Floor) -> Prepared:
        """Note the images."""
        self.prepared += images
        return Prepared(SimpleQueue(), {})

    def see(
        self,
        images: list[Path],
        floor: Floor,
        prepared: Prepared | None = None,
        on_submitted: Callable[[], None] = lambda: None,
    ) -> Iterator[Seen]:
        """Yield one answer, then raise the error."""
        assert floor.imgsz_px == 320 and bool(prepared) == bool(self.prepared)
        yield Seen(images[0], [], [], [])
        if self.error:
            raise self.error
        on_submitted()


def messages(engine: Seeing, request: str) -> list[dict[str, Any]]:
    """Return what the server sends for a request."""
    client, served = socket.socketpair()
    with client, client.makefile("rw", encoding="utf-8") as stream:
        stream.write(request)
        stream.flush()
        client.shutdown(socket.SHUT_WR)
        with served:
            server.answer(served, engine)
        return [json.loads(line) for line in stream]


def test_a_request_gets_a_line_per_image_and_then_done_or_the_error() -> None:
    request = json.dumps({"images": ["/a.jpg", "/b.jpg"], "floor": FLOOR}) + "\n"
    first = [{"ready": True}, {"image": 0, "boxes_xyxy_px": [], "classes": [], "confidences": []}]
    assert messages(Seeing(None), request) == [*first, {"submitted": True}, {"done": True}]
    refused = {"error": "too little memory", "expected": True}
    assert messages(Seeing(UserError("too little memory")), request) == [*first, refused]
    assert messages(Seeing(ValueError("shape")), request) == [*first, {"error": "ValueError: shape", "expected": False}]
    assert messages(Seeing(None), "{}\n")[-1] == {"error": "KeyError: 'images'", "expected": False}


def test_images_are_decoded_ahead_and_seen_only_when_the_request_follows() -> None:
    ahead = json.dumps({"images": ["/a.jpg"], "floor": FLOOR, "ahead": True}) + "\n"
    request = json.dumps({"images": ["/a.jpg", "/b.jpg"], "floor": FLOOR}) + "\n"
    waiting, served = Seeing(None), Seeing(None)
    assert messages(waiting, ahead) == [], "the job went to another detector"
    assert messages(served, ahead + request)[-1] == {"done": True}
    assert waiting.prepared == served.prepared == [Path("/a.jpg")]


def test_a_client_that_only_starts_the_detector_gets_no_answer() -> None:
    assert messages(Seeing(None), "") == []


def test_a_detector_without_a_socket_says_so_by_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        server.main(str(tmp_path / "missing/socket"), "", "m", "cpu", "1", str(tmp_path))
    assert ended.value.code == NO_SOCKET
