"""Run the download stage, and lay a video into a store."""

import json
import shutil
from pathlib import Path
from typing import Any

from scripts.core.files import write_json
from scripts.download.download_video import download_video
from scripts.download.store import entry_of, version_of
from tests.conftest import DOWNLOAD

FORM: dict[str, Any] = {"max_height_px": 720, "ytdlp": {}}
URL = "https://example.org/v.mp4"


def stored(store: Path, url: str = URL) -> Path:
    entry = version_of(entry_of(store, url), FORM)
    write_json(entry / "video.json", {"media": {"file": "media.mp4", "bytes": 5, "height": 720}})
    (entry / "media.mp4").write_bytes(b"video")
    return entry


def download(url: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Run the stage and return its record."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    download_video("v", url, out, folder / "store", DOWNLOAD | options)
    record: dict[str, Any] = json.loads((out / "video.json").read_text())
    files = {p.name for p in (out / "media").iterdir()}
    assert files == ({record["media"]["file"]} if record["status"] == "ok" else set())
    return record
