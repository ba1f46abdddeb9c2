"""Download into a store of the tests, and read the record."""

import json
import shutil
from pathlib import Path
from typing import Any

from scripts.core.files import write_json
from scripts.download.download_video import download_video
from scripts.download.store import entry_of, version_of
from tests.conftest import download_options

URL = "https://example.org/v.mp4"


def download(url: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Run download_video with the store in `folder`; return its record."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    download_video("v", url, out, folder / "store", download_options(**options))
    record: dict[str, Any] = json.loads((out / "video.json").read_text())
    files = {p.name for p in (out / "media").iterdir()}
    assert files == ({record["media"]["file"]} if record["status"] == "ok" else set())
    return record


def put_in_store(store: Path, url: str = URL, **options: Any) -> Path:
    """Store a video of five bytes; return its folder."""
    options_used = download_options(**options)
    version = version_of(entry_of(store, url), options_used)
    height = options_used.max_height_px
    media = {"file": "media.mp4", "bytes": 5, "width": height, "height": height, "stream": 0}
    record = {"status": "ok", "message": "", "source": {}, "recorded_at": "2026-01-01T00:00:00+00:00", "media": media}
    write_json(version / "video.json", record)
    (version / "media.mp4").write_bytes(b"video")
    return version
