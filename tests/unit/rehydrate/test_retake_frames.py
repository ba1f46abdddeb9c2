"""Pictures at given times are those that were taken before, to the byte; what others publish is not trusted."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UserError
from scripts.core.files import sha256_of
from scripts.core.schemas import PUBLISHED
from scripts.core.tables import read_rows, write_table
from scripts.dataset.manifest import class_names_of, read_published
from scripts.inputs.published import read_published_videos
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from scripts.media.probe import SEEKABLE, probe_media
from scripts.rehydrate import instants as _instants
from scripts.rehydrate.instants import FrameOutput, expression, take_instants
from scripts.rehydrate.retake_frames import compare, retake_frames
from tests._clips import DEFAULTS, extract, make_kind
from tests.conftest import H264, MakeClip, pattern

LOOK = FrameOutput(DEFAULTS["max_side_px"], DEFAULTS["jpeg_qscale"], threads=2, deadline_s=60)


def published(folder: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"sha256": sha256_of(folder / row["frame"])} for row in rows if row["keep"]]


def record_of(media: Path) -> dict[str, Any]:
    facts = probe_media(media).as_dict() | {"file": media.name}
    return {"video": "v", "status": "ok", "message": "", "media": facts}


def retake(
    media: Path, wanted: list[dict[str, Any]], out: Path, clip: Clip, look: FrameOutput = LOOK
) -> list[dict[str, Any]]:
    retake_frames(record_of(media), media.parent, wanted, out, clip, look)
    return read_rows(out / "retaken.parquet")


@pytest.mark.parametrize(
    "kind", ["constant.mp4", "b_frames.mkv", "film.mkv", "variable.mp4", "late.ts", "interlaced.mpg", "rotated.mp4"]
)
@pytest.mark.parametrize("start_s", [0.0, 1.5])
def test_any_kind_of_video_gives_the_same_bytes(make_clip: MakeClip, tmp_path: Path, kind: str, start_s: float) -> None:
    media, clip = make_kind(make_clip, kind), Clip(start_s, None)
    settings: dict[str, Any] = {"mode": "every_n", "every_n": 2, "similar_bits": -1, "min_entropy_bits": 0}
    wanted = published(tmp_path / "out", extract(media, tmp_path, start_s=start_s, **settings))[1::2]
    assert len(wanted) >= 3
    rows = retake(media, wanted, tmp_path / "again", clip)
    assert [(row["frame"], row["outcome"]) for row in rows] == [(row["frame"], "identical") for row in wanted]
    assert {p.name for p in (tmp_path / "again").glob("*.jpg")} == {row["frame"] for row in wanted}


def test_many_times_are_taken_in_parts(
    make_clip: MakeClip, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_instants, "TIMES_PER_PASS", 20)
    settings: dict[str, Any] = {"mode": "every_n", "every_n": 2, "similar_bits": -1}
    wanted = published(tmp_path / "out", extract(clip, tmp_path, **settings))
    assert len(wanted) > 60
    assert {row["outcome"] for row in retake(clip, wanted, tmp_path / "again", Clip(0, None))} == {"identical"}


def test_no_command_is_longer_than_the_kernel_takes() -> None:
    times = list(range(999_000_000, 999_000_000 + 40 * _instants.TIMES_PER_PASS, 40))[: _instants.TIMES_PER_PASS]
    assert len(expression(times)) < 120_000


@given(st.sets(st.integers(0, 5000), min_size=1, max_size=200).map(sorted), st.integers(0, 5000))
def test_the_search_tree_finds_each_time_and_no_other(times: list[int], pts: int) -> None:
    python = expression(times).replace("if(", "choose(")
    names = {"between": lambda x, low, high: int(low <= x <= high), "lt": lambda x, y: int(x < y), "pts": pts}
    found = eval(python, {"choose": lambda test, yes, no: yes if test else no} | names)  # noqa: S307
    near = [ms for ms in times if abs(ms - pts) <= 1]
    assert bool(found) == bool(near)


def test_times_that_another_container_rounds_otherwise_are_found(make_clip: MakeClip, tmp_path: Path) -> None:
    film = make_kind(make_clip, "film.mkv")
    settings: dict[str, Any] = {"mode": "every_n", "every_n": 10, "similar_bits": -1, "min_entropy_bits": 0}
    wanted = published(tmp_path / "out", extract(film, tmp_path, **settings))
    moved = [row | {"frame": f"{int(row['frame'][:9]) + 1:09d}.jpg"} for row in wanted]
    assert {row["outcome"] for row in retake(film, moved, tmp_path / "again", Clip(0, None))} == {"identical"}


def test_another_picture_at_the_time_is_a_loss_with_its_distance(
    make_clip: MakeClip, clip: Path, tmp_path: Path
) -> None:
    wanted = published(tmp_path / "out", extract(clip, tmp_path, similar_bits=-1))
    other = make_clip("other.mp4", "-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=25", "-t", "6", *H264)
    rows = retake(other, wanted, tmp_path / "again", Clip(0, None))
    assert {row["outcome"] for row in rows} == {"lost"} and not list((tmp_path / "again").glob("*.jpg"))
    assert all(row["reason"] == f"picture differs by {row['distance_bits']} bits" for row in rows)
    tall = make_clip("tall.mp4", *pattern(6), "-vf", "scale=320:360,setsar=1", *H264)
    rows = retake(tall, wanted, tmp_path / "tall", Clip(0, None))
    assert {row["reason"] for row in rows} == {"picture is 320 x 360, of another shape than 320 x 180"}
    small = make_clip("small.mp4", *pattern(6), "-vf", "scale=160:90,setsar=1", *H264)
    assert "same picture" in {row["outcome"] for row in retake(small, wanted, tmp_path / "small", Clip(0, None))}


def test_pictures_of_a_shifted_version_are_not_taken_for_the_published_ones(
    make_clip: MakeClip, clip: Path, tmp_path: Path
) -> None:
    still = ("-f", "lavfi", "-i", "smptehdbars=size=320x180:rate=25:duration=4")
    joined = ("-filter_complex", "[0][1]concat=n=2", *H264)
    first = make_clip("first.mp4", *pattern(4), *still, *joined)
    shifted = make_clip("shifted.mp4", "-ss", "1.5", "-i", str(first), *H264, "-crf", "30")
    wanted = published(tmp_path / "out", extract(first, tmp_path, interval_s=0.5))
    rows = retake(shifted, wanted, tmp_path / "again", Clip(0, None))
    assert {row["outcome"] for row in rows} == {"lost"} and not list((tmp_path / "again").glob("*.jpg"))
    assert [row["reason"] for row in rows if row["distance_bits"] == 0], "some look the same"
    assert any(row["reason"].endswith("so its times may be shifted") for row in rows)
    coded = make_clip("coded.mp4", "-i", str(first), *H264, "-crf", "35")
    assert {row["outcome"] for row in retake(coded, wanted, tmp_path / "coded", Clip(0, None))} == {"same picture"}


def test_what_is_no_picture_is_a_loss() -> None:
    assert compare(b"no jpeg", {"sha256": "0" * 64})["reason"] == "the picture at that time cannot be read"


def test_an_unavailable_video_says_what_the_site_said(tmp_path: Path) -> None:
    record = {"video": "v", "status": "unavailable", "message": "HTTP Error\n404", "media": None}
    retake_frames(record, tmp_path, [{"frame": "000000000.jpg"}], tmp_path / "out", Clip(0, None), LOOK)
    (row,) = read_rows(tmp_path / "out/retaken.parquet")
    assert (row["outcome"], row["reason"]) == ("lost", "video unavailable: unavailable: HTTP Error 404")


def test_a_time_after_the_end_has_no_picture(clip: Path) -> None:
    facts = probe_media(clip)
    source = MediaStream(clip, facts.stream, facts.container, facts.duration_s, facts.container in SEEKABLE)
    assert list(take_instants(source, Clip(0, None), [90_000], LOOK)) == []


ROW: dict[str, Any] = {
    "video": "v", "pts_s": 1.0, "frame": "000001000.jpg", "file": "images/train/v__000001000.jpg", "split": "train",
    "phash": "0" * 16, "sha256": "0" * 64, "width": 8, "height": 8,
    "boxes_xyxy_px": [], "classes": [], "confidences": [],
}  # fmt: skip


@pytest.mark.parametrize(
    "fault",
    [
        {"file": "../../x.jpg"}, {"file": "images/train/../../x.jpg"}, {"file": "images/other/v.jpg"}, {"file": None},
        {"frame": "../1.jpg"}, {"video": "../v"}, {"sha256": "x"}, {"phash": ""}, {"width": 0}, {"height": None},
    ],
)  # fmt: skip
def test_rows_that_lead_elsewhere_are_refused(tmp_path: Path, fault: dict[str, Any]) -> None:
    write_table(tmp_path / "m.parquet", [ROW], PUBLISHED, '{"names": ["car"]}')
    assert read_published(tmp_path / "m.parquet", "v")[0]["frame"] == ROW["frame"]
    assert read_published(tmp_path / "m.parquet", "w") == [] and class_names_of(tmp_path / "m.parquet") == ["car"]
    write_table(tmp_path / "m.parquet", [ROW, ROW | fault], PUBLISHED, "[]")
    with pytest.raises(UserError, match="is not what reelsieve writes"):
        read_published(tmp_path / "m.parquet")
    with pytest.raises(UserError, match="does not name the classes"):
        class_names_of(tmp_path / "m.parquet")


HEADER = "video\turl\tstart_s\tend_s\tsplit\tsha256\tmax_height_px\tmax_side_px\tjpeg_qscale\n"


def test_a_published_table_names_files_and_no_paths(tmp_path: Path) -> None:
    (tmp_path / "manifest.parquet").touch()
    (tmp_path / "a.mp4").touch()
    rows = "a\ta.mp4\t\t\ttrain\t\t720\t640\t2\nb\tgone.mp4\t\t\ttrain\t\t720\t640\t2\nc\thttps://h.example/c\t1\t2\t\t\t720\t640\t2\n"
    (tmp_path / "videos.tsv").write_text(HEADER + rows)
    found = read_published_videos(tmp_path, tmp_path)
    assert {video: row.url for video, row in found.items()} == {
        "a": str(tmp_path / "a.mp4"),
        "c": "https://h.example/c",
    }
    bad = ["d\t../a.mp4\t\t\t\t\t720\t640\t2", "e\t/etc/passwd\t\t\t\t\t720\t640\t2", "a\ta.mp4\t\t\t\t\t720\t1\t2"]
    (tmp_path / "videos.tsv").write_text(
        HEADER + rows + "\n".join([*bad, "../f\thttps://h.example\t\t\t\t\t720\t640\t2"])
    )
    with pytest.raises(UserError, match="5 problem") as error:
        read_published_videos(tmp_path, tmp_path)
    for said in (
        "line 5: '../a.mp4' is neither",
        "line 6: '/etc/passwd'",
        "line 7: max_side_px '1'",
        "line 8: video id",
    ):
        assert said in str(error.value)
