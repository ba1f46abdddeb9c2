"""Clips of every kind that a video can be, made by ffmpeg, and what a decoder of another library sees in them."""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml

from scripts.core.files import link_file
from scripts.core.row_types import VideoRecord
from scripts.core.tables import read_rows
from scripts.frames.extract_frames import extract_frames
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
from scripts.media.probe import probe_media
from tests.conftest import REPO, MakeClip, pattern

SCHEMA = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())["properties"]["frames"]["properties"]
DEFAULTS = {key: sub["default"] for key, sub in SCHEMA.items()}
# Three shots of 2, 1.2 and 1.8 s: moving, slowly zooming and still.
SHOTS = (
    *pattern(2), "-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=25", *("-f", "lavfi", "-i"),
    "smptehdbars=size=320x180:rate=25:duration=1.8", "-filter_complex", "[1]trim=duration=1.2[m];[0][m][2]concat=n=3",
)  # fmt: skip
X264 = "-c:v libx264 -pix_fmt yuv420p -g 40"
KINDS = {
    "constant.mp4": ("25 fps, H.264", X264),
    "b_frames.mkv": ("three B-frames", f"{X264} -bf 3 -b_strategy 0"),
    "film.mkv": ("24000/1001 fps", f"-r 24000/1001 {X264}"),
    "variable.mp4": ("variable frame rate", f"-vf select=not(mod(n\\,7))+lt(n\\,20) -fps_mode vfr {X264} -g 7"),
    "late.ts": ("clock from 7 s", f"{X264} -muxdelay 1.4 -output_ts_offset 7"),
    "interlaced.mpg": ("interlaced MPEG-2", "-c:v mpeg2video -q:v 3 -flags +ildct+ilme -vf setfield=tff"),
    "interlaced.mp4": ("interlaced H.264", f"{X264} -flags +ildct+ilme -vf setfield=tff"),
    "odd.webm": ("161 x 91 pixels, VP8", "-vf scale=161:91,setsar=1 -c:v libvpx -pix_fmt yuv420p -g 40"),
    "anamorphic.mp4": ("pixels of 4:3", f"-vf setsar=4/3 {X264}"),
    "ten_bit.mkv": ("10 bits a sample", f"{X264} -pix_fmt yuv420p10le"),
    "vp9.webm": ("VP9, hidden frames", "-c:v libvpx-vp9 -pix_fmt yuv420p -g 40 -auto-alt-ref 1 -lag-in-frames 16"),
    "hevc.mp4": ("HEVC, open GOPs", "-c:v libx265 -pix_fmt yuv420p -x265-params keyint=40:open-gop=1:log-level=none"),
    "mpeg4.avi": ("MPEG-4 in AVI", "-c:v mpeg4 -q:v 3 -g 40"),
    "plain.gif": ("GIF, 10 fps", "-r 10"),
}


@dataclass(frozen=True)
class Shown:
    """A frame as PyAV decodes it."""

    time_s: float
    key: bool
    begins_shot: bool


def make_kind(make_clip: MakeClip, name: str) -> Path:
    """Return the clip of three shots in one of the forms above, or turned by 90 degrees."""
    if name == "rotated.mp4":
        return make_clip(name, "-display_rotation", "90", "-i", str(make_kind(make_clip, "constant.mp4")), "-c", "copy")
    whole = make_clip("shots.mkv", *SHOTS, "-c:v", "ffv1")
    return make_clip(name, "-i", str(whole), *KINDS[name][1].split())


def hurt(media: Path, into: Path, holes: int, length: int, seed: int = 1) -> Path:
    """Overwrite parts of a file with noise, its first and last tenth excepted."""
    data = bytearray(media.read_bytes())
    rng = random.Random(seed)
    for _ in range(holes):
        at = rng.randrange(len(data) // 10, len(data) * 9 // 10)
        data[at : at + length] = rng.randbytes(length)
    path = into / f"hurt{media.suffix}"
    path.write_bytes(data)
    return path


@cache
def shown_in(media: Path) -> tuple[Shown, ...]:
    """Return every frame of a file in the order of showing; a shot begins where most of the picture changes."""
    shown, before = [], None
    with av.open(str(media)) as container:
        stream = container.streams.video[0]
        zero_s = (stream.start_time or 0) * float(stream.time_base or 1)
        for frame in container.decode(stream):
            grey = frame.reformat(64, 36, "gray").to_ndarray().astype(int)
            cut = before is None or np.abs(grey - before).mean() > 40
            shown.append(Shown(float(frame.time or 0) - zero_s, bool(frame.key_frame), bool(cut)))
            before = grey
    return tuple(shown)


def record_of(media: Path, file: str) -> VideoRecord:
    """Return the record of a downloaded file; `file` is its name in the media folder."""
    facts: Any = probe_media(media).as_dict() | {"sha256": "", "file": file}
    return {
        "video": "clip", "status": "ok", "message": "", "http_status": None, "attempts": 1, "media": facts, "source": {}
    }  # fmt: skip


def lost_record(status: str, message: str = "") -> VideoRecord:
    """Return the record of a video that could not be downloaded."""
    return {
        "video": "v", "status": status, "message": message, "http_status": None, "attempts": 1, "media": None,
        "source": {},
    }  # fmt: skip


def extract(media: Path, folder: Path, **options: Any) -> list[dict[str, Any]]:
    """Run the stage on a file as download_video hands it on; options are the clip's and those of `frames`.

    Unlike the default, none is skipped as similar.
    """
    link_file(media, folder / "in/media.bin")
    record = record_of(media, "media.bin")
    clip = Clip(options.pop("start_s", 0.0), options.pop("end_s", None))
    threads = options.pop("threads", 1)
    extract_frames(
        record,
        folder / "in",
        folder / "out",
        clip,
        FrameSettings(**(DEFAULTS | {"similar_bits": -1} | options)),
        threads,
    )
    return read_rows(folder / "out/frames.parquet")
