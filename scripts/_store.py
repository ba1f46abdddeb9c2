"""The store of downloaded media: a folder per URL and format, shared by runs, outside of what reruns may delete."""

import fcntl
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts._videos import Video


def entry_of(store: Path, url: str, max_height_px: int) -> Path:
    """Return the folder of a URL fetched with this limit."""
    return store / hashlib.sha256(json.dumps([url, max_height_px]).encode()).hexdigest()[:24]


@contextmanager
def locked(entry: Path) -> Iterator[None]:
    """Hold an entry against other runs that share the store."""
    entry.mkdir(parents=True, exist_ok=True)
    with (entry / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_stored(entry: Path) -> dict[str, Any] | None:
    """Return the record of a stored video, if both it and the file are there."""
    known = entry / "video.json"
    if not known.exists():
        return None
    record: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))
    return record if (entry / record["media"]["file"]).is_file() else None


def discard_media(video: str, videos: Mapping[str, Video], results: Path, store: Path, max_height_px: int) -> None:
    """Delete a filtered video from results/, and from the store once every part of it that is listed is filtered.

    Parts are rows of one URL. One that still has its link in results/ waits to be extracted, perhaps again. Local
    files are nobody's but the user's and stay.
    """
    shutil.rmtree(results / "download" / video / "media", ignore_errors=True)
    if video not in videos or videos[video].is_local:
        return
    parts = [row.video for row in videos.values() if row.url == videos[video].url]
    waiting = [part for part in parts if (results / "download" / part / "media").exists()]
    if waiting or not all((results / "filtered" / part / "filter.parquet").exists() for part in parts):
        return
    entry = entry_of(store, videos[video].url, max_height_px)
    with locked(entry):
        record = read_stored(entry)
        if record:
            (entry / record["media"]["file"]).unlink()
            logging.info("keep_media: false: deleted %s", entry / record["media"]["file"])
