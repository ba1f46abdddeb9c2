"""Frames extracted again are those that were published, to the byte; others are lost, with a reason."""

from pathlib import Path
from typing import Any

import pytest

from scripts.core.row_types import PublishedRow, RetakenRow
from scripts.core.tables import read_rows
from scripts.inputs.hdr import TONEMAP
from scripts.inputs.published import published_hdr
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from scripts.rehydrate.instants import FrameOutput
from scripts.rehydrate.retake_frames import (
    Comparison,
    compare,
    published_output,
    reject_shifted,
    retake,
    retake_frames,
)
from tests._clips import extract, lost_record, make_kind, record_of
from tests._published import OUTPUT, published_row, published_rows
from tests.conftest import H264, MakeClip, pattern


def retaken(
    media: Path, wanted: list[PublishedRow], out: Path, clip: Clip, output: FrameOutput = OUTPUT
) -> list[RetakenRow]:
    retake_frames(record_of(media, media.name), media.parent, wanted, out, clip, output, TONEMAP)
    return read_rows(out / "retaken.parquet")


@pytest.mark.parametrize(
    "kind", ["constant.mp4", "b_frames.mkv", "film.mkv", "variable.mp4", "late.ts", "interlaced.mpg", "rotated.mp4"]
)
@pytest.mark.parametrize("start_s", [0.0, 1.5])
def test_every_kind_of_video_gives_the_same_bytes_again(
    make_clip: MakeClip, tmp_path: Path, kind: str, start_s: float
) -> None:
    media, clip = make_kind(make_clip, kind), Clip(start_s, None)
    settings: dict[str, Any] = {"mode": "every_n", "every_n": 2, "similar_bits": -1, "min_entropy_bits": 0}
    wanted = published_rows(tmp_path / "out", extract(media, tmp_path, start_s=start_s, **settings))[1::2]
    assert len(wanted) >= 3
    rows = retaken(media, wanted, tmp_path / "again", clip)
    assert [(row["frame"], row["outcome"]) for row in rows] == [(row["frame"], "identical") for row in wanted]
    assert {p.name for p in (tmp_path / "again").glob("*.jpg")} == {row["frame"] for row in wanted}


@pytest.mark.parametrize(("published", "cells", "outcome"), [
    ("tonemap", {"hdr": "tonemap"}, "identical"), ("as_is", {"hdr": "as_is"}, "identical"),
    ("as_is", {"hdr": "tonemap"}, "lost"), ("as_is", {"hdr": ""}, "identical"), ("as_is", {}, "identical"),
])  # fmt: skip
def test_hdr_gives_the_same_bytes_again_if_it_is_treated_alike_also_for_tables_older_than_the_column(
    make_clip: MakeClip, tmp_path: Path, published: str, cells: dict[str, str], outcome: str
) -> None:
    tags = "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084:range=tv,format=yuv420p10le"
    media = make_clip("hdr.mp4", *pattern(2), "-vf", tags, "-c:v", "libx265", "-x265-params", "log-level=none")
    wanted = published_rows(tmp_path / "out", extract(media, tmp_path, hdr=published))
    record = record_of(media, media.name)
    retake_frames(record, media.parent, wanted, tmp_path / "again", Clip(0, None), OUTPUT, published_hdr(cells))
    rows = read_rows(tmp_path / "again/retaken.parquet")
    assert len(rows) == 2 and {row["outcome"] for row in rows} == {outcome}


def test_frames_in_colours_that_cannot_be_converted_are_lost_with_that_reason(clip: Path, tmp_path: Path) -> None:
    record = record_of(clip, clip.name)
    assert record["media"]
    record["media"]["matrix"] = 10
    retake_frames(record, clip.parent, [published_row()], tmp_path / "again", Clip(0, None), OUTPUT, TONEMAP)
    reason = "no picture at that time: its colours are coded by matrix 10 (BT.2020 of constant luminance), which ffmpeg"
    assert [row["reason"] for row in read_rows(tmp_path / "again/retaken.parquet")] == [f"{reason} cannot convert"]


def test_another_frame_at_the_time_is_lost_with_its_distance(make_clip: MakeClip, clip: Path, tmp_path: Path) -> None:
    wanted = published_rows(tmp_path / "out", extract(clip, tmp_path, similar_bits=-1))
    other = make_clip("other.mp4", "-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=25", "-t", "6", *H264)
    rows = retaken(other, wanted, tmp_path / "again", Clip(0, None))
    assert {row["outcome"] for row in rows} == {"lost"} and not list((tmp_path / "again").glob("*.jpg"))
    assert all(row["reason"] == f"picture differs by {row['distance_bits']} bits" for row in rows)
    tall = make_clip("tall.mp4", *pattern(6), "-vf", "scale=320:360,setsar=1", *H264)
    rows = retaken(tall, wanted, tmp_path / "tall", Clip(0, None))
    assert {row["reason"] for row in rows} == {"picture is 320 x 360, of another shape than 320 x 180"}
    small = make_clip("small.mp4", *pattern(6), "-vf", "scale=160:90,setsar=1", *H264)
    assert "same picture" in {row["outcome"] for row in retaken(small, wanted, tmp_path / "small", Clip(0, None))}


