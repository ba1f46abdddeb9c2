"""Pictures of damaged files are kept if they are good, and counted if they are not."""

import math
import random
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from scripts.core.tables import read_note
from scripts.frames.damage import find_damage
from scripts.media.probe import probe_media
from tests._clips import KINDS, extract, hurt, make_kind
from tests.conftest import H264, REAL, STEADY_H264, MakeClip, pattern


def broken(one: Path, other: Path) -> bool:
    """Return whether a part of two pictures differs so much that any viewer would see it."""
    a, b = (np.asarray(Image.open(p).convert("L").resize((160, 96)), float) for p in (one, other))
    return bool(np.abs(a - b).reshape(12, 8, 20, 8).mean((1, 3)).max() > 25)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_trusted(make_clip: MakeClip, kind: str) -> None:
    damage = find_damage(make_kind(make_clip, kind), 0, None, math.inf)
    assert damage.pictures >= 35 and not damage.untrusted_ms


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", STEADY_H264),
        ("a.mkv", STEADY_H264),
        ("a.ts", STEADY_H264),
        ("a.mpg", ("-c:v", "mpeg2video", "-q:v", "4", "-threads", "1")),
    ],
)
@pytest.mark.parametrize(("holes", "length"), [(1, 1), (4, 1), (2, 2000)])
def test_broken_frames_are_dropped_and_good_ones_kept(
    make_clip: MakeClip, tmp_path: Path, name: str, codec: tuple[str, ...], holes: int, length: int
) -> None:
    whole = make_clip(f"moving_{name}", *pattern(6), *codec, "-g", "25")
    true = {row["frame"] for row in extract(whole, tmp_path / "true", interval_s=0.04)}  # every frame
    wrong = kept = 0
    for seed in range(3):
        folder = tmp_path / str(seed)
        rows = extract(hurt(whole, tmp_path, holes, length, seed), folder, interval_s=0.2)
        names = [row["frame"] for row in rows if row["keep"]]
        kept += len(names)
        wrong += sum(n not in true or broken(folder / "out" / n, tmp_path / "true/out" / n) for n in names)
        dropped = [row for row in rows if not row["keep"]]
        assert {row["reason"] for row in dropped} <= {"damaged", "unreadable"}
        assert "pictures of the file are damaged" in read_note(folder / "out/frames.parquet") or not dropped
    assert wrong <= 2  # no decoder notices a byte that decodes to another valid picture
    assert kept >= 40  # of 93: at worst four of six seconds are damaged in each file


def test_good_frames_are_kept_beside_damaged_ones(make_clip: MakeClip, tmp_path: Path) -> None:
    still = ("-f", "lavfi", "-i", "smptehdbars=size=320x180:rate=25:duration=8", "-vf", "noise=alls=6:allf=t")
    media = make_clip("still.mkv", *still, *H264, "-g", "50", "-threads", "1")
    data = bytearray(media.read_bytes())
    with av.open(str(media)) as file:
        first = next(file.demux(video=0))
        at = first.pos + first.size // 2
    data[at : at + 30] = bytes(30)
    (tmp_path / "hurt.mkv").write_bytes(data)
    rows = extract(tmp_path / "hurt.mkv", tmp_path, similar_bits=32)
    assert [row["reason"] for row in rows] == ["damaged", "damaged", "", *["similar"] * 5]
    assert [path.name for path in (tmp_path / "out").glob("*.jpg")] == ["000002000.jpg"]
    rows = extract(tmp_path / "hurt.mkv", tmp_path / "capped", max_frames=2)
    assert [row["pts_s"] for row in rows if row["keep"]] == [2.0, 3.0]


