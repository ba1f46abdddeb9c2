"""The audit finds what is planted: leaks, conflicts, splits that are too small; and it is exact."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.core.tables import read_rows
from scripts.dataset.audit import absent_classes, audit, warnings_of
from scripts.dataset.splits import Splitting, plan_splits
from scripts.run.summary import summary
from tests._dataset_rows import copy_row, image_row
from tests._planted import LIMIT, SHARES, far_hashes, planted, read, reported, row_of


@pytest.mark.public_report(
    "PlantSeg 11", saw="the same images are in train and in test",
    here="videos that share copies are in one split, and the audit counts pairs between splits",
)  # fmt: skip
def test_copies_leak_in_a_random_split_and_not_in_splits_by_group(tmp_path: Path) -> None:
    scenes = far_hashes(30, 1)
    hashes = {f"v{i}": [scenes[i], scenes[i] ^ 1, scenes[i] ^ 2] for i in range(30)}
    hashes |= {f"again{i}": [scenes[i] ^ 0b1100, *far_hashes(2, 100 + i)] for i in range(15)}
    dataset = planted(tmp_path, {video: row_of(video) for video in hashes}, hashes, Splitting(SHARES, 0, "video"))
    found = read(dataset)
    assert found["naive"]["frames"] == 135 and found["naive"]["share"] > 0.5
    assert len(found["closest"]) == 3 and all(pair["pairs_within"] == 0 for pair in found["closest"])
    assert min(pair["distance_bits"] for pair in found["closest"]) > LIMIT
    assert found["linked"] == sorted([f"again{i}", f"v{i}"] for i in range(15))
    split_of = {row["video"]: row["split"] for row in read_rows(dataset / "ledger.parquet") if row["split"]}
    assert all(split_of[f"v{i}"] == split_of[f"again{i}"] for i in range(15))
    assert {pair["splits"][0] for pair in found["closest"]} == {"train", "val"} and found["conflicts"] == []


def test_a_conflict_names_its_frames_and_no_copy_is_in_both_splits(tmp_path: Path) -> None:
    (scene, *others) = far_hashes(9, 2)
    videos = {"a": row_of("a", "train"), "b": row_of("b", "test"), "c": row_of("c", "val"), "d": row_of("d", "", "<i>")}
    videos["a"]["extra"]["channel"] = "<i>"
    hashes = {"a": [others[0], scene], "b": [scene ^ 0b111, others[1]], "c": others[2:7], "d": others[7:]}
    found = read(reported(tmp_path, videos, hashes, Splitting(SHARES, 0, "channel")))
    (conflict,) = found["conflicts"]
    assert conflict["forced"] == {"a": "train", "b": "test"}
    (link,) = conflict["links"]
    assert (link["videos"], link["splits"], link["distance_bits"]) == (["a", "b"], ["train", "test"], 3)
    assert link["frames"] == ["a/000000001.jpg", "b/000000000.jpg"]
    assert [pair["pairs_within"] for pair in found["closest"]] == [0, 0, 0]
    assert found["linked"] == [["a", "b", "d"]]
    (warning,) = found["warnings"]
    assert "a is in train, b in test, and a/000000001.jpg and b/000000000.jpg are copies" in warning
    page = (tmp_path / "report.html").read_text()
    assert "Groups that the table divides" in page and "a/000000001.jpg and b/000000000.jpg, 3 bits apart" in page
    pairs = json.loads((tmp_path / "distances.json").read_text())["pairs"]
    (copies,) = pairs["dropped"]
    assert copies["frames"] == ["b/000000000.jpg", "a/000000001.jpg"] and pairs["kept"]
    in_pairs = (3 + 1 + 1 + len(pairs["kept"])) * 2  # the closest of each two splits, and the copy in pair and group
    assert page.count("data:image/webp;base64,") == in_pairs + 9  # beside the nine images
    assert warning in summary(tmp_path / "registry.tsv", tmp_path / "report.html", found["warnings"])


def test_a_conflict_of_near_misses_does_not_call_them_copies() -> None:
    videos = {"a": row_of("a", "train"), "b": row_of("b", "test"), "c": row_of("c", "val")}
    near = copy_row("b/2.jpg", near_misses=["a/1.jpg"])
    plan = plan_splits(videos, {}, [near], Splitting(SHARES, 0, "video"))
    images = [image_row(f"{v}/1.jpg", ["dog"], split=plan.splits[v], file=v) for v in videos]
    hashes = dict(zip(("a/1.jpg", "b/1.jpg", "c/1.jpg"), far_hashes(3, 9), strict=True))
    warning, _ = audit(plan, images, hashes, ["dog"], LIMIT)["warnings"]  # the other one: most images in one group
    assert warning.endswith("a is in train, b in test, and a/1.jpg and b/2.jpg have near hashes, but other objects")


def test_too_few_groups_for_all_splits_give_a_warning(tmp_path: Path) -> None:
    videos = {"a": row_of("a", "train"), "b": row_of("b", "val")}
    found = read(reported(tmp_path, videos, {"a": far_hashes(3, 3), "b": []}, Splitting(SHARES, 0, "video")))
    assert found["empty_splits"] == ["val", "test"] and found["closest"] == [] and found["groups"] == 1
    assert found["warnings"] == [
        "images come from 1 group of videos, too few for 3 splits: add videos",
        "no image in val",
        "no image in test",
    ]
    assert "Only one split holds images" in (tmp_path / "report.html").read_text()


def test_the_warning_of_an_empty_split_names_the_column_and_a_seed(tmp_path: Path) -> None:
    sources = {f"v{i}": far_hashes(2, i) for i in range(8)}
    rows = {video: row_of(video) for video in sources}
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    plans = (plan_splits(rows, {}, [], Splitting(shares, seed, "video")) for seed in range(200))
    without_val = next(plan for plan in plans if "val" not in plan.splits.values())
    found = read(planted(tmp_path, rows, sources, without_val.splitting))
    assert found["suggestion"]["splits"]["val"]["images"] > 0
    remedy = f"put videos there with the table's column 'split', or set dataset.seed to {found['suggestion']['seed']}"
    assert f"no image in val: {remedy}" in found["warnings"]


def test_a_dataset_without_any_image_is_audited_too(tmp_path: Path) -> None:
    found = read(planted(tmp_path, {"a": row_of("a")}, {"a": []}, Splitting(SHARES, 0, "video")))
    assert found["empty_splits"] == ["train", "val", "test"]
    assert found["largest_group"] == {"videos": [], "image_share": None}
    assert (found["naive"]["share"], found["suggestion"]["is_configured"]) == (None, True)


def test_the_same_input_in_another_order_gives_the_same_audit(tmp_path: Path) -> None:
    hashes = {f"v{i}": far_hashes(3, i) for i in range(12)}
    videos = {video: row_of(video) for video in hashes}
    first = read(planted(tmp_path / "1", videos, hashes, Splitting(SHARES, 0, "video")))
    second = read(planted(tmp_path / "2", dict(reversed(videos.items())), hashes, Splitting(SHARES, 0, "video")))
    assert first == second and first["splits"]["train"]["images"] > 0


def test_leaks_and_too_large_groups_give_warnings() -> None:
    split = {"wanted_share": 0.5, "missing_classes": []}
    found: Any = {
        "max_distance_bits": 8, "groups": 2, "conflicts": [], "empty_splits": [], "suggestion": {},
        "splits": {"train": split, "val": split}, "largest_group": {"videos": ["a", "b"], "image_share": 0.9},
        "closest": [{"splits": ["train", "val"], "pairs_within": 3}],
    }  # fmt: skip
    leak, large = warnings_of(found)
    assert leak == "3 pairs of images in train and val within 8 bits of each other"
    assert large == "one group of videos, that of a, holds 90% of the images: more than any split is to have"


def test_wanted_classes_without_objects_are_returned() -> None:
    images = [image_row("v/1.jpg", ["car"]), image_row("v/2.jpg", ["dog", "car"])]
    assert absent_classes(["car", "dog"], images) == absent_classes([], images) == []
    assert absent_classes(["car", *"abcdefg"], images) == list("abcdefg")
