"""Go on with a partial file only if it is a part of what the server now has.

yt-dlp appends whatever the server sends after the offset asked for: a part of another file, or of an earlier version,
is glued to it in silence. So beside the partial file stands what it is a part of.
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
from typing import Any
from urllib.parse import urljoin, urlsplit

from scripts.core.files import read_json, write_json
from scripts.download.faults import Rejected

NAME = "part_of.json"
MOST_LIST_BYTES = 20_000_000
STARTED = time.time()


class Changed(Exception):
    """The server's file is no longer the one whose part is here."""


class Partial:
    """A folder of partial files, and what is known of the whole."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, and empty it of parts whose origin is unknown."""
        self.folder, self._note = folder, folder / NAME
        folder.mkdir(exist_ok=True)
        self._known = self._read()
        self._followed = False  # whether the part was written, from its start, by this process
        if not self._known:
            self.clear()

    def clear(self) -> None:
        """Delete all parts."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self._known, self._followed = {}, False

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder)

    def size_bytes(self) -> int:
        """Return how much is here."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file() and path.name != NAME)

    def begin(self, source: dict[str, Any]) -> None:
        """Say what is fetched next; parts of anything else are deleted."""
        if self._known.get("source") != source:
            self.clear()
            self._known = {"source": source}
            write_json(self._note, self._known)

    def may_continue(self, to_offset: bool) -> bool:
        """Tell whether the server's next answer can be held against the one that the part is from.

        `to_offset`: the request names its end too, as in a series of requests that each fetch a piece.
        """
        whole = self._known.get("whole") or {}
        return bool(whole.get("etag") or whole.get("last_modified")) or (to_offset and self._followed)

    def check(self, asked: int, status: int, headers: Any) -> int | None:
        """Return the whole file's size if it is said; raise Changed if it is not the file of the part."""
        start, total = _range(status, headers)
        whole = {"total_bytes": total, "etag": headers.get("ETag"), "last_modified": headers.get("Last-Modified")}
        if start and (start != asked or not _same(self._known.get("whole") or {}, whole)):
            self._known, self._followed = {"source": self._known.get("source")}, False  # yt-dlp starts again
            raise Changed("what the server sends now does not go on where the first part of the file ended")
        if not start:
            self._followed = True
            self._known["whole"] = whole
            write_json(self._note, self._known)
        return total

    def _read(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = read_json(self._note)
        except (OSError, ValueError):
            return {}
        return known


def identity_of_pieces(urlopen: Callable[[str], Any], info: dict[str, Any]) -> str:
    """Return what names the pieces of an HLS or DASH stream: their list, and size and version of the first.

    Where it cannot be told, only this process will go on with its own parts. A fault is left to the download to find.
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
        logging.info("the pieces cannot be named: %s", type(error).__name__)
        known, version = ([], []), [None]
    vouched = version[:2] != [None, None] and any(version[:2])
    return hashlib.sha256(json.dumps(known).encode()).hexdigest() if vouched else f"of process {os.getpid()} {STARTED}"


def _range(status: int, headers: Any) -> tuple[int, int | None]:
    """Return the offset of an answer's first byte, and the size of the whole file if that is said."""
    found = re.match(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range") or "")
    if status == 206 and found:
        return int(found[1]), int(found[2]) if found[2] != "*" else None
    length = headers.get("Content-Length") or ""
    return 0, int(length) if length.isdigit() else None


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two answers are of one file: its size, and, if servers name them, its tag or its date."""
    if one.get("total_bytes") != other["total_bytes"]:
        return False
    named = [key for key in ("etag", "last_modified") if one.get(key) and other[key]]
    return not named or any(one[key] == other[key] for key in named)
