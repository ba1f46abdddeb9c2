"""Splits keep videos apart and stay put, and every candidate has one fate."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts._summary import summary
from scripts.export_dataset import FORMATS, assign_splits, choose_split, fate
from scripts.report import pick_samples, registry_tsv
from tests.conftest import REPO

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


@given(st.text(min_size=1), st.integers(0, 5))
def test_a_split_is_a_function_of_the_video_alone(video: str, seed: int) -> None:
    assert choose_split(video, SHARES, seed) == choose_split(video, SHARES, seed)
    assert choose_split(video, {"train": 0.0, "val": 1.0, "test": 0.0}, seed) == "val"
    assert choose_split(video, {"train": 0.0, "val": 0.0, "test": 0.9999999}, seed) == "test"


def test_shares_are_approached_and_seeds_differ() -> None:
    chosen = [choose_split(f"video-{i}", SHARES, 0) for i in range(2000)]
    assert abs(chosen.count("train") / 2000 - 0.8) < 0.03
    assert abs(chosen.count("val") / 2000 - 0.1) < 0.03
    assert chosen != [choose_split(f"video-{i}", SHARES, 1) for i in range(2000)]


def test_parts_of_one_source_share_its_split() -> None:
    sources = [("a", ""), ("a", ""), ("b", ""), ("b", "test"), ("c", "")]
    rows = {f"v{i}": {"url": url, "split": split} for i, (url, split) in enumerate(sources)}
    splits = assign_splits(rows, SHARES, 0)
    assert splits["v0"] == splits["v1"] == choose_split("a", SHARES, 0)
    assert splits["v2"] == splits["v3"] == "test"
    assert assign_splits(dict(reversed(rows.items())), SHARES, 0) == splits


def test_each_format_of_the_schema_has_its_writer() -> None:
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["dataset"]["properties"]["formats"]["items"]["enum"] == list(FORMATS)


CANDIDATE = {
    "video": "v",
    "frame": "f",
    "pts_s": 0.0,
    "keep": True,
    "passed": True,
    "reason": "",
    "value": None,
    "threshold": None,
}


@pytest.mark.parametrize(
    ("row", "verdict", "stage", "value"),
    [
        (
            {"keep": False, "passed": False, "reason": "dark", "value": 3.0, "threshold": 9.0},
            None,
            "extract_frames",
            3.0,
        ),
        ({"passed": False, "reason": "too_few_objects", "value": 0.0, "threshold": 1.0}, None, "filter_frames", 0.0),
        ({}, {"keep": False, "representative": "w/g", "distance_bits": 3}, "deduplicate", 3),
        ({}, {"keep": True, "representative": "v/f", "distance_bits": 0}, "export_dataset", None),
    ],
)
def test_every_candidate_has_one_fate(
    row: dict[str, Any], verdict: dict[str, Any] | None, stage: str, value: float | None
) -> None:
    entry = fate(CANDIDATE | row, verdict, 8)
    assert (entry["stage"], entry["value"]) == (stage, value)


def test_a_passed_frame_without_verdict_is_an_error() -> None:
    with pytest.raises(KeyError, match="v/f passed the filter but is not in the manifest"):
        fate(CANDIDATE, None, 8)


def test_samples_come_from_every_video_in_turn() -> None:
    exported = [{"video": v, "n": n} for v, count in (("a", 9), ("b", 2), ("c", 1)) for n in range(count)]
    assert [(e["video"], e["n"]) for e in pick_samples(exported, 5)] == [
        ("a", 0),
        ("b", 0),
        ("c", 0),
        ("a", 1),
        ("b", 1),
    ]
    assert len(pick_samples(exported, 99)) == 12


def test_registry_and_summary_name_what_failed(tmp_path: Path) -> None:
    rows = [
        {
            "video": "a",
            "status": "ok",
            "split": "train",
            "message": "the last frame is at 1 s of 9 s",
            "frames": 3,
            "looked_at": 3,
            "passed": 2,
            "kept": 1,
            "exported": 1,
            "objects": 4,
            "place": "Lyon",
        },
        {"video": "b", "status": "unavailable", "message": "HTTP\tError\n404", "frames": 0, "place": "x"},
    ]
    registry = tmp_path / "registry.tsv"
    registry.write_text(registry_tsv(rows))
    lines = registry.read_text().splitlines()
    assert len(lines) == 3 and lines[0].endswith("\tplace")
    text = summary(registry, tmp_path / "report.html")
    assert "1 of 2 videos ok" in text and "b: unavailable: HTTP Error 404" in text
    assert "a: the last frame is at 1 s of 9 s" in text and "splits: 1 train, 0 val, 0 test" in text
    assert "no image in val: put videos there with the table's column 'split'" in text
    registry.write_text(registry_tsv([rows[0], *([rows[1]] * 25)]))
    assert "and 5 more, in" in summary(registry, tmp_path / "report.html")
    assert "3 extracted, 3 worth a look, 2 passed the filter, 1 unique, 1 in the dataset with 4 objects" in text
