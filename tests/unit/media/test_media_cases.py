"""Valid, damaged and hostile files have the outcomes on docs/media.md. To write that page, run this.

REELSIEVE_WRITE_DOCS=1 python -m pytest tests/unit/media/test_media_cases.py
"""

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.core.tables import read_note, read_rows
from scripts.download.download_video import download_video
from scripts.frames.extract_frames import extract_frames
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
from tests._clips import DEFAULTS, KINDS, hurt, make_kind
from tests._page import collected, page_text, read_outcomes, rest_of
from tests.conftest import H264, REPO, STEADY_H264, MakeClip, download_options, pattern

PAGE = REPO / "docs/media.md"
HEAD = """# Media files

Each row is an outcome and the files that cause it, with the defaults and `interval_s: 0.7`. Frames have 320x180 pixels
if the row names no size. "Unreadable" stands for "not a video that ffmpeg can read". Written by
tests/unit/media/test_media_cases.py (`make docs`).

| files | status | frames kept | message, shortened |
|---|---|---|---|
"""
USUAL_SIZE = " of 320x180"
SHORTENED = {
    "not a video that ffmpeg can read": "unreadable",
    ", see the documentation if you wish to increase it": "",
}
Build = Callable[[MakeClip, Path], Path]


def write(name: str, body: bytes) -> Build:
    def build(make_clip: MakeClip, folder: Path) -> Path:
        (folder / name).write_bytes(body)
        return folder / name

    return build


def made(name: str, *arguments: str) -> Build:
    return lambda make_clip, folder: make_clip(f"case_{name}", *arguments)


def part(name: str, of: str, share: float) -> Build:
    def build(make_clip: MakeClip, folder: Path) -> Path:
        whole = make_kind(make_clip, of).read_bytes()
        return write(name, whole[: int(len(whole) * share)])(make_clip, folder)

    return build


def damaged(name: str, holes: int, length: int) -> Build:
    def build(make_clip: MakeClip, folder: Path) -> Path:
        whole = make_clip(f"case_{name}", *pattern(5), *STEADY_H264, "-g", "25")
        return hurt(whole, folder, holes, length, seed=2)

    return build


def pointing(name: str, text: str) -> Build:
    """Return a playlist that names a real clip beside it."""

    def build(make_clip: MakeClip, folder: Path) -> Path:
        (folder / "secret.mp4").write_bytes(make_kind(make_clip, "constant.mp4").read_bytes())
        return write(name, text.format(clip=folder / "secret.mp4").encode())(make_clip, folder)

    return build


def joined(name: str, *clips: Build) -> Build:
    return lambda make_clip, folder: write(name, b"".join(c(make_clip, folder).read_bytes() for c in clips))(
        make_clip, folder
    )


