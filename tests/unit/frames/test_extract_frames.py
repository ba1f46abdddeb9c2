"""Frames look as they should, and extraction waits for the filter. Real clips and a real ffmpeg."""

import logging
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.core.layout import FILTER_TABLE, FRAMES_TABLE
from scripts.core.schemas import FRAMES
from scripts.core.tables import read_note, read_rows
from scripts.frames.extract_frames import extract_frames, extract_within_budget
from scripts.frames.sampling import FrameSettings
from scripts.job.environment import SUBMISSION
from scripts.media.clip import Clip
from tests._clips import DEFAULTS, extract, lost_record, record_of
from tests.conftest import H264, MakeClip, pattern

SETTINGS = FrameSettings(**DEFAULTS)


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"), float)


@pytest.mark.public_report(
    "cvat 1961", saw="a video recorded upright on a phone is shown lying",
    here="frames are upright",
)  # fmt: skip
@pytest.mark.public_report(
    "opencv 15499", saw="frames of phone videos ignore the rotation in the header",
    here="frames are upright",
)  # fmt: skip
def test_frames_are_upright_with_square_pixels(make_clip: MakeClip, clip: Path, tmp_path: Path) -> None:
    turned = make_clip("turned.mp4", "-display_rotation", "90", "-i", str(clip), "-c", "copy")
    rows = extract(turned, tmp_path / "a")
    assert {(row["width"], row["height"]) for row in rows} == {(180, 320)}
    upright = Image.open(tmp_path / "a/out/000000000.jpg").rotate(-90, expand=True)
    extract(clip, tmp_path / "b")
    plain = Image.open(tmp_path / "b/out/000000000.jpg")
    assert np.abs(np.asarray(upright, float) - np.asarray(plain, float)).mean() < 3
    wide = make_clip("wide.mp4", *pattern(2), "-vf", "setsar=4/3", *H264)
    assert {(row["width"], row["height"]) for row in extract(wide, tmp_path / "c")} == {(426, 180)}


@pytest.mark.parametrize(
    ("size", "limit_px", "expected"),
    [
        ("640x360", 320, (320, 180)),
        ("360x640", 320, (180, 320)),
        ("161x91", 200, (161, 91)),
        ("640x360", 101, (100, 56)),
    ],
)
def test_the_longer_side_has_a_limit(
    make_clip: MakeClip, tmp_path: Path, size: str, limit_px: int, expected: tuple[int, int]
) -> None:
    media = make_clip(f"size{size}.mkv", *pattern(1), "-vf", f"scale={size.replace('x', ':')},setsar=1", "-c:v", "ffv1")
    (row,) = extract(media, tmp_path, max_side_px=limit_px)
    assert (row["width"], row["height"]) == expected == Image.open(tmp_path / "out" / row["frame"]).size


def test_interlaced_frames_have_no_combs(make_clip: MakeClip, tmp_path: Path) -> None:
    moving = (*pattern(2, rate="50"), "-vf", "scroll=h=0.02,tinterlace=interleave_top,setfield=tff")
    rows = extract(make_clip("combs.mp4", *moving, *H264, "-flags", "+ildct+ilme", "-qp", "10"), tmp_path / "a")
    plain = make_clip("as_it_is.mp4", *moving, "-r", "25", *H264, "-qp", "10", "-x264-params", "pic-struct=0")
    extract(plain, tmp_path / "b")

    def combs(folder: str) -> float:
        seen = picture(tmp_path / folder / "out/000001000.jpg")
        return float(np.abs(seen[1:-1] - (seen[:-2] + seen[2:]) / 2).mean())

    assert len(rows) == 2 and combs("a") < 0.6 * combs("b")


def test_colours_survive_the_change_of_matrix(make_clip: MakeClip, tmp_path: Path) -> None:
    tags = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    to_709 = ("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p")
    green = ("-f", "lavfi", "-i", "color=c=0x20C040:size=64x64:rate=5:duration=1")
    extract(make_clip("green.mp4", *green, *to_709, "-c:v", "libx264", *tags), tmp_path, min_entropy_bits=0)
    seen = np.asarray(Image.open(tmp_path / "out/000000000.jpg").convert("RGB"))[32, 32].astype(int)
    assert np.abs(seen - [0x20, 0xC0, 0x40]).max() <= 6


def test_a_video_without_media_gives_an_empty_table_that_says_why(clip: Path, tmp_path: Path) -> None:
    record = lost_record("unavailable")
    out = tmp_path / "out"
    extract_frames(record, tmp_path / "in", out, Clip(0, None), SETTINGS, threads=1)
    assert read_rows(out / "frames.parquet") == [] and read_note(out / "frames.parquet") == "no media: unavailable"
    assert extract(clip, tmp_path / "late", start_s=60.0) == []
    assert "the video lasts 6.0 s" in read_note(tmp_path / "late/out/frames.parquet")


