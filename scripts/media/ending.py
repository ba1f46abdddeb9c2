"""Tell from a file's own sizes whether it is all there: a header's length alone cannot tell a cut from a still end."""

import os
import struct
from pathlib import Path
from typing import IO

EBML_SEGMENT = b"\x18\x53\x80\x67"
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
HEAD_BYTES = 65_536
LAST_BYTES = 4096
MOST_BOXES = 100_000  # of a fragmented MP4


def is_whole(path: Path, container: str) -> bool | None:
    """Return whether the file has all bytes that its container announces; None if it announces none."""
    check = {"matroska": _matroska, "mov": _mov, "avi": _avi, "asf": _asf, "flv": _flv}.get(container)
    if check is None:
        return None
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LAST_BYTES))
        if not any(file.read()):  # space set aside by a download that did not finish
            return None
        file.seek(0)
        try:
            return check(file, size)
        except (struct.error, IndexError):  # the file ends within a size
            return None


def _matroska(file: IO[bytes], size: int) -> bool | None:
    """Compare with the size of the segment, which recorders leave open while they write."""
    head = file.read(HEAD_BYTES)
    at = head.index(EBML_SEGMENT) + len(EBML_SEGMENT) if EBML_SEGMENT in head else len(head)
    length = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + length], "big") & ((1 << 7 * length) - 1)
    if length > 8 or value in (0, (1 << 7 * length) - 1):
        return None
    return size >= at + length + value


def _mov(file: IO[bytes], size: int) -> bool | None:
    """Walk the boxes; fragments can be cut between two of them, so they need the index at their end."""
    at, kinds = 0, set()
    for _ in range(MOST_BOXES):
        if at >= size:
            break
        file.seek(at)
        head = file.read(16)
        length, kind = struct.unpack(">I4s", head[:8])
        if length == 1:
            (length,) = struct.unpack(">Q", head[8:16])
        if length < 8:  # 0: to the end of the file
            return None
        kinds.add(kind)
        at += length
    if at != size:
        return None if at < size else False  # too many boxes to tell
    return None if b"moof" in kinds and b"mfra" not in kinds else b"moov" in kinds


def _avi(file: IO[bytes], size: int) -> bool | None:
    at = end = 0
    while at + 12 <= size:
        file.seek(at)
        mark, length = struct.unpack("<4sI", file.read(8))
        if mark != b"RIFF":
            break
        if not length:
            return None
        end = at + 8 + length
        at = end + length % 2
    return end <= size if end else None


def _asf(file: IO[bytes], size: int) -> bool | None:
    head = file.read(HEAD_BYTES)
    at = head.index(ASF_PROPERTIES) + 40 if ASF_PROPERTIES in head else len(head)
    (whole,) = struct.unpack("<Q", head[at : at + 8])
    return size >= whole if whole else None


def _flv(file: IO[bytes], size: int) -> bool | None:
    """Compare with the size in the metadata, where recorders write it."""
    head = file.read(HEAD_BYTES)
    key = b"filesize\0"
    at = head.index(key) + len(key) if key in head else len(head)
    (whole,) = struct.unpack(">d", head[at : at + 8])
    return bool(size >= whole) if whole > 0 else None