def gif_of(side_px: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", side_px, side_px, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return head + 3 * (b"\x21\xf9\x04\0" + struct.pack("<H", 100) + b"\0\0" + picture) + b";"


def vp9_of(side_px: int) -> Build:
    """Return a VP9 file whose first picture claims to be this large: 16 bits each, after a 4-bit code."""

    def build(make_clip: MakeClip, folder: Path) -> Path:
        data = make_clip("case_vp9.webm", *pattern(1, size="640x360"), "-c:v", "libvpx-vp9").read_bytes()
        at = data.index(bytes([0x49, 0x83, 0x42]))
        bits = f"{int.from_bytes(data[at : at + 16], 'big'):0128b}"
        hurt = bits.replace(f"{639:016b}{359:016b}", 2 * f"{side_px - 1:016b}", 1)
        assert hurt != bits
        return write("vp9.webm", data[:at] + int(hurt, 2).to_bytes(16, "big") + data[at + 16 :])(make_clip, folder)

    return build


def png_of(side_px: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes((side_px + 1) * side_px))
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


POSTER = ("-f", "lavfi", "-i", "color=red:size=640x360:rate=25:duration=0.04")
SMALL_TRACK, FILM = pattern(5, size="160x90"), pattern(5)
TWO = ("-map", "0", "-map", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "40")
JPEG_FIRST = ("-map", "0", "-map", "1", "-c:v:0", "mjpeg", "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p")
SECOND_IS_DEFAULT = ("-disposition:v:0", "0", "-disposition:v:1", "default")
BOTH_DEFAULT = ("-disposition:v:0", "default", "-disposition:v:1", "default")
HDR = ("-vf", "format=yuv420p10le,setparams=colorspace={}:color_primaries=bt2020:color_trc={}:range=tv",
       "-c:v", "libx265", "-x265-params", "log-level=none")  # fmt: skip


def hdr(name: str, transfer: str, matrix: str = "bt2020nc") -> Build:
    return made(name, *pattern(5), *(word.format(matrix, transfer) for word in HDR))


SMALL = made("small.ts", *pattern(3), *H264, "-bf", "0")
LARGE = made("large.ts", *pattern(3, size="640x360"), *H264, "-bf", "0", "-output_ts_offset", "3")
CONCAT = "ffconcat version 1.0\nfile {clip}\n"
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{clip}\n#EXT-X-ENDLIST\n"
CASES: dict[str, tuple[str, Build]] = {
    "sound.mp4": ("sound only", made("sound.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")),
    "no_frame.mp4": ("video track without frames", made("zero.mp4", *pattern(1), *H264, "-frames:v", "0")),
    "empty.mp4": ("empty file", write("empty.mp4", b"")),
    "page.mp4": ("web page", write("page.mp4", b"<html><body>Not found</body></html>")),
    "picture.mp4": ("PNG", write("picture.mp4", png_of(64))),
    "playlist.mp4": ("HLS playlist of a local file", pointing("playlist.mp4", HLS)),
    "list.mp4": ("ffconcat list of a local file", pointing("list.mp4", CONCAT)),
    "session.mp4": ("SDP session", write("session.mp4", b"v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n")),
    "bomb.gif": ("header of 40000x40000 pixels", write("bomb.gif", gif_of(40_000))),
    "large.gif": ("header of 16000x16000 pixels", write("large.gif", gif_of(16_000))),
    "bomb.webm": ("VP9 header of 40000x40000 pixels", vp9_of(40_000)),
    "large.webm": ("VP9 header of 12000x12000 pixels", vp9_of(12_000)),
    "absurd.mp4": ("pixel aspect 100:1", made("absurd.mp4", *pattern(1, size="640x360"), "-vf", "setsar=100/1", *H264)),
    "lines.mp4": ("64 x 2 pixels", made("lines.mp4", *pattern(1, size="64x2"), *H264)),
    "hours.mp4": ("3 hours of grey at 1 fps", made(
        "hours.mp4", "-f", "lavfi", "-i", "color=gray:size=64x64:rate=1:duration=10800", *H264, "-g", "100000")),
    "half.mkv": ("first half", part("half.mkv", "b_frames.mkv", 0.5)),
    "half.ts": ("first half", part("half.ts", "late.ts", 0.5)),
    "half.webm": ("first half", part("half.webm", "vp9.webm", 0.5)),
    "half.mp4": ("first half, index missing", part("half.mp4", "constant.mp4", 0.5)),
    "flipped.mkv": ("three bytes changed", damaged("flipped.mkv", 3, 1)),
    "holed.mp4": ("2000 bytes overwritten", damaged("holed.mp4", 1, 2000)),
    "holed.ts": ("2000 bytes overwritten", damaged("holed.ts", 1, 2000)),
    "grows.ts": ("320x180, then 640x360", joined("grows.ts", SMALL, LARGE)),
    "second.mp4": ("small track, then the default one",
        made("second.mp4", *SMALL_TRACK, *FILM, *TWO, *SECOND_IS_DEFAULT)),
    "second.mkv": ("small track, then a larger one, no default",
        made("second.mkv", *SMALL_TRACK, *FILM, *TWO, "-disposition:v", "0")),
    "poster.mp4": ("still picture, then the film, both default",
        made("poster.mp4", *POSTER, *FILM, *JPEG_FIRST, *BOTH_DEFAULT)),
    "poster.mkv": ("still picture, then the film, no default",
        made("poster.mkv", *POSTER, *FILM, *JPEG_FIRST, "-disposition:v", "0")),
    "first.mp4": ("default track, then a larger one",
        made("first.mp4", *FILM, *pattern(5, size="640x360"), *TWO, "-disposition:v:0", "default",
             "-disposition:v:1", "0")),
    "pq.mp4": ("HDR, PQ", hdr("pq.mp4", "smpte2084")),
    "hlg.mkv": ("HDR, HLG", hdr("hlg.mkv", "arib-std-b67")),
    "luminance.mp4": ("HDR, matrix of constant luminance", hdr("luminance.mp4", "smpte2084", "bt2020c")),
    "vision.mp4": ("matrix of Dolby Vision", hdr("vision.mp4", "smpte2084", "ipt-c2")),
    "restarts.ts": ("two parts, each from 0 s", joined("restarts.ts", SMALL, SMALL)),
}  # fmt: skip
REFUSED = list(CASES)[: list(CASES).index("hours.mp4")] + ["half.mp4"]


def of_kind(kind: str) -> Build:
    return lambda make_clip, folder: make_kind(make_clip, kind)


CASES |= {kind: (what, of_kind(kind)) for kind, (what, _) in KINDS.items()}
CASES["rotated.mp4"] = ("rotated by 90 degrees", of_kind("rotated.mp4"))
STILL = ("-f", "lavfi", "-i", "color=red:size=320x180:rate=1/20:duration=20")
HELD = (*pattern(5), *STILL, "-filter_complex", "[0][1]concat=n=2,settb=1/1000", "-fps_mode", "vfr", "-bf", "0")
SOUND_FIRST = ("-itsoffset", "1.5", *pattern(5), "-f", "lavfi", "-i", "sine=duration=6.5", "-c:a", "aac")
CLOCKS = {
    "clock.mkv": ("clock from 60 s", (*pattern(5), *H264, "-output_ts_offset", "60")),
    "clock.webm": ("clock from 60 s", (*pattern(5), "-c:v", "libvpx", "-output_ts_offset", "60")),
    "clock.wmv": ("clock from 60 s", (*pattern(5), "-c:v", "wmv2", "-output_ts_offset", "60")),
    "sound_first.mp4": ("pictures from 1.5 s", (*SOUND_FIRST, *H264)),
    "still.mkv": ("last picture for 20 s", (*HELD, *H264)),
    "still.mp4": ("last picture for 20 s", (*HELD, *H264)),
}
CASES |= {name: (what, made(name, *arguments)) for name, (what, arguments) in CLOCKS.items()}
LABELS = {name: f"{what} ({Path(name).suffix})" for name, (what, _) in CASES.items()}


@pytest.fixture(scope="module")
def rows() -> Iterator[dict[str, str]]:
    yield from collected(PAGE, HEAD, LABELS.values())


@pytest.mark.parametrize("name", CASES)
def test_a_file_has_the_outcome_on_the_page(
    make_clip: MakeClip, tmp_path: Path, name: str, rows: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)  # versions differ in their messages
    media = CASES[name][1](make_clip, tmp_path)
    download_video("v", str(media), tmp_path / "in", tmp_path / "store", download_options())
    record = json.loads((tmp_path / "in/video.json").read_text())
    settings = FrameSettings(**(DEFAULTS | {"interval_s": 0.7}))
    extract_frames(record, tmp_path / "in/media", tmp_path / "out", Clip(0, None), settings, threads=1)
    table = tmp_path / "out/frames.parquet"
    kept = [row for row in read_rows(table) if row["keep"]]
    sizes = {f" of {row['width']}x{row['height']}" for row in kept} - {USUAL_SIZE}
    message = (record["message"] or read_note(table)).replace("|", "/")
    for text, short in SHORTENED.items():
        message = message.replace(text, short)
    outcome = rows[LABELS[name]] = f"{record['status']} | {len(kept)}{''.join(sizes)} | {message}"
    assert (record["status"] == "invalid_media") is (name in REFUSED)
    assert len(list((tmp_path / "out").glob("*.jpg"))) == len(kept)
    if not os.environ.get("REELSIEVE_WRITE_DOCS"):
        assert outcome == read_outcomes(PAGE, HEAD)[LABELS[name]], "if this outcome is correct, run: make docs"


def test_the_page_has_every_file() -> None:
    known = read_outcomes(PAGE, HEAD)
    page = page_text(HEAD, {name: known[name] for name in LABELS.values()}) + rest_of(PAGE)
    assert page == PAGE.read_text(encoding="utf-8")


PROBE = """
import resource, sys, pathlib
from scripts.media.probe import NotVideo, probe_media
try:
    probe_media(pathlib.Path(sys.argv[1]))
except NotVideo:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_false_size_in_a_header_allocates_no_memory(make_clip: MakeClip, tmp_path: Path) -> None:
    used_kb = {}
    for name in ("empty.mp4", "bomb.gif", "large.gif", "bomb.webm", "large.webm"):
        command = [sys.executable, "-c", PROBE, str(CASES[name][1](make_clip, tmp_path))]
        used_kb[name] = int(subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout)
    assert max(used_kb.values()) < used_kb["empty.mp4"] + 50_000, used_kb