def test_pictures_after_a_lost_keyframe_are_not_trusted(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("clusters.mkv", *pattern(6), *H264, "-g", "25", "-threads", "1", "-cluster_time_limit", "400")
    data = bytearray(media.read_bytes())
    with av.open(str(media)) as file:
        key = [packet for packet in file.demux(video=0) if packet.is_keyframe][4]
    data[key.pos - 30 : key.pos + key.size] = random.Random(1).randbytes(key.size + 30)
    (tmp_path / "hurt.mkv").write_bytes(data)
    rows = extract(tmp_path / "hurt.mkv", tmp_path, interval_s=0.2)
    assert not [row for row in rows if row["keep"] and 3.9 < row["pts_s"] < 5]
    assert sum(row["keep"] for row in rows) >= 24


@pytest.mark.public_report(
    "PyAV 1597",
    saw="The packet that is marked as corrupt is the one after the damaged one.",
    here="A message about a loss counts for the two packets around it.",
)
def test_pictures_after_a_loss_that_only_the_container_reports_are_not_trusted(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    codec = ("-c:v", "mpeg2video", "-q:v", "4", "-g", "50", "-bf", "0", "-threads", "1")
    media = make_clip("mpeg2.mkv", *pattern(4), *codec, "-cluster_time_limit", "100")
    data = bytearray(media.read_bytes())
    with av.open(str(media)) as file:
        lost = [packet for packet in file.demux(video=0) if packet.size][60]
    data[lost.pos : lost.pos + lost.size] = bytes(lost.size)
    (tmp_path / "hurt.mkv").write_bytes(data)
    untrusted_ms = find_damage(tmp_path / "hurt.mkv", 0, None, math.inf).untrusted_ms
    assert set(range(2600, 4000, 40)) <= untrusted_ms and min(untrusted_ms) >= 2360


def test_the_search_stops_at_the_end_of_the_clip_and_at_the_deadline(make_clip: MakeClip) -> None:
    media = make_clip("long.mkv", *pattern(20), *H264, "-g", "25")
    assert find_damage(media, 0, 2.0, math.inf).pictures < 120
    assert find_damage(media, 0, None, 0.0).pictures == 1


def test_repeated_messages_all_count(make_clip: MakeClip, tmp_path: Path) -> None:
    data = bytearray(make_clip("small.gif", *pattern(2, rate="10")).read_bytes())
    for at in range(3000, len(data) - 100, 2500):
        data[at : at + 8] = b"\xff" * 8
    (tmp_path / "hurt.gif").write_bytes(data)
    first, second = (find_damage(tmp_path / "hurt.gif", 0, None, math.inf) for _ in range(2))
    assert len(first.untrusted_ms) >= 5 and first == second


def test_a_lost_keyframe_of_a_transport_stream_is_missed(make_clip: MakeClip, tmp_path: Path) -> None:
    media = hurt(make_clip("moving_a.ts", *pattern(6), *STEADY_H264, "-g", "25"), tmp_path, 2, 2000, seed=2)
    with av.open(str(media)) as file:
        keys_ms = [
            round(1000 * p.pts * p.time_base) for p in file.demux(video=0) if p.pts is not None and p.is_keyframe
        ]
    assert keys_ms[:3] == [1480, 3480, 4480], "the one at 2480 is lost whole: no decoder complains of what follows"
    untrusted_ms = find_damage(media, 0, None, math.inf).untrusted_ms
    assert set(range(1120, 2000, 40)) <= untrusted_ms, "in playing time, up to the next keyframe"


def test_the_same_damage_gives_the_same_note(make_clip: MakeClip, tmp_path: Path) -> None:
    media = hurt(make_clip("steady.mkv", *pattern(6), *STEADY_H264, "-g", "25"), tmp_path, 5, 300)
    notes: list[str] = []
    for name in ("a", "b"):
        extract(media, tmp_path / name, interval_s=0.5, threads=1 + len(notes))
        notes.append(read_note(tmp_path / name / "out/frames.parquet"))
    assert notes[0] == notes[1] and "0x" not in notes[0] and str(tmp_path) not in notes[0]
    assert "pictures of the file are damaged" in notes[0]


@pytest.mark.parametrize("mode", ["interval", "every_n", "keyframes", "scene", "budget"])
def test_truncated_files_keep_the_frames_they_have(make_clip: MakeClip, tmp_path: Path, mode: str) -> None:
    whole = make_clip("whole.mkv", *pattern(6), "-g", "25", *H264).read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) // 2])
    options: dict[str, Any] = {"every_n": {"every_n": 25}, "budget": {"budget": 5}}.get(mode, {})
    rows = extract(tmp_path / "half.mkv", tmp_path, mode=mode, **options)
    assert len(rows) >= 1 and max(row["pts_s"] for row in rows) < 4
    assert "the last picture is at" in read_note(tmp_path / "out/frames.parquet")


@pytest.mark.public_report(
    "found by us 17.1",
    saw='"A non-intra slice in an IDR NAL unit" in OpenCV\'s sample box.mp4 cost half of its frames, which are sound.',
    here="No frame of it is dropped.",
)
@pytest.mark.skipif(not REAL.exists(), reason="no real videos")
@pytest.mark.parametrize(
    "name",
    ["bottle-detection", "car-detection", "box"],
)
def test_real_videos_are_trusted(name: str) -> None:
    media = REAL / f"videos/{name}.mp4"
    assert not find_damage(media, probe_media(media).stream, None, math.inf).untrusted_ms


def test_a_refresh_part_by_part_is_awaited(make_clip: MakeClip, tmp_path: Path) -> None:
    """A keyframe there begins to refresh the picture, which is whole at the next one."""
    codec = (*H264, "-g", "40", "-bf", "0", "-threads", "1", "-x264-params", "intra-refresh=1")
    media = make_clip("refresh.mkv", *pattern(8), *codec)
    data = bytearray(media.read_bytes())
    with av.open(str(media)) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
    assert [i for i, packet in enumerate(packets) if packet.is_keyframe][:4] == [0, 40, 80, 120]
    at = packets[20].pos + packets[20].size // 3
    data[at : at + 100] = bytes(100)
    (tmp_path / "hurt.mkv").write_bytes(data)
    untrusted_ms = find_damage(tmp_path / "hurt.mkv", 0, None, math.inf).untrusted_ms
    assert untrusted_ms == set(range(800, 3200, 40))


def test_a_damaged_b_frame_of_mpeg2_hurts_no_other(make_clip: MakeClip, tmp_path: Path) -> None:
    codec = ("-c:v", "mpeg2video", "-q:v", "4", "-g", "50", "-bf", "2", "-threads", "1", "-sc_threshold", "1000000000")
    media = make_clip("b_frame.mkv", *pattern(4), *codec)
    data = bytearray(media.read_bytes())
    with av.open(str(media)) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
    latest = [max(p.pts or 0 for p in packets[: i + 1]) for i in range(len(packets))]
    b_frame = next(p for p, latest_pts in zip(packets[20:], latest[20:], strict=True) if (p.pts or 0) < latest_pts)
    at = b_frame.pos + b_frame.size // 2
    data[at : at + 40] = b"\xff" * 40
    (tmp_path / "hurt.mkv").write_bytes(data)
    assert len(find_damage(tmp_path / "hurt.mkv", 0, None, math.inf).untrusted_ms) == 1