def test_a_shifted_version_of_a_video_is_rejected(make_clip: MakeClip, clip: Path, tmp_path: Path) -> None:
    still = ("-f", "lavfi", "-i", "smptehdbars=size=320x180:rate=25:duration=4")
    joined = ("-filter_complex", "[0][1]concat=n=2", *H264)
    first = make_clip("first.mp4", *pattern(4), *still, *joined)
    shifted = make_clip("shifted.mp4", "-ss", "1.5", "-i", str(first), *H264, "-crf", "30")
    wanted = published_rows(tmp_path / "out", extract(first, tmp_path, interval_s=0.5))
    rows = retaken(shifted, wanted, tmp_path / "again", Clip(0, None))
    assert {row["outcome"] for row in rows} == {"lost"} and not list((tmp_path / "again").glob("*.jpg"))
    assert [row["reason"] for row in rows if row["distance_bits"] == 0], "some look the same"
    assert any(row["reason"].endswith("so its times may be shifted") for row in rows)
    coded = make_clip("coded.mp4", "-i", str(first), *H264, "-crf", "35")
    assert {row["outcome"] for row in retaken(coded, wanted, tmp_path / "coded", Clip(0, None))} == {"same picture"}


def test_a_video_refreshed_without_keyframes_gives_the_same_bytes_again(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("refresh.mp4", *pattern(6), *H264, "-x264-params", "intra-refresh=1:keyint=40:bframes=0")
    wanted = published_rows(
        tmp_path / "out", extract(media, tmp_path, mode="every_n", every_n=1, start_s=3.6, end_s=4.1)
    )
    rows = retaken(media, wanted, tmp_path / "again", Clip(3.6, 4.1))
    assert [row["outcome"] for row in rows] == ["identical"] * 13


def test_a_frame_found_before_is_kept_when_another_at_its_time_differs(clip: Path, tmp_path: Path) -> None:
    source = MediaStream(clip, 0, "mov", 6.0, seek=False)
    before, row = Comparison("same picture", distance_bits=1), published_row()
    found = {row["frame"]: before}
    assert retake(source, Clip(0, None), [row], OUTPUT, tmp_path, found) == ""
    assert found == {row["frame"]: before} and not list(tmp_path.iterdir())
    retake(source, Clip(0, None), [row], OUTPUT, tmp_path, found := {})
    assert found[row["frame"]].outcome == "lost"


def test_a_tenth_of_a_videos_frames_may_differ(tmp_path: Path) -> None:
    found = {f"{i}.jpg": Comparison("same picture", distance_bits=1) for i in range(9)} | {"9.jpg": Comparison("lost")}
    reject_shifted(found, tmp_path)
    assert [comparison.outcome for comparison in found.values()] == ["same picture"] * 9 + ["lost"]
    found = {
        "0.jpg": Comparison("identical"),
        "1.jpg": Comparison("same picture", distance_bits=1),
        "2.jpg": Comparison("lost"),
    }
    (tmp_path / "1.jpg").touch()
    reject_shifted(found, tmp_path)
    assert found["0.jpg"].outcome == "identical" and not (tmp_path / "1.jpg").exists()
    assert found["1.jpg"] == Comparison(
        "lost", "1 of 3 pictures of the video differ, so its times may be shifted", distance_bits=1
    )


def test_bytes_that_are_no_jpeg_are_lost() -> None:
    assert compare(b"no jpeg", published_row()).reason == "the picture at that time cannot be read"


@pytest.mark.parametrize(("bits", "outcome"), [(4, "same picture"), (5, "lost")])
def test_a_frame_is_the_same_up_to_four_bits(clip: Path, tmp_path: Path, bits: int, outcome: str) -> None:
    (row, *_) = published_rows(tmp_path / "out", extract(clip, tmp_path))
    other = published_row(phash=f"{int(row['phash'], 16) ^ (2**bits - 1):016x}", width=320, height=180)
    comparison = compare((tmp_path / "out" / row["frame"]).read_bytes(), other)
    assert (comparison.outcome, comparison.distance_bits) == (outcome, bits)


def test_an_unavailable_video_has_the_message_of_the_site(tmp_path: Path) -> None:
    record = lost_record("unavailable", "HTTP Error\n404")
    retake_frames(record, tmp_path, [published_row()], tmp_path / "out", Clip(0, None), OUTPUT, TONEMAP)
    (row,) = read_rows(tmp_path / "out/retaken.parquet")
    assert (row["outcome"], row["reason"]) == ("lost", "video unavailable: unavailable: HTTP Error 404")
    assert row["distance_bits"] is None


def test_a_deadline_is_the_reason_of_the_frames_after_it(clip: Path, tmp_path: Path) -> None:
    rows = retaken(clip, [published_row()], tmp_path / "out", Clip(0, None), published_output(COLUMNS, 1, 0.0))
    assert [row["reason"] for row in rows] == ["no picture at that time: stopped after frames.deadline_s = 0 s"]


COLUMNS = {"max_side_px": "640", "jpeg_qscale": "3", "max_height_px": "720"}


def test_the_output_is_that_of_the_published_table() -> None:
    assert published_output(COLUMNS, 2, 60.0) == FrameOutput(640, 3, threads=2, deadline_s=60.0)
