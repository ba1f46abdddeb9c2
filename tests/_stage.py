"""A server and the files that it may serve, for the faults of downloads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.download.store import entry_of, version_of
from tests._server import Act, FaultServer, etag
from tests._streams import hls
from tests.conftest import MakeClip, download_options


@dataclass
class Stage:
    """A server, and the files that it may serve."""

    server: FaultServer
    clip: Path  # 300 kB
    other: bytes  # as long as the clip, of another video
    make_clip: MakeClip
    store: Path

    @property
    def body(self) -> bytes:
        """The clip's bytes."""
        return self.clip.read_bytes()

    def part(self, body: bytes, origin: bytes | None) -> str:
        """Serve the clip, and lay a partial file as if an earlier job had fetched it from `origin`."""
        url = self.direct()
        partial = version_of(entry_of(self.store, url), download_options()) / "partial"
        partial.mkdir(parents=True)
        (partial / "media.mp4.part").write_bytes(body)
        if origin is not None:
            whole = {"total_bytes": len(origin), "etag": etag(origin), "last_modified": None}
            note = {"source": {"format_id": "mp4", "protocol": "http", "pieces": ""}, "whole": whole}
            (partial / "part_of.json").write_text(json.dumps(note))
        return url

    def direct(self, *acts: Act, path: str = "/clip.mp4", kind: str = "video/mp4") -> str:
        """Serve the clip at its own address, where page and media are one."""
        self.server.acts[path] = list(acts)
        return self.server.add(path, self.clip, kind)

    def behind_page(self, *acts: Act) -> str:
        """Serve the clip behind a page that shows it."""
        self.direct(*acts)
        return self.server.page("/page", "/clip.mp4")

    def hls(self, *acts: Act, **options: Any) -> str:
        """Serve an HLS stream; `acts` happen to its second segment."""
        url, segments = hls(self.server, self.make_clip, **options)
        self.server.acts[segments[1]] = list(acts)
        return url
