"""A real HTTP server on 127.0.0.1 that serves files and commits the faults of real sites."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class FaultServer(ThreadingHTTPServer):
    """Serve `files` by path; `faults` maps a path to (status, how many times), after which the file is served."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, tuple[str, bytes]] = {}
        self.faults: dict[str, tuple[int, int]] = {}
        self.cut: set[str] = set()  # no Content-Length, and half the body
        self.requests: Counter[str] = Counter()

    def __enter__(self) -> "FaultServer":
        """Start serving."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up: some are meant to."""

    def add(self, path: str, body: bytes | Path, kind: str = "video/mp4") -> str:
        """Serve a body under a path; return its URL."""
        self.files[path] = (kind, body.read_bytes() if isinstance(body, Path) else body)
        return self.url(path)

    def url(self, path: str) -> str:
        """Return the URL of a path, served or not."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: FaultServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:  # noqa: N802 - the library's name
        self._answer(with_body=False)

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = self.path.split("?")[0]
        self.server.requests[path] += 1
        status, times = self.server.faults.get(path, (0, 0))
        if times > 0:
            self.server.faults[path] = (status, times - 1)
        if times > 0 or path not in self.server.files:
            self.send_error(status or 404)
            return
        kind, body = self.server.files[path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if path in self.server.cut:
            self.send_header("Connection", "close")
            self.close_connection = True
            body = body[: len(body) // 2]
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
