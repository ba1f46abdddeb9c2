"""A published dataset is written from the frames that were found again; the others are listed with reasons."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scripts.core.schemas import PUBLISHED, RETAKEN
from scripts.core.tables import write_table
from scripts.core.tsv import read_tsv
from scripts.rehydrate.rehydrate import rehydrate, summary_line, without_video
from tests._published import published_row

TABLE = """video\turl\tstart_s\tend_s\tsplit\tsha256\tmax_height_px\tmax_side_px\tjpeg_qscale
v\thttps://h.example/v\t\t\ttrain\t\t720\t640\t2
w\tw.mp4\t\t\tval\t\t720\t640\t2
"""


NO_FILE = "no file w.mp4 where rehydrate looks for it"


def test_found_frames_become_images_and_lost_ones_have_reasons(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    published, retaken, out = tmp_path / "published", tmp_path / "retaken", tmp_path / "out"
    box: dict[str, Any] = {"boxes_xyxy_px": [[2.0, 2.0, 6.0, 6.0]], "classes": ["car"], "confidences": [0.9]}
    rows = [
        published_row(**box),
        published_row(frame="000002000.jpg", file="images/train/v__000002000.jpg"),
        published_row(video="w", file="images/val/w__000001000.jpg", split="val"),
    ]
    published.mkdir()
    write_table(published / "manifest.parquet", rows, PUBLISHED, json.dumps({"names": ["bus", "car"]}))
    (published / "videos.tsv").write_text(TABLE)
    retaken.mkdir()
    (retaken / "000001000.jpg").write_bytes(b"jpeg")
    outcomes = [
        {"frame": "000001000.jpg", "outcome": "identical", "reason": "", "distance_bits": 0},
        {"frame": "000002000.jpg", "outcome": "lost", "reason": "picture differs by 9 bits", "distance_bits": 9},
    ]
    write_table(retaken / "retaken.parquet", outcomes, RETAKEN)
    rehydrate(published, {"v": retaken}, out)
    assert (out / "images/train/v__000001000.jpg").read_bytes() == b"jpeg"
    assert (out / "labels/train/v__000001000.txt").read_text() == "1 0.500000 0.500000 0.500000 0.500000\n"
    assert len(list(out.rglob("*.jpg"))) == len(list(out.rglob("labels/*/*.txt"))) == 1
    assert (out / "train.txt").read_text() == "./images/train/v__000001000.jpg\n"
    assert (out / "val.txt").read_text() == ""
    assert all((out / kind / "test").is_dir() for kind in ("images", "labels")) and (out / "data.yaml").exists()
    assert read_tsv(out / "losses.tsv") == [
        {"video": "v", "frame": "000002000.jpg", "reason": "picture differs by 9 bits"},
        {"video": "w", "frame": "000001000.jpg", "reason": f"video unavailable: {NO_FILE}"},
    ]
    assert caplog.records[-1].levelname == "WARNING" and "rehydrated 1 of 3 images" in caplog.text


def test_a_video_that_was_not_looked_for_has_a_reason() -> None:
    urls = {"a": "a.mp4", "b": "https://h.example/b"}
    reasons = [without_video("1.jpg", video, urls)["reason"] for video in ("a", "b", "c")]
    assert reasons == [
        "video unavailable: no file a.mp4 where rehydrate looks for it",
        "video unavailable: it is excluded",
        "video unavailable: videos.tsv does not list it",
    ]


def test_the_last_line_counts_images_by_outcome() -> None:
    counts = Counter({"identical": 5, "same picture": 2})
    assert summary_line(counts, 7, Path("o")) == "rehydrated 7 of 7 images: 5 identical, 2 re-encoded, none lost"
    lost = summary_line(counts + Counter({"lost": 1}), 8, Path("o"))
    assert lost == "rehydrated 7 of 8 images: 5 identical, 2 re-encoded, 1 lost (o/losses.tsv says why)"