def test_the_same_input_gives_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    for name, threads in (("a", 1), ("b", 2)):
        extract(clip, tmp_path / name, threads=threads)
    names = sorted(p.name for p in (tmp_path / "a/out").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "b/out").iterdir())
    for name in names:
        assert (tmp_path / "a/out" / name).read_bytes() == (tmp_path / "b/out" / name).read_bytes(), name
    assert read_rows(tmp_path / "a/out/frames.parquet")[0].keys() == set(FRAMES.names)


def test_a_change_of_size_adds_no_frame(make_clip: MakeClip, tmp_path: Path) -> None:
    small = make_clip("small.ts", *pattern(3.52), *H264, "-bf", "0")
    large = make_clip("large.ts", *pattern(3.52, size="640x360"), *H264, "-bf", "0", "-output_ts_offset", "3.52")
    (tmp_path / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    rows = extract(tmp_path / "both.ts", tmp_path)
    assert [row["pts_s"] for row in rows] == [float(i) for i in range(8)]
    assert {(row["width"], row["height"]) for row in rows} == {(320, 180)}
    extract(large, tmp_path / "large", start_s=2.48)
    seen = Image.open(tmp_path / "out/000006000.jpg")
    true = Image.open(tmp_path / "large/out/000002480.jpg").resize((320, 180))
    assert np.abs(np.asarray(seen, float) - np.asarray(true, float)).mean() < 4


@pytest.mark.parametrize("names", [("one.ts", "two.ts"), ("one.mpg", "two.mpg")])
def test_times_go_on_where_the_clock_restarts(make_clip: MakeClip, tmp_path: Path, names: tuple[str, str]) -> None:
    codec = (*H264, "-bf", "0") if names[0].endswith("ts") else ("-c:v", "mpeg2video", "-q:v", "3", "-bf", "0")
    one, two = (make_clip(name, *pattern(4, rate=rate), *codec) for name, rate in zip(names, ("25", "50"), strict=True))
    joined = tmp_path / f"joined{one.suffix}"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    times = [row["pts_s"] for row in extract(joined, tmp_path)]
    assert len(times) == 8 and times == pytest.approx(range(8), abs=0.1)


def test_a_video_refreshed_without_keyframes_is_decoded_from_the_start(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("refresh.mp4", *pattern(6), *H264, "-x264-params", "intra-refresh=1:keyint=40:bframes=0")
    rows = extract(media, tmp_path, mode="every_n", every_n=1, start_s=3.6, end_s=4.1)  # seeking decodes from 3.92 s on
    assert [row["pts_s"] for row in rows] == pytest.approx([3.6 + i / 25 for i in range(13)])


def test_cover_art_is_not_the_video(make_clip: MakeClip, tmp_path: Path) -> None:
    cover = make_clip("cover.jpg", *pattern(0.04, size="640x360"), "-frames:v", "1")
    both = ("-i", str(cover), *pattern(3), "-map", "0", "-map", "1", "-c:v:0", "copy", "-c:v:1", "libx264")
    media = make_clip("cover.mp4", *both, "-disposition:v:0", "attached_pic", "-disposition:v:1", "default")
    rows = extract(media, tmp_path)
    assert [row["pts_s"] for row in rows] == [0.0, 1.0, 2.0] and rows[0]["width"] == 320


@pytest.mark.parametrize("submission", ["", "7"])
def test_extraction_waits_for_the_filter_except_on_a_cluster(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, submission: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(SUBMISSION, submission)
    frames, filtered = Path("results/frames/other"), Path("results/filtered/other")
    for folder in (frames, filtered, Path("results/frames/v")):
        folder.mkdir(parents=True)
    (frames / "000000000.jpg").write_bytes(bytes(9000))
    (frames / FRAMES_TABLE).touch()
    caplog.set_level(logging.INFO)
    filter_soon = threading.Timer(1.0, (filtered / FILTER_TABLE).touch)
    filter_soon.start()
    record, out = record_of(clip, clip.name), Path("results/frames/v")
    extract_within_budget(record, clip.parent, out, Clip(0, None), SETTINGS, threads=1, budget_gb=8e-6)
    waited = "frames_budget_gb" in caplog.text
    filter_soon.join()
    assert waited is (submission == "") and len(read_rows(out / FRAMES_TABLE)) == 6
    assert not list(Path(".snakemake/frames").glob("extract-*"))


@pytest.mark.public_report(
    "found by us 7",
    saw="The message of a video of 2 lines held the same error twice.",
    here="An error is said once; pictures of under 3 px are refused.",
)
def test_the_error_of_ffmpeg_is_said_once(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\necho '[error] it broke' >&2\nexit 1\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    assert not extract(clip, tmp_path)
    note = read_note(tmp_path / "out/frames.parquet")
    assert note == "ffmpeg gave up: it broke; no frame from 0 s on: the video lasts 6.0 s"
