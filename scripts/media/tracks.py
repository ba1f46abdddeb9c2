"""Choose among several video tracks of a file the one that players show."""

from collections import Counter
from pathlib import Path
from typing import Any

# Of a file whose header does not count pictures, this much is read to find tracks of a single picture.
MOST_PACKETS, MOST_BYTES = 2000, 64_000_000


def video_tracks(media: Any) -> list[Any]:
    """Return the video streams that are not cover art."""
    from av.stream import Disposition

    return [s for s in media.streams.video if not s.disposition & Disposition.attached_pic]


def best_track(media: Any, path: Path, options: dict[str, str]) -> Any:
    """Return the track to take: one that can be decoded, moves, is a main track, is the default, and is the largest.

    Phones store a large picture beside a smaller film as a track of its own, and both are flagged as default. So the
    flag only decides between tracks that move. `options` open the file at `path`.
    """
    from av.stream import Disposition

    tracks = video_tracks(media)
    if len(tracks) == 1:
        return tracks[0]
    beside = Disposition.dependent | Disposition.still_image | Disposition.timed_thumbnails
    still = still_tracks(tracks, path, options)

    def order(stream: Any) -> tuple[int, ...]:
        codec = stream.codec_context
        return (
            codec is not None,
            stream.index not in still,
            not stream.disposition & beside,
            bool(stream.disposition & Disposition.default),
            codec.width * codec.height if codec is not None else 0,
            -stream.index,
        )

    return max(tracks, key=order)


def still_tracks(tracks: list[Any], path: Path, options: dict[str, str]) -> set[int]:
    """Return the indices of tracks with at most one picture, as far as the header or the start of the file tells."""
    if any(stream.frames for stream in tracks):  # 0: not counted, or none
        return {stream.index for stream in tracks if stream.frames <= 1}
    counts, is_whole = _count_pictures(path, options)
    return {s.index for s in tracks if counts[s.index] == 1 or (is_whole and not counts[s.index])}


def _count_pictures(path: Path, options: dict[str, str]) -> tuple[Counter[int], bool]:
    """Return the number of packets per video stream at the start of a file, and whether that is all of it."""
    import av

    counts: Counter[int] = Counter()
    size = 0
    with av.open(f"file:{path.absolute()}", options=options) as media:
        for packet in media.demux(video_tracks(media)):
            counts[packet.stream.index] += bool(packet.size)
            size += packet.size
            if size > MOST_BYTES or counts.total() >= MOST_PACKETS:
                return counts, False
    return counts, True
