"""One pass writes the frames worth keeping, a row for each of the others, and stops at its limits."""

from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.core.tables import read_note
from scripts.frames.quality import KEPT
from scripts.frames.single_pass import frame_row, limit_message, write_jpeg
from tests._clips import DEFAULTS, extract
from tests.conftest import H264, MakeClip, pattern


def note_of(folder: Path) -> str:
    return read_note(folder / "out/frames.parquet")


def test_dropped_frames_have_rows_but_no_files(make_clip: MakeClip, tmp_path: Path) -> None:
    black, still = "color=black:size=320x180:rate=25:duration=2", "smptehdbars=size=320x180:rate=25:duration=3"
    join = ("-filter_complex", "[0][1][2]concat=n=3")
    media = make_clip("dropped.mp4", *pattern(2), "-f", "lavfi", "-i", black, "-f", "lavfi", "-i", still, *join, *H264)
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


def test_dropped_frames_have_a_limit_too(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("grey.mp4", "-f", "lavfi", "-i", "color=gray:size=64x64:rate=25:duration=4", *H264)
    rows = extract(media, tmp_path, mode="every_n", every_n=1, max_frames=2)
    assert [row["reason"] for row in rows] == ["flat"] * 20
    assert note_of(tmp_path) == "stopped at 0.76 s: max_frames = 2"


def test_a_disk_that_cannot_be_written_is_no_fault_of_the_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*No such file or directory: free disk space or"):
        write_jpeg(tmp_path / "gone/000000000.jpg", b"")


def test_a_frame_that_cannot_be_decoded_has_a_row_without_measures() -> None:
    row = frame_row("v", 1234, None, {"reason": "unreadable", "value": None, "threshold": None})
    assert row == {
        "video": "v", "frame": "000001234.jpg", "pts_s": 1.234, "keep": False,
        "reason": "unreadable", "value": None, "threshold": None,
    }  # fmt: skip


def test_a_limit_says_where_it_stopped_the_video_and_how_to_get_more() -> None:
    row = frame_row("v", 61_500, None, KEPT)
    assert limit_message("deadline_s", 60.0, [row], "v") == (
        "stopped at 61.5 s: deadline_s = 60 (for more, raise it and delete results/frames/v)"
    )
    assert limit_message("deadline_s", 60.0, [], "v").startswith("stopped at 0 s: ")
