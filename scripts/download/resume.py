"""Resume a partial file only if the server still has the same file.

yt-dlp appends to a partial file without a check, even if the server's file has changed. So a note beside the partial
file identifies the file that it is a part of.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urljoin, urlsplit

from scripts.core.files import write_json
from scripts.core.shared_files import is_own_file, read_shared_json, refuse_link
from scripts.download.faults import Rejected

NAME = "part_of.json"
MOST_LIST_BYTES = 20_000_000
STARTED = time.time()


class Changed(Exception):
    """The server's file is not the one that the partial file is a part of."""


class Source(TypedDict):
    """What is downloaded: the format, and the identity of a stream's segments (empty for a single file)."""

    format_id: str | None
    protocol: str | None
    pieces: str


class Whole(TypedDict):
    """The server's headers about the whole file."""

    total_bytes: int | None
    etag: str | None
    last_modified: str | None


class PartOf(TypedDict, total=False):
    """The note beside a partial file."""

    source: Source
    whole: Whole


class Partial:
    """A folder of partial files with a note about the whole file."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, and delete parts without a note, and links, through which another file would be written."""
        self.folder, self._path = folder, folder / NAME
        refuse_link(folder)
        folder.mkdir(exist_ok=True)
        self._note = self._read()
        self._started_here = False  # whether this process wrote the part from its start
        if not self._note or not all(map(is_own_file, folder.iterdir())):
            self.clear()

    def clear(self) -> None:
        """Delete all parts."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self._note, self._started_here = {}, False

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder)

    def size_bytes(self) -> int:
        """Return the size of the parts."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file() and path.name != NAME)

    def total_bytes(self) -> int | None:
        """Return the size of the whole file, if the server said it."""
        whole = self._note.get("whole")
        return whole["total_bytes"] if whole else None

    def begin(self, source: Source) -> None:
        """Set what is downloaded next, and delete parts of anything else."""
        if self._note.get("source") != source:
            self.clear()
            self._note = {"source": source}
            write_json(self._path, self._note)

    def may_continue(self, to_offset: bool) -> bool:
        """Return whether the next response can be compared with the one that the part is from.

        `to_offset`: the request also names its end, as in a series of requests for pieces of one file.
        """
        whole = self._note.get("whole")
        has_tag = bool(whole and (whole["etag"] or whole["last_modified"]))
        return has_tag or (to_offset and self._started_here)

    def check(self, offset: int, status: int, headers: Any) -> int | None:
        """Return the size of the whole file, if known; raise Changed if the response does not continue the part."""
        start, total = _range(status, headers)
        whole: Whole = {
            "total_bytes": total,
            "etag": headers.get("ETag"),
            "last_modified": headers.get("Last-Modified"),
        }
        if start and (start != offset or not _is_same(self._note.get("whole"), whole)):
            self._note.pop("whole", None)  # yt-dlp starts again
            self._started_here = False
            raise Changed("the server's response does not continue the partial file")
        if not start:
            self._started_here = True
            self._note["whole"] = whole
            write_json(self._path, self._note)
        return total

    def _read(self) -> PartOf:
        try:
            note: PartOf = read_shared_json(self._path)
        except (OSError, ValueError):
            return {}
        known = isinstance(note, dict) and all(isinstance(note.get(key, {}), dict) for key in ("source", "whole"))
        return note if known else {}


def identity_of_pieces(urlopen: Callable[[str], Any], info: dict[str, Any]) -> str:
    """Return a hash of the segments of an HLS or DASH stream: their list, and size and version of the first.

    Without a version, return a value that only this process can match. An error is left to the download.
    """
    try:
        if info.get("fragments"):
            base = info.get("fragment_base_url") or info["url"]
            urls = [piece.get("url") or urljoin(base, piece["path"]) for piece in info["fragments"]]
        else:
            with urlopen(info["url"]) as answer:
                base, lines = answer.url, answer.read(MOST_LIST_BYTES).decode("utf-8", "replace").splitlines()
            urls = [urljoin(base, line) for line in lines if line.strip() and not line.startswith("#")]
        with urlopen(urls[0]) as first:
            version = [first.headers.get(name) for name in ("ETag", "Last-Modified", "Content-Length")]
        known = [urlsplit(url).path for url in urls], version
    except Rejected:
        raise
    except Exception as error:
        logging.info("cannot identify the segments of the stream: %s", type(error).__name__)
        known, version = ([], []), [None]
    if not any(version[:2]):
        return f"of process {os.getpid()} {STARTED}"
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def _range(status: int, headers: Any) -> tuple[int, int | None]:
    """Return the offset of a response's first byte, and the size of the whole file, if known."""
    found = re.match(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range") or "")
    if status == 206 and found:
        return int(found[1]), int(found[2]) if found[2] != "*" else None
    length = headers.get("Content-Length") or ""
    return 0, int(length) if length.isdigit() else None


def _is_same(one: Whole | None, other: Whole) -> bool:
    """Return whether two responses are of one file: same size, and same tag or date if the server sends them."""
    if (one and one["total_bytes"]) != other["total_bytes"]:
        return False
    pairs = [(one["etag"], other["etag"]), (one["last_modified"], other["last_modified"])] if one else []
    known = [pair for pair in pairs if all(pair)]
    return not known or any(before == now for before, now in known)
