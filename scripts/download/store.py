"""The store of downloaded media, shared by runs, outside of what reruns may delete.

A folder per URL, named by its hash since a URL may hold secrets; in it, a folder per choice of format, with
`video.json`, `media.<ext>` and, while it is being fetched, `partial/`.
"""

import errno
import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.core.files import delete_folder, read_json
from scripts.core.layout import RECORD, filter_table, media_folder
from scripts.core.locks import hold_folder
from scripts.download.options import DownloadOptions
from scripts.inputs.videos import is_local

DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE})


def entry_of(store: Path, url: str) -> Path:
    """Return the folder of a URL."""
    return store / hashlib.sha256(url.encode()).hexdigest()[:24]


def form_of(options: DownloadOptions) -> list[Any]:
    """Return those of a download's options that decide which format is taken."""
    return [options.max_height_px, options.ytdlp.get("format"), options.ytdlp.get("format_sort")]


def version_of(entry: Path, options: DownloadOptions) -> Path:
    """Return the folder of a URL fetched with these options."""
    return entry / f"{options.max_height_px}p-{hashlib.sha256(json.dumps(form_of(options)).encode()).hexdigest()[:8]}"


def read_stored(version: Path) -> dict[str, Any] | None:
    """Return the record of a stored video, if both it and the whole file are there."""
    try:
        record: dict[str, Any] = read_json(version / RECORD)
    except (OSError, ValueError):  # none, or one that a power cut spoilt
        return None
    media = version / record["media"]["file"]
    return record if media.is_file() and media.stat().st_size == record["media"]["bytes"] else None


def other_versions(version: Path) -> list[tuple[dict[str, Any], Path]]:
    """Return records and folders of what is stored of the same URL in other formats, the tallest first."""
    known = [(read_stored(folder), folder) for folder in sorted(version.parent.glob("*p-*")) if folder != version]
    stored = [(record, folder) for record, folder in known if record]
    return sorted(stored, key=lambda pair: -int(pair[0]["media"]["height"]))


def discard_media(video: str, parts: Mapping[str, str], results: Path, store: Path, options: DownloadOptions) -> None:
    """Delete a filtered video from results/, and from the store once every part of it that is listed is filtered.

    `parts` holds the URL of each row of the same source. One that still has its link in results/ waits to be
    extracted, perhaps again. Local files are nobody's but the user's and stay.
    """
    media = media_folder(results, video)
    if media.exists():
        delete_folder(media)
    if video not in parts or is_local(parts[video]):
        return
    waiting = [part for part in parts if media_folder(results, part).exists()]
    if waiting or not all(filter_table(results, part).exists() for part in parts):
        return
    entry = entry_of(store, parts[video])
    with hold_folder(entry):
        version = version_of(entry, options)
        record = read_stored(version)
        if record:
            (version / record["media"]["file"]).unlink()
            logging.info("keep_media: false: deleted %s", version / record["media"]["file"])


def is_disk_fault(error: BaseException) -> bool:
    """Tell whether an error is this machine's disk: it would hit every video, and none is to blame."""
    denied = isinstance(error, PermissionError) and bool(error.filename)  # without a file it is the network's refusal
    return denied or (isinstance(error, OSError) and error.errno in DISK_FAULTS)
