"""Frames carry their true times; metrics mean what they say. All on real clips and a real ffmpeg."""

import json
from pathlib import Path
from typing import Any

import av
import imagehash
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from scripts._files import link_file
from scripts._log import UserError
from scripts._media import probe_media
from scripts._tables import FRAMES, read_note, read_rows
from scripts.extract_frames import extract_frames, measure_frame, missing_end, run_ffmpeg
from tests.conftest import H264, REAL, MakeClip, pattern

VFR = ("-vf", "select='not(mod(n,7))+lt(n,20)'", "-fps_mode", "vfr")


def extract(media: Path, folder: Path, **options: Any) -> list[dict[str, Any]]:
    """Run the stage on a file as download_video hands it on."""
    facts = probe_media(media)
    link_file(media, folder / "in/media.bin")
    record = {"status": "ok", "media": facts.as_dict() | {"file": "media.bin"}}
    (folder / "in/video.json").write_text(json.dumps(record))
    defaults = {"interval_s": 1.0, "jpeg_qscale": 2, "start_s": 0.0, "end_s": None, "threads": 1}
    extract_frames("clip", folder / "in", folder / "out", **(defaults | options))
    return read_rows(folder / "out/frames.parquet")


def true_times_ms(media: Path, interval_s: float, start_s: float = 0.0, end_s: float | None = None) -> list[int]:
    """Return the times that should be taken, from decoding every frame with another library."""
    with av.open(str(media)) as container:
        zero_s = (container.start_time or 0) / 1e6
        times = [float(frame.time or 0) - zero_s for frame in container.decode(video=0)]
    taken: dict[int, float] = {}
    for time in times:
        if time >= start_s - 1e-6 and (end_s is None or time < end_s):
            taken.setdefault(int((time - start_s) / interval_s + 1e-6), time)
    return [round(1000 * time) for time in taken.values()]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("constant.mp4", (*pattern(6), "-bf", "2", *H264)),
        ("film.mkv", (*pattern(6, rate="24000/1001"), *H264)),
        ("variable.mp4", (*pattern(6), *VFR, *H264)),
        ("late.ts", (*pattern(6), "-g", "250", *H264, "-muxdelay", "1.4", "-output_ts_offset", "7")),
        ("odd.webm", (*pattern(3, size="161x91"), "-c:v", "libvpx", "-pix_fmt", "yuv420p")),
        ("ten_bit.mkv", (*pattern(3), "-c:v", "libx264", "-pix_fmt", "yuv420p10le")),
        ("plain.gif", pattern(3, rate="10")),
    ],
)
def test_names_are_the_true_times(make_clip: MakeClip, tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    media = make_clip(name, *arguments)
    rows = extract(media, tmp_path, interval_s=0.7)
    times = true_times_ms(media, 0.7)
    assert len(times) >= 4
    assert [row["frame"] for row in rows] == [f"{t:09d}.jpg" for t in times]
    assert [row["pts_s"] for row in rows] == [t / 1000 for t in times]
    assert sorted(p.name for p in (tmp_path / "out").glob("*.jpg")) == [row["frame"] for row in rows]


@given(
    interval_s=st.floats(0.03, 3).map(lambda v: round(v, 3)),
    start_s=st.floats(0, 5).map(lambda v: round(v, 2)),
    length_s=st.none() | st.floats(0.1, 8).map(lambda v: round(v, 2)),
    variable=st.booleans(),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_interval_and_window_takes_the_frames_it_should(
    make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory,
    interval_s: float, start_s: float, length_s: float | None, variable: bool,
) -> None:  # fmt: skip
    arguments = (*pattern(6), *VFR, *H264) if variable else (*pattern(6), "-bf", "2", *H264)
    media = make_clip("variable.mp4" if variable else "constant.mp4", *arguments)
    end_s = None if length_s is None else start_s + length_s
    rows = extract(media, tmp_path_factory.mktemp("x"), interval_s=interval_s, start_s=start_s, end_s=end_s)
    assert [round(1000 * row["pts_s"]) for row in rows] == true_times_ms(media, interval_s, start_s, end_s)


def test_containers_that_cannot_seek_lose_no_frame(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("late.ts", *pattern(6), "-g", "250", *H264, "-muxdelay", "1.4", "-output_ts_offset", "7")
    rows = extract(media, tmp_path, interval_s=0.5, start_s=2.3, end_s=5.0)
    assert [round(1000 * row["pts_s"]) for row in rows] == true_times_ms(media, 0.5, 2.3, 5.0)


def test_pictures_stand_upright_with_square_pixels(make_clip: MakeClip, clip: Path, tmp_path: Path) -> None:
    turned = make_clip("turned.mp4", "-display_rotation", "90", "-i", str(clip), "-c", "copy")
    rows = extract(turned, tmp_path / "a")
    assert {(row["width"], row["height"]) for row in rows} == {(180, 320)}
    upright = Image.open(tmp_path / "a/out/000000000.jpg").rotate(-90, expand=True)
    extract(clip, tmp_path / "b")
    plain = Image.open(tmp_path / "b/out/000000000.jpg")
    assert np.abs(np.asarray(upright, float) - np.asarray(plain, float)).mean() < 3
    wide = make_clip("anamorphic.mp4", *pattern(2), "-vf", "setsar=4/3", *H264)
    assert {(row["width"], row["height"]) for row in extract(wide, tmp_path / "c")} == {(426, 180)}


def test_colours_survive_the_change_of_matrix(make_clip: MakeClip, tmp_path: Path) -> None:
    tags = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    to_709 = ("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p")
    green = ("-f", "lavfi", "-i", "color=c=0x20C040:size=64x64:rate=5:duration=1")
    extract(make_clip("green.mp4", *green, *to_709, "-c:v", "libx264", *tags), tmp_path)
    seen = np.asarray(Image.open(tmp_path / "out/000000000.jpg").convert("RGB"))[32, 32].astype(int)
    assert np.abs(seen - [0x20, 0xC0, 0x40]).max() <= 6


def test_hashes_are_within_two_bits_of_those_of_the_written_jpegs(clip: Path, tmp_path: Path) -> None:
    sources = [clip, *(sorted((REAL / "videos").glob("*.mp4")) if REAL.exists() else [])]
    compared = 0
    for i, media in enumerate(sources):
        for row in extract(media, tmp_path / str(i), interval_s=0.5):
            whole = imagehash.phash(Image.open(tmp_path / str(i) / "out" / row["frame"]))
            assert imagehash.hex_to_hash(row["phash"]) - whole <= 2, (media.name, row["frame"])
            compared += 1
    assert compared >= 12


def test_metrics_order_pictures_as_eyes_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sharp = Image.fromarray(rng.integers(0, 256, (400, 600, 3), np.uint8)).resize((1200, 800), Image.Resampling.NEAREST)
    pictures = {
        "sharp": sharp,
        "soft": sharp.resize((60, 40), Image.Resampling.BOX).resize((1200, 800), Image.Resampling.BICUBIC),
        "black": Image.new("RGB", (1200, 800)),
        "grey": Image.new("RGB", (1200, 800), (128, 128, 128)),
    }
    measured = {}
    for i, (name, picture) in enumerate(pictures.items()):
        picture.save(tmp_path / f"{i:09d}.jpg", quality=95)
        measured[name] = measure_frame("v", tmp_path / f"{i:09d}.jpg")
    assert measured["sharp"]["sharpness"] > 4 * measured["soft"]["sharpness"] > measured["black"]["sharpness"] == 0
    assert measured["black"]["brightness"] == 0 and measured["grey"]["brightness"] == 128
    assert measured["sharp"]["entropy_bits"] > 5 and measured["grey"]["entropy_bits"] == 0
    assert (measured["sharp"]["width"], measured["sharp"]["height"]) == (1200, 800)


def test_unusable_videos_give_an_empty_table_that_says_why(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/video.json").write_text(json.dumps({"status": "unavailable", "media": None}))
    out = tmp_path / "out"
    extract_frames("v", tmp_path / "in", out, interval_s=1, jpeg_qscale=2, start_s=0, end_s=None, threads=1)
    assert read_rows(out / "frames.parquet") == [] and read_note(out / "frames.parquet") == "no media: unavailable"
    assert extract(clip, tmp_path / "late", start_s=60.0) == []
    assert "the video lasts 6.0 s" in read_note(tmp_path / "late/out/frames.parquet")


def test_truncated_files_keep_their_good_frames(clip: Path, tmp_path: Path, make_clip: MakeClip) -> None:
    whole = make_clip("whole.mkv", *pattern(6), "-g", "25", *H264).read_bytes()
    half = tmp_path / "half.mkv"
    half.write_bytes(whole[: len(whole) // 2])
    rows = extract(half, tmp_path)
    assert 1 <= len(rows) <= 4
    assert [row["pts_s"] for row in rows] == [float(i) for i in range(len(rows))]
    assert read_note(tmp_path / "out/frames.parquet") == f"the last frame is at {len(rows) - 1} s of 6 s"


def test_the_same_input_gives_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    for name, threads in (("a", 1), ("b", 2)):
        extract(clip, tmp_path / name, threads=threads)
    names = sorted(p.name for p in (tmp_path / "a/out").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "b/out").iterdir())
    for name in names:
        assert (tmp_path / "a/out" / name).read_bytes() == (tmp_path / "b/out" / name).read_bytes(), name
    assert read_rows(tmp_path / "a/out/frames.parquet")[0].keys() == set(FRAMES.names)


def test_damage_inside_a_file_is_said_in_the_same_words_each_time(make_clip: MakeClip, tmp_path: Path) -> None:
    whole = bytearray(make_clip("whole.mkv", *pattern(6), "-g", "25", *H264).read_bytes())
    rng = np.random.default_rng(0)
    for at in rng.integers(4000, len(whole), len(whole) // 30):
        whole[at] = rng.integers(256)
    (tmp_path / "hurt.mkv").write_bytes(whole)
    notes = []
    for name in ("a", "b"):
        extract(tmp_path / "hurt.mkv", tmp_path / name, interval_s=0.5)
        notes.append(read_note(tmp_path / name / "out/frames.parquet"))
    assert notes[0] == notes[1] and "0x" not in notes[0] and str(tmp_path) not in notes[0]


def test_a_killed_ffmpeg_is_a_failed_job_and_not_a_short_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="killed by signal 9"):
        run_ffmpeg(["sh", "-c", "kill -9 $$"], tmp_path)
    with pytest.raises(UserError, match="no space left"):
        run_ffmpeg(["sh", "-c", "echo '[error] write: No space left on device' >&2; exit 1"], tmp_path)
    torn = ["sh", "-c", "echo '[h264 @ 0x5f] [error] torn' >&2; exit 69"]
    assert run_ffmpeg(torn, tmp_path) == "ffmpeg gave up: [h264] torn"


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


def test_a_jpeg_that_cannot_be_read_is_a_row_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "000000500.jpg").write_bytes(b"torn")
    row = measure_frame("v", tmp_path / "000000500.jpg")
    assert (row["keep"], row["reason"], row["pts_s"]) == (False, "unreadable", 0.5)


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
    assert bool(missing_end([{"pts_s": last_s}], duration_s, 1.0, 0.0, end_s)) is said
