"""The video table of a published dataset."""

from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.inputs.published import (
    check_rehydration,
    manifest_of,
    published_options,
    published_row,
    read_published_videos,
)
from scripts.inputs.videos import Video

HEADER = "video\turl\tmax_height_px\tmax_side_px\tjpeg_qscale\n"
CONFIG = {
    "rehydrate": "x",
    "download": {"max_height_px": 720},
    "frames": {"max_side_px": 1280, "jpeg_qscale": 2, "hdr": "tonemap"},
}


def publish(folder: Path, rows: str) -> None:
    (folder / "videos.tsv").write_text(HEADER + rows)
    (folder / "manifest.parquet").touch()


def test_local_videos_without_their_file_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media/here.mp4").touch()
    publish(tmp_path, "a\there.mp4\t480\t640\t2\nb\tgone.mp4\t480\t640\t2\nc\thttps://a.example/x\t1080\t640\t2\n")
    videos = read_published_videos(tmp_path, tmp_path / "media")
    assert {video: row.url for video, row in videos.items()} == {
        "a": str(tmp_path / "media/here.mp4"),
        "c": "https://a.example/x",
    }
    assert published_options(CONFIG, videos) == {"max_height_px": 1080}
    assert published_options(CONFIG | {"rehydrate": ""}, videos) == {} == published_options(CONFIG, {})


def test_every_problem_of_a_published_table_is_reported_with_its_line(tmp_path: Path) -> None:
    rows = ["a\t../up.mp4\t480\t640\t2", "b\thttps://a.example\t143\t640\t32", "c\thttps://a.example/c\t144\t640\t31"]
    publish(tmp_path, "\n".join([*rows, rows[-1], "../f\thttps://a.example/f\t144\t640\t31"]) + "\n")
    with pytest.raises(UserError) as caught:
        read_published_videos(tmp_path, tmp_path)
    text = str(caught.value)
    assert text.startswith("5 problem(s)") and "line 2: '../up.mp4' is neither" in text
    assert "line 3: max_height_px '143'" in text and "line 3: jpeg_qscale '32'" in text
    assert "line 5: video id 'c' appears twice" in text and "line 6: video id '../f'" in text


def test_a_folder_without_a_published_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"config key rehydrate: no videos.tsv in .*allowed: a folder with"):
        read_published_videos(tmp_path, tmp_path)
    with pytest.raises(UserError, match="target rehydrate: name the dataset"):
        manifest_of({"rehydrate": ""})
    assert manifest_of({"rehydrate": "x"}) == "x/manifest.parquet"


def test_a_rehydration_mixes_with_no_other_dataset(tmp_path: Path) -> None:
    check_rehydration(["rehydrate"], tmp_path)
    with pytest.raises(UserError, match="only with the target rehydrate"):
        check_rehydration(["all"], tmp_path)
    (tmp_path / "dedup").mkdir()
    with pytest.raises(UserError, match="contains another dataset"):
        check_rehydration(["rehydrate"], tmp_path)


def test_published_rows_have_the_image_settings_and_only_credits_of_the_users_columns() -> None:
    row: dict[str, Any] = {"video": "a", "url": "x.mp4", "start_s": 1.0, "end_s": None, "split": "val"}
    extra = {"place": "Lyon", "license": "CC BY 4.0"}
    settings = {"max_height_px": 720, "max_side_px": 1280, "jpeg_qscale": 2, "hdr": "tonemap"}
    assert published_row(CONFIG, Video(**row, extra=extra)) == row | {"extra": {"license": "CC BY 4.0"}} | settings


def test_the_column_hdr_may_be_empty_and_has_one_of_two_values(tmp_path: Path) -> None:
    rows = (f"{hdr or 'none'}\thttps://a.example/{hdr}\t480\t640\t2\t{hdr}\n" for hdr in ("as_is", "tonemap", ""))
    publish(tmp_path, "".join(rows))
    table = tmp_path / "videos.tsv"
    table.write_text(table.read_text().replace(HEADER, HEADER.replace("\n", "\thdr\n")))
    videos = read_published_videos(tmp_path, tmp_path)
    assert {video: row.extra["hdr"] for video, row in videos.items()} == {
        "as_is": "as_is",
        "tonemap": "tonemap",
        "none": "",
    }
    table.write_text(table.read_text().replace("2\tas_is", "2\tsoon"))
    with pytest.raises(UserError, match="line 2: hdr 'soon' is neither tonemap nor as_is"):
        read_published_videos(tmp_path, tmp_path)


def test_a_video_is_published_under_its_plain_address() -> None:
    row = Video("a", "https://youtu.be/aaaaaaaaaaa?si=x", 0.0, None, "")
    assert published_row(CONFIG, row)["url"] == "https://www.youtube.com/watch?v=aaaaaaaaaaa"
