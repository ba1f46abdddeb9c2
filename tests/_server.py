"""A real HTTP server on 127.0.0.1 that serves files and commits the faults of real sites."""

import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """What a client asked for, and how many bytes of a body it was sent."""

    path: str
    offset: int
    sent_bytes: int
    cookie: str
    at_s: float


class FaultServer(ThreadingHTTPServer):
    """Serve `files` by path, with ranges and a tag.

    `faults` maps a path to (status, how many times), after which the file is served. `acts` maps a path to what is
    done with its requests, one after the other, the last of them from then on.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str = "127.0.0.1") -> None:
        """Listen on a free port."""
        super().__init__((host, 0), Handler)
        self.host = host
        self.files: dict[str, tuple[str, bytes]] = {}
        self.faults: dict[str, tuple[int, int]] = {}
        self.acts: dict[str, list[Act]] = {}
        self.cut: set[str] = set()  # no Content-Length, and half the body
        self.requests: Counter[str] = Counter()
        self.log: list[Request] = []
        self.cookie = ""  # set with each answer
        self.stopping = threading.Event()

    def __enter__(self) -> "FaultServer":
        """Start serving."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        """Stop serving."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up: some are meant to."""

    def add(self, path: str, body: bytes | str | Path, kind: str = "video/mp4") -> str:
        """Serve a body under a path; return its URL."""
        body = body.read_bytes() if isinstance(body, Path) else body.encode() if isinstance(body, str) else body
        self.files[path] = (kind, body)
        return self.url(path)

    def page(self, path: str, *media: str) -> str:
        """Serve a page that shows these media; return its URL."""
        videos = "".join(f'<video src="{source}"></video>' for source in media)
        return self.add(path, f"<html><title>{path}</title>{videos}</html>", "text/html")

    def url(self, path: str) -> str:
        """Return the URL of a path, served or not."""
        return f"http://{self.host}:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: FaultServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:  # noqa: N802 - the library's name
        """Answer without a body."""
        self._answer()

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        """Answer with a body."""
        self._answer()

    def _answer(self) -> None:
        path = self.path.split("?")[0]
        self.server.requests[path] += 1
        self.sent_bytes, asked_at = 0, time.time()
        try:
            self._act(path)
        finally:
            cookie = self.headers.get("Cookie") or ""
            self.server.log.append(Request(self.path, self.offset(), self.sent_bytes, cookie, asked_at))

    def _act(self, path: str) -> None:
        status, times = self.server.faults.get(path, (0, 0))
        if times > 0:
            self.server.faults[path] = (status, times - 1)
        acts = self.server.acts.get(path, [])
        if times > 0:
            refuse(status)(self)
        elif acts:
            (acts.pop(0) if len(acts) > 1 else acts[0])(self)
        elif path not in self.server.files:
            refuse(404)(self)
        elif path in self.server.cut:
            cut_short(0.5)(self)
        else:
            serve(self)

    def file(self) -> tuple[str, bytes]:
        """Return type and body of the file asked for."""
        return self.server.files[self.path.split("?")[0]]

    def offset(self) -> int:
        """Return the first byte that is asked for."""
        asked = self.headers.get("Range") or ""
        return int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0

    def start(self, status: int, kind: str, **headers: str) -> None:
        """Send status and headers; underscores in their names stand for hyphens."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.server.cookie:
            self.send_header("Set-Cookie", self.server.cookie)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def write(self, body: bytes) -> None:
        """Send a part of the body."""
        if self.command == "GET":
            self.wfile.write(body)
            self.wfile.flush()
            self.sent_bytes += len(body)

    def hang_up(self, hard: bool) -> None:
        """End the connection, `hard` with a reset."""
        if hard:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close() if hard else self.connection.shutdown(socket.SHUT_RDWR)


Act = Callable[[Handler], None]


def etag(body: bytes) -> str:
    """Return the tag of a file's version."""
    return f'"{zlib.crc32(body):x}"'


def send(handler: Handler, until: int | None = None, tag: bool = True, ranges: bool = True) -> int:
    """Send the file, or its bytes up to `until`; return the offset that they began at."""
    kind, body = handler.file()
    offset = handler.offset() if ranges else 0
    if offset >= len(body) and offset:
        handler.start(416, "text/plain", Content_Length="0", Content_Range=f"bytes */{len(body)}")
        return offset
    headers = {"ETag": etag(body)} if tag else {}
    if offset:
        headers["Content_Range"] = f"bytes {offset}-{len(body) - 1}/{len(body)}"
    handler.start(206 if offset else 200, kind, Content_Length=str(len(body) - offset), **headers)
    handler.write(body[offset:until])
    return offset


def serve(handler: Handler) -> None:
    """Serve the file as a good server does."""
    send(handler)


def refuse(status: int, retry_after: str = "", body: bytes = b"refused") -> Act:
    """Answer with an HTTP error."""

    def act(handler: Handler) -> None:
        headers = {"Retry_After": retry_after} if retry_after else {}
        handler.start(status, "text/plain", Content_Length=str(len(body)), **headers)
        handler.write(body)

    return act


def cut_short(share: float) -> Act:
    """Send a part of the file, without Content-Length, so that nobody can tell."""

    def act(handler: Handler) -> None:
        kind, body = handler.file()
        handler.start(200, kind)
        handler.write(body[: int(len(body) * share)])

    return act
