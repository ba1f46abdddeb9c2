"""The store of downloaded media. Runs share it, and reruns never delete it.

It has a folder per URL, named by a hash because a URL may hold secrets. In it is a folder per choice of format, with
`video.json`, `media.<ext>` and, during a download, `partial/`.
"""

import errno
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from scripts.core.characters import as_recorded
from scripts.core.files import delete_folder
from scripts.core.layout import RECORD, filter_table, media_folder
from scripts.core.locks import hold_folder
from scripts.core.shared_files import read_shared_json
from scripts.download.options import DownloadOptions
from scripts.inputs.urls import is_local, source_of

if TYPE_CHECKING:  # so that an edit of the types downloads nothing again
    from scripts.core.row_types import MediaRecord, VideoRecord

MEDIA_FILE = re.compile(r"media\.[a-z0-9]{1,8}")
DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE})


class Stored(NamedTuple):
    """A video in the store."""

    record: "VideoRecord"
    media: "MediaRecord"
    path: Path


def entry_of(store: Path, url: str) -> Path:
    """Return the folder of a source, which all addresses of a video share.

    Earlier versions stored each address apart; such a folder is used if it holds the only copy.
    """
    entry, old = (store / hashlib.sha256(text.encode()).hexdigest()[:24] for text in (source_of(url), url))
    return old if old != entry and not _has_media(entry) and _has_media(old) else entry


def _has_media(entry: Path) -> bool:
    return any(entry.glob("*/media.*"))


def form_of(options: DownloadOptions) -> list[Any]:
    """Return the options that choose the format; they name a folder of the store."""
    return [options.max_height_px, options.ytdlp.get("format"), options.ytdlp.get("format_sort")]


def version_of(entry: Path, options: DownloadOptions) -> Path:
    """Return the folder of a URL in the format that these options choose."""
    digest = hashlib.sha256(json.dumps(form_of(options)).encode()).hexdigest()
    return entry / f"{options.max_height_px}p-{digest[:8]}"


def read_stored(version: Path) -> Stored | None:
    """Return a stored video if its record and its complete file exist; links could lead out of the store."""
    try:
        read = read_shared_json(version / RECORD)
    except (OSError, ValueError):  # missing, or damaged by a power failure
        return None
    if not media_in(read) or version.is_symlink():
        return None
    record = cast("VideoRecord", as_recorded(read))
    media = cast("MediaRecord", record["media"])
    path = version / media["file"]
    whole = path.is_file() and not path.is_symlink() and path.stat().st_size == media["bytes"]
    return Stored(record, media, path) if whole else None


def media_in(record: Any) -> "MediaRecord | None":
    """Return the media of a stored record, or None if another program wrote it: its file could be any path."""
    if not isinstance(record, dict) or record.get("status") != "ok":
        return None
    media, texts = record.get("media"), (record.get("message"), record.get("recorded_at"))
    if not isinstance(media, dict) or not all(isinstance(text, str) for text in texts):
        return None
    numbers = all(isinstance(media.get(key), int) for key in ("bytes", "width", "height", "stream"))
    named = isinstance(media.get("file"), str) and MEDIA_FILE.fullmatch(media["file"])
    return cast("MediaRecord", media) if numbers and named and isinstance(record.get("source"), dict) else None


def other_versions(version: Path) -> list[Stored]:
    """Return what is stored of the same URL in other formats, the tallest first."""
    folders = [folder for folder in sorted(version.parent.glob("*p-*")) if folder != version]
    found = [stored for folder in folders if (stored := read_stored(folder))]
    return sorted(found, key=lambda stored: -stored.media["height"])


def discard_media(video: str, parts: Mapping[str, str], results: Path, store: Path, options: DownloadOptions) -> None:
    """Delete a filtered video from results/, and from the store if all rows of the same source are filtered.

    `parts` maps each row of the source to its URL. A row whose media link is still in results/ has not been extracted.
    Local files are never deleted.
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
        if stored := read_stored(version_of(entry, options)):
            stored.path.unlink()
            logging.info("keep_media: false: deleted %s", stored.path)


def is_disk_fault(error: BaseException) -> bool:
    """Return whether an error comes from this machine's disk, so that no video is to blame."""
    denied = isinstance(error, PermissionError) and bool(error.filename)  # without a file, the network denied it
    return denied or (isinstance(error, OSError) and error.errno in DISK_FAULTS)
