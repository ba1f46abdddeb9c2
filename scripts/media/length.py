"""The length of a video as a player shows it, which headers count in two ways."""

from typing import Any

COUNT_FROM_ZERO = frozenset({"matroska", "asf"})  # most writers count from 0 even if the pictures start late


def container_of(media: Any) -> str:
    """Return ffmpeg's first name for the container of an open file."""
    return str(media.format.name.split(",")[0])


def length_s(media: Any, stream: Any) -> float | None:
    """Return when the pictures of an open file end, in seconds after its start, by its header; None if unknown."""
    start_s = (media.start_time or 0) / 1e6
    if stream.duration and container_of(media) not in COUNT_FROM_ZERO:
        # The sound can start before the pictures, and then the file starts with it.
        own_start_s = float(stream.start_time * stream.time_base) if stream.start_time is not None else start_s
        end_s = float(stream.duration * stream.time_base) + own_start_s - start_s
    else:
        end_s = float(stream.duration * stream.time_base) if stream.duration else (media.duration or 0) / 1e6
        if container_of(media) in COUNT_FROM_ZERO and not _has_index_after(stream, end_s):
            end_s -= max(0.0, start_s)
    return round(end_s, 3) if end_s > 0 else None


def _has_index_after(stream: Any, end_s: float) -> bool:
    """Return whether the index has an entry after this end, which then counts from the first picture."""
    entries = stream.index_entries
    return bool(len(entries)) and float(entries[-1].timestamp * stream.time_base) > end_s
