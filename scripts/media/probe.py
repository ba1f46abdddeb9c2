"""Find ffmpeg, and probe media files without trusting them."""

import os
import subprocess
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.media.colour import tags_of
from scripts.media.length import container_of, length_s
from scripts.media.tracks import best_track, video_tracks

# A file named .mp4 can be a playlist that names other files (docs/decisions.md), so every open limits containers and
# protocols.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,ogg,asf,gif"
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
# Their index lets ffmpeg seek to a keyframe and decode every frame from there. Other containers lose frames.
SEEKABLE = frozenset({"mov", "matroska"})
# A few kB of video can decode to pictures too large for any memory. 8K is half of this; decoders keep 20 pictures.
MAX_SIDE_PX = 16_384
LEAST_SIDE_PX = 3  # the deinterlacer needs as much
DECODE_OPTIONS = {"max_pixels": str(2**26)}


@dataclass(frozen=True)
class MediaFacts:
    """Facts about a video file; sizes are of the stored picture, before rotation and pixel aspect.

    `track` of `tracks` is the number of the video track that is taken. For the colours, see media/colour.py.
    """

    container: str
    stream: int
    track: int
    tracks: int
    codec: str
    width: int
    height: int
    rotation_deg: int
    pixel_aspect: str
    matrix: int
    transfer: int
    primaries: int
    fps: float | None
    duration_s: float | None
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain values."""
        return asdict(self)


class NotVideo(Exception):
    """Raised for a file without a video that can be decoded; the message says why."""


def probe_media(path: Path) -> MediaFacts:
    """Decode the first frame and return the facts about the file; raise NotVideo with the decoder's message.

    Raise UserError if this machine cannot open the file, because that is no fault of the video. Every error of ffmpeg
    is a fault of the file, even if it reads like one of the operating system ("Operation not permitted").
    """
    import av

    av.logging.set_level(av.logging.ERROR)  # so that errors carry the decoder's message
    try:
        path.open("rb").close()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    try:
        with av.open(f"file:{path.absolute()}", options={**OPEN_OPTIONS, **DECODE_OPTIONS}) as media:
            stream = video_stream(media, path)
            if stream.codec_context is None:
                raise NotVideo("not a video that ffmpeg can read: no decoder for its pictures")
            stream.codec_context.options = DECODE_OPTIONS
            return _facts(media, stream, _first_frame(media, stream), path.stat().st_size)
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if "whitelist" in str(getattr(error, "log", "")):
            reason = f"its format is none of {CONTAINERS}"
        raise NotVideo(f"not a video that ffmpeg can read: {reason}") from error


def video_stream(media: Any, path: Path) -> Any:
    """Return the video stream to take, which is no cover art; raise NotVideo if there is none."""
    if not video_tracks(media):
        raise NotVideo(f"no video stream (container {media.format.name})")
    return best_track(media, path, {**OPEN_OPTIONS, **DECODE_OPTIONS})


def _facts(media: Any, stream: Any, frame: Any, size_bytes: int) -> MediaFacts:
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    if max(frame.width * max(aspect, 1), frame.height) > MAX_SIDE_PX:
        raise NotVideo(f"pictures of {frame.width} x {frame.height} at pixel aspect {aspect}: over {MAX_SIDE_PX} px")
    if min(frame.width, frame.height) < LEAST_SIDE_PX:
        raise NotVideo(f"pictures of {frame.width} x {frame.height}: under {LEAST_SIDE_PX} px")
    tracks = [track.index for track in video_tracks(media)]
    return MediaFacts(
        container=container_of(media),
        stream=stream.index,
        track=tracks.index(stream.index) + 1,
        tracks=len(tracks),
        codec=stream.codec_context.name,
        width=frame.width,
        height=frame.height,
        rotation_deg=int(frame.rotation) % 360,
        pixel_aspect=f"{aspect.numerator}:{aspect.denominator}",
        **tags_of(frame),
        fps=round(float(stream.average_rate), 4) if stream.average_rate else None,
        duration_s=length_s(media, stream),
        bytes=size_bytes,
    )


def _first_frame(media: Any, stream: Any) -> Any:
    """Return the first frame that can be decoded; skip damaged packets."""
    import av

    fault = ""
    for packet in media.demux(stream):
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            fault, frames = fault or (error.log or ("", "", error.strerror))[2].strip(), []
        if frames:
            return frames[0]
    raise NotVideo("not a video that ffmpeg can read: no frame can be decoded" + (fault and f": {fault}"))


def ffmpeg_exe() -> str:
    """Return the path of the ffmpeg that imageio-ffmpeg ships, or of the one named in IMAGEIO_FFMPEG_EXE.

    It is the same on every machine, because other versions write other bytes.
    """
    import imageio_ffmpeg

    packaged = sorted((Path(imageio_ffmpeg.__file__).parent / "binaries").glob("ffmpeg-*"))
    if packaged and not os.environ.get("IMAGEIO_FFMPEG_EXE"):
        return str(packaged[0])  # get_ffmpeg_exe() runs it first, and returns the system's if that fails or is killed
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise UserError(
            f"ffmpeg was not found: set IMAGEIO_FFMPEG_EXE to the path of ffmpeg 5.1 or later ({error})"
        ) from None


def ffmpeg_version() -> str:
    """Return the version that ffmpeg prints, such as "n9.0" or "5.1.6-0+deb12u1"."""
    try:
        command = [ffmpeg_exe(), "-version"]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError) as error:
        code = getattr(error, "returncode", 0)
        why = f"ffmpeg does not run ({error}): unset IMAGEIO_FFMPEG_EXE, or reinstall imageio-ffmpeg"
        raise UserError(killed_message(-code) if code < 0 else why) from None
    return output.partition("version ")[2].partition(" ")[0] or "unknown"


def killed_message(signal_number: int) -> str:
    """Return the message for an ffmpeg that a person, or a system short of memory, killed."""
    return f"ffmpeg was killed by signal {signal_number}: free memory and run again"
