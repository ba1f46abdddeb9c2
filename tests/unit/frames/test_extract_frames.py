"""Pictures come out as they should look; limits hold; notes say what is missing. Real clips and a real ffmpeg."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from scripts.core.errors import UserError
from scripts.core.schemas import FRAMES
from scripts.core.tables import read_note, read_rows
from scripts.frames.extract_frames import Job, extract_frames, missing_end, no_limit, write_jpeg
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from tests._clips import DEFAULTS, extract
from tests.conftest import H264, MakeClip, pattern

SETTINGS = FrameSettings(**DEFAULTS)


def note_of(folder: Path) -> str:
    return read_note(folder / "out/frames.parquet")


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"), float)


def test_pictures_stand_upright_with_square_pixels(make_clip: MakeClip, clip: Path, tmp_path: Path) -> None:
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


def test_interlaced_pictures_have_no_combs(make_clip: MakeClip, tmp_path: Path) -> None:
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


def test_unusable_videos_give_an_empty_table_that_says_why(clip: Path, tmp_path: Path) -> None:
    record = {"video": "v", "status": "unavailable", "media": None}
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


def test_a_change_of_size_adds_no_frame_beside_the_grid(make_clip: MakeClip, tmp_path: Path) -> None:
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
def test_a_file_whose_clock_starts_anew_is_counted_on(
    make_clip: MakeClip, tmp_path: Path, names: tuple[str, str]
) -> None:
    codec = (*H264, "-bf", "0") if names[0].endswith("ts") else ("-c:v", "mpeg2video", "-q:v", "3", "-bf", "0")
    one, two = (make_clip(name, *pattern(4, rate=rate), *codec) for name, rate in zip(names, ("25", "50"), strict=True))
    joined = tmp_path / f"joined{one.suffix}"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    times = [row["pts_s"] for row in extract(joined, tmp_path)]
    assert len(times) == 8 and times == pytest.approx(range(8), abs=0.1)


def test_gates_and_similarity_leave_rows_without_files(make_clip: MakeClip, tmp_path: Path) -> None:
    black, still = "color=black:size=320x180:rate=25:duration=2", "smptehdbars=size=320x180:rate=25:duration=3"
    join = ("-filter_complex", "[0][1][2]concat=n=3")
    media = make_clip("gates.mp4", *pattern(2), "-f", "lavfi", "-i", black, "-f", "lavfi", "-i", still, *join, *H264)
    rows = extract(media, tmp_path, similar_bits=2)
    assert [row["reason"] for row in rows] == ["", "", "flat", "flat", "", "similar", "similar"]
    assert [row["threshold"] for row in rows[2:6]] == [DEFAULTS["min_entropy_bits"]] * 2 + [None, 2.0]
    assert [p.name for p in sorted((tmp_path / "out").glob("*.jpg"))] == [r["frame"] for r in rows if r["keep"]]
    assert all(row["value"] <= row["threshold"] for row in rows if not row["keep"])


def test_time_and_space_have_limits(make_clip: MakeClip, tmp_path: Path) -> None:
    hours = ("-f", "lavfi", "-i", "color=gray:size=64x64:rate=1:duration=36000")
    media = make_clip("hours.mp4", *hours, *H264, "-g", "100000")
    rows = extract(media, tmp_path / "time", min_entropy_bits=0, deadline_s=1)
    assert 0 < len(rows) < 36000
    assert note_of(tmp_path / "time").startswith(f"stopped at {rows[-1]['pts_s']:g} s: deadline_s = 1 (for more")
    rows = extract(media, tmp_path / "space", min_entropy_bits=0, max_output_mb=0.1)
    assert note_of(tmp_path / "space").startswith(f"stopped at {rows[-1]['pts_s']:g} s: max_output_mb = 0.1 (for more")
    size = sum(p.stat().st_size for p in (tmp_path / "space/out").glob("*.jpg"))
    assert 98_000 < size <= 100_000
    rows = extract(media, tmp_path / "number", min_entropy_bits=0, max_frames=3)
    assert len(rows) == 3 and note_of(tmp_path / "number") == "stopped at 2 s: max_frames = 3"


def test_rows_without_a_picture_have_a_limit_too(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("grey.mp4", "-f", "lavfi", "-i", "color=gray:size=64x64:rate=25:duration=4", *H264)
    rows = extract(media, tmp_path, mode="every_n", every_n=1, max_frames=2)
    assert [row["reason"] for row in rows] == ["flat"] * 20
    assert note_of(tmp_path) == "stopped at 0.76 s: max_frames = 2"


@pytest.mark.parametrize("rate", [1200, 4000])
def test_frames_within_a_millisecond_are_one(make_clip: MakeClip, tmp_path: Path, rate: int) -> None:
    fast = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}:duration=0.5")
    media = make_clip(f"fast{rate}.mp4", *fast, *H264, "-bf", "0", "-video_track_timescale", "16000")
    rows = extract(media, tmp_path, mode="every_n", every_n=1, similar_bits=0)
    assert len(rows) == len({row["frame"] for row in rows}) >= 499
    assert {p.name for p in (tmp_path / "out").glob("*.jpg")} == {row["frame"] for row in rows if row["keep"]}


def test_times_that_stand_still_end_nothing(make_clip: MakeClip, tmp_path: Path) -> None:
    twice = "setpts='(floor(N/10)*10+if(gt(mod(N,10),8),8,mod(N,10)))/25/TB'"
    media = make_clip("twice.mkv", *pattern(5), "-vf", twice, "-fps_mode", "passthrough", *H264, "-bf", "0")
    rows = extract(media, tmp_path, mode="every_n", every_n=1)
    with av.open(str(media)) as file:
        times = {frame.pts for frame in file.decode(video=0)}
    assert len(rows) == len(times) < 125


def test_pictures_refreshed_bit_by_bit_are_found_from_the_start(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("refresh.mp4", *pattern(6), *H264, "-x264-params", "intra-refresh=1:keyint=40:bframes=0")
    rows = extract(media, tmp_path, mode="every_n", every_n=1, start_s=4.0, end_s=4.5)
    assert [row["pts_s"] for row in rows] == pytest.approx([4 + i / 25 for i in range(13)])


def test_cover_art_is_not_the_video(make_clip: MakeClip, tmp_path: Path) -> None:
    cover = make_clip("cover.jpg", *pattern(0.04, size="640x360"), "-frames:v", "1")
    both = ("-i", str(cover), *pattern(3), "-map", "0", "-map", "1", "-c:v:0", "copy", "-c:v:1", "libx264")
    media = make_clip("cover.mp4", *both, "-disposition:v:0", "attached_pic", "-disposition:v:1", "default")
    rows = extract(media, tmp_path)
    assert [row["pts_s"] for row in rows] == [0.0, 1.0, 2.0] and rows[0]["width"] == 320


def test_media_that_are_gone_say_how_to_bring_them_back(tmp_path: Path) -> None:
    record = {"video": "v", "status": "ok", "media": {"file": "media.mp4"}}
    with pytest.raises(UserError, match="media.mp4 is gone: delete .* and run again"):
        extract_frames(record, tmp_path / "in", tmp_path / "out", Clip(0, None), SETTINGS, threads=1)


def test_a_disk_that_takes_nothing_is_no_fault_of_the_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*No such file or directory: free or open the disk"):
        write_jpeg(tmp_path / "gone/000000000.jpg", b"")


@pytest.mark.parametrize(
    ("last_s", "duration_s", "end_s", "said"),
    [
        (5.0, 6.0, None, False),
        (2.0, 6.0, None, True),
        (2.0, 6.0, 3.0, False),
        (2.0, None, None, False),
        (2.0, None, 9.0, True),
    ],
)
def test_an_early_end_is_said_and_nothing_else(
    last_s: float, duration_s: float | None, end_s: float | None, said: bool
) -> None:
    source = MediaStream(Path("x"), 0, "mov", duration_s, seek=False)
    job = Job("v", source, 25.0, Clip(0, end_s), SETTINGS, Path("x"), no_limit)
    assert bool(missing_end([{"pts_s": last_s}], job)) is said
    assert missing_end([{"pts_s": last_s}], replace(job, settings=replace(SETTINGS, mode="scene"))) == ""
