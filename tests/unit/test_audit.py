"""The audit finds what is planted: leaks, conflicts, splits that are too small; and it is exact."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scripts._audit import audit, warnings_of
from scripts._balance import outcome, suggest_seed, tally
from scripts._files import write_json
from scripts._leaks import closest_pairs, naive_leak
from scripts._passed import Source
from scripts._splits import Splitting, assign_splits, plan_splits
from scripts._summary import summary
from scripts._tables import DETECTIONS, FILTER, read_rows, write_table
from scripts._videos import SPLITS
from scripts.deduplicate import deduplicate
from scripts.export_dataset import export_dataset
from scripts.report import report
from tests._exported import CLIP, RECORD
from tests._hashed import rules, write_hashes

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
LIMIT = 8
SEEN: dict[str, Any] = {"boxes_xyxy_px": [[1.0, 2.0, 30.0, 20.0]], "classes": ["dog"], "confidences": [0.9]}
Rows = dict[str, dict[str, Any]]
Folders = dict[str, dict[str, Path]]


def row_of(video: str, split: str = "", channel: str = "") -> dict[str, Any]:
    return CLIP | {"url": f"https://example.org/{video}", "split": split, "extra": {"channel": channel}}


def planted(folder: Path, videos: Rows, hashes: Mapping[str, Sequence[int]], splitting: Splitting) -> Path:
    """Lay out what the stages before hand on, one frame per hash, and make a dataset of it."""
    folders: Folders = {}
    for video, row in videos.items():
        paths = {name: folder / name / video for name in ("record", "filtered", "detections")}
        paths["filtered"].mkdir(parents=True, exist_ok=True)
        write_json(paths["record"], RECORD | {"url": row["url"]})
        frames: list[dict[str, Any]] = [
            {"video": video, "frame": f"{i:09d}.jpg", "width": 64, "height": 36} for i in range(len(hashes[video]))
        ]
        for frame in frames:
            Image.new("RGB", (64, 36), "teal").save(paths["filtered"] / frame["frame"])
        measured: dict[str, Any] = {
            "sharpness": 1,
            "brightness": 1,
            "entropy_bits": 1,
            "keep": True,
            "passed": True,
            "reason": "",
        }
        measured["background"] = False
        hashed = [{"pts_s": float(i), "phash": f"{value:016x}"} for i, value in enumerate(hashes[video])]
        rows = [frame | SEEN | measured | more for frame, more in zip(frames, hashed, strict=True)]
        write_table(paths["filtered"] / "filter.parquet", rows, FILTER)
        hashed_frames = {f["frame"]: [("content", h)] for f, h in zip(frames, hashes[video], strict=True)}
        folders[video] = paths | {"hashes": write_hashes(folder / "hashes" / video, hashed_frames)}
    manifest, out = folder / "manifest.parquet", folder / "dataset"
    sources = {v: Source(f["filtered"] / "filter.parquet", f["hashes"]) for v, f in folders.items()}
    distances = folder / "distances.json"
    deduplicate(sources, rules(LIMIT), manifest, folder / "kept.json", distances)
    for video, kept in json.loads((folder / "kept.json").read_text()).items():
        found = [SEEN | {"video": video, "frame": frame, "width": 64, "height": 36} for frame in kept["frames"]]
        write_table(folders[video]["detections"], found, DETECTIONS)
    chosen = {"splits": splitting.shares, "seed": splitting.seed, "split_by": splitting.by}
    card = {"names": ["dog", "cat"], "weights": "model.pt", "weights_sha256": "0" * 64}
    export_dataset(
        videos,
        folders,
        manifest,
        out,
        models={"filter": card, "detect": card},
        settings={
            "dedup": {"max_distance_bits": LIMIT},
            "detect": {"classes": []},
            "dataset": chosen | {"negatives_share": 0, "formats": ["yolo", "coco"]},
        },
    )
    report(videos, folders, distances, out, folder / "report.html", folder / "registry.tsv")
    return out


def read(dataset: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((dataset / "audit.json").read_text())
    return found


def far_hashes(count: int, seed: int) -> list[int]:
    """Return random hashes, which are tens of bits apart."""
    return list(map(int, np.random.default_rng(seed).integers(0, 2**63, count)))


def test_a_set_full_of_copies_leaks_when_split_by_frames_and_not_when_split_by_groups(tmp_path: Path) -> None:
    scenes = far_hashes(30, 1)
    hashes = {f"v{i}": [scenes[i], scenes[i] ^ 1, scenes[i] ^ 2] for i in range(30)}
    hashes |= {f"again{i}": [scenes[i] ^ 0b1100, *far_hashes(2, 100 + i)] for i in range(15)}
    dataset = planted(tmp_path, {video: row_of(video) for video in hashes}, hashes, Splitting(SHARES, 0, "video"))
    found = read(dataset)
    assert found["naive"]["frames"] == 135 and found["naive"]["share"] > 0.5
    assert len(found["closest"]) == 3 and all(pair["pairs_within"] == 0 for pair in found["closest"])
    assert min(pair["distance_bits"] for pair in found["closest"]) > LIMIT
    assert found["linked"] == [[f"v{i}", f"again{i}"] for i in range(15)]
    split_of = {row["video"]: row["split"] for row in read_rows(dataset / "ledger.parquet") if row["split"]}
    assert all(split_of[f"v{i}"] == split_of[f"again{i}"] for i in range(15))
    assert {pair["splits"][0] for pair in found["closest"]} == {"train", "val"} and found["conflicts"] == []


def test_a_forced_conflict_is_reported_with_its_frames_and_no_copy_is_in_both_splits(tmp_path: Path) -> None:
    (scene, *others) = far_hashes(9, 2)
    videos = {"a": row_of("a", "train"), "b": row_of("b", "test"), "c": row_of("c", "val"), "d": row_of("d", "", "<i>")}
    videos["a"]["extra"]["channel"] = "<i>"
    hashes = {"a": [others[0], scene], "b": [scene ^ 0b111, others[1]], "c": others[2:7], "d": others[7:]}
    found = read(planted(tmp_path, videos, hashes, Splitting(SHARES, 0, "channel")))
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
    in_pairs = (3 + 1 + len(pairs["kept"])) * 2  # the closest of each two splits, and copies
    assert page.count("data:image/jpeg;base64,") == in_pairs + 9  # beside the nine images
    assert warning in summary(tmp_path / "registry.tsv", tmp_path / "report.html", found["warnings"])


def test_two_videos_are_too_few_for_three_splits_and_it_is_said(tmp_path: Path) -> None:
    videos = {"a": row_of("a", "train"), "b": row_of("b", "val")}
    found = read(planted(tmp_path, videos, {"a": far_hashes(3, 3), "b": []}, Splitting(SHARES, 0, "video")))
    assert found["empty_splits"] == ["val", "test"] and found["closest"] == [] and found["groups"] == 1
    assert found["warnings"] == [
        "images come from 1 groups of videos, too few for 3 splits: add videos",
        "no image in val",
        "no image in test",
    ]
    assert "Only one split holds images" in (tmp_path / "report.html").read_text()


def test_an_empty_split_is_named_with_the_column_and_the_seed_that_would_fill_it(tmp_path: Path) -> None:
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


HASHED = st.dictionaries(
    st.text("abc", min_size=1, max_size=4), st.tuples(st.integers(0, 2**64 - 1), st.sampled_from(SPLITS)), max_size=20
)


@given(HASHED, st.integers(0, 40))
def test_closest_pairs_are_those_of_a_plain_comparison(files: dict[str, tuple[int, str]], limit: int) -> None:
    hashes = {file: value for file, (value, _) in files.items()}
    splits = {file: split for file, (_, split) in files.items()}
    held = [split for split in SPLITS if split in splits.values()]
    found = closest_pairs(hashes, splits, limit)
    assert [pair["splits"] for pair in found] == [[a, b] for i, a in enumerate(held) for b in held[i + 1 :]]
    assert found == closest_pairs(dict(reversed(hashes.items())), splits, limit)
    for pair in found:
        one, other = ([file for file in files if splits[file] == split] for split in pair["splits"])
        bits = {(a, b): (hashes[a] ^ hashes[b]).bit_count() for a in one for b in other}
        assert pair["distance_bits"] == min(bits.values()) == bits[tuple(pair["files"])]
        assert pair["pairs_within"] == sum(value <= limit for value in bits.values())


def test_a_naive_split_leaks_all_of_equal_frames_and_none_of_distant_ones() -> None:
    equal = naive_leak({f"v/{i}": 7 for i in range(50)}, SHARES, 0, LIMIT)
    assert equal == {"frames": 50, "test_frames": 10, "leaked": 10, "share": 1.0}
    distant = dict(zip((f"v/{i}" for i in range(50)), far_hashes(50, 5), strict=True))
    assert naive_leak(distant, SHARES, 0, LIMIT)["share"] == 0.0
    assert naive_leak(distant, {"train": 1.0, "val": 0.0, "test": 0.0}, 0, LIMIT)["share"] is None


def images_of(counts: dict[str, tuple[int, int]], splits: dict[str, str]) -> list[dict[str, Any]]:
    """Return images, each with a dog or with a cat: so many per video."""
    return [
        {"video": v, "frame": f"{i}.jpg", "file": f"{v}{i}", "split": splits[v], "classes": ["dog" if i < n else "cat"]}
        for v, (n, more) in counts.items()
        for i in range(n + more)
    ]


def test_the_outcome_counts_images_groups_and_the_class_that_is_furthest_off() -> None:
    videos = {v: row_of(v, split) for v, split in zip("abcd", ["train", "train", "val", "test"], strict=True)}
    plan = plan_splits(videos, {}, [], Splitting({"train": 0.5, "val": 0.25, "test": 0.25}, 0, "video"))
    images = images_of({"a": (3, 1), "b": (1, 0), "c": (4, 0), "d": (0, 3)}, plan.splits)
    got = outcome(plan.groups, plan.splits, tally(images, ["dog", "cat", "cow"]), plan.splitting.shares)
    assert [got[split]["images"] for split in SPLITS] == [5, 4, 3]
    assert [got[split]["image_share"] for split in SPLITS] == [0.4167, 0.3333, 0.25]
    assert [got[split]["groups"] for split in SPLITS] == [2, 1, 1]
    assert [(got[s]["worst_class"], got[s]["worst_class_share"]) for s in SPLITS] == [
        ("cat", 0.25), ("dog", 0.5), ("cat", 0.75),
    ]  # fmt: skip
    assert [got[split]["missing_classes"] for split in SPLITS] == [[], ["cat"], ["dog"]]  # no cow is anywhere
    hashes = dict(zip((f"{i['video']}/{i['frame']}" for i in images), far_hashes(12, 8), strict=True))
    said = audit(plan, images, hashes, ["dog", "cat", "cow"], LIMIT)["warnings"]
    assert said == ["no object in val of class cat", "no object in test of class dog"]


@settings(deadline=None, max_examples=30)  # 400 plans each
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30), st.integers(0, 999))
def test_the_suggested_seed_gives_what_it_promises_and_is_no_worse(counts: list[tuple[int, int]], seed: int) -> None:
    numbers = {f"v{i}": pair for i, pair in enumerate(counts)}
    plan = plan_splits({v: row_of(v) for v in numbers}, {}, [], Splitting(SHARES, seed, "video"))
    counted = tally(images_of(numbers, plan.splits), ["dog", "cat"])
    found = suggest_seed(plan.groups, counted, plan.splitting)
    splits = assign_splits(plan.groups, SHARES, found["seed"])
    assert found["splits"] == outcome(plan.groups, splits, counted, SHARES)
    empty = [
        sum(not row["images"] for row in o.values())
        for o in (found["splits"], outcome(plan.groups, plan.splits, counted, SHARES))
    ]
    assert (empty[0], found["distance"]) <= (empty[1], found["configured_distance"])
    assert found["is_configured"] == (found["seed"] == seed)
    again = suggest_seed(plan.groups, counted, Splitting(SHARES, found["seed"], "video"))
    assert again["is_configured"] and again["distance"] == found["distance"]  # set, it stays


def test_a_seed_that_fills_all_splits_goes_before_one_that_comes_closer() -> None:
    shares = {
        "train": 0.8,
        "val": 0.1,
        "test": 0.1,
    }  # of four equal groups, all in train: off by 0.2; 2 + 1 + 1: by 0.3
    plan = plan_splits({v: row_of(v) for v in "abcd"}, {}, [], Splitting(shares, 0, "video"))
    found = suggest_seed(
        plan.groups, tally(images_of(dict.fromkeys("abcd", (2, 0)), plan.splits), ["dog"]), plan.splitting
    )
    assert sorted(found["splits"][split]["groups"] for split in SPLITS) == [1, 1, 2] and found["distance"] == 0.6


def test_a_leak_and_a_group_that_outgrows_every_split_are_warned_of() -> None:
    split = {"wanted_share": 0.5, "missing_classes": []}
    result = {
        "max_distance_bits": 8, "groups": 2, "conflicts": [], "empty_splits": [], "suggestion": {},
        "splits": {"train": split, "val": split}, "largest_group": {"videos": ["a", "b"], "image_share": 0.9},
        "closest": [{"splits": ["train", "val"], "pairs_within": 3}],
    }  # fmt: skip
    leak, large = warnings_of(result)
    assert leak == "3 pairs of images in train and val are within 8 bits of each other"
    assert large == "one group of videos, that of a, holds 90% of the images: more than any split is to have"


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\r\nb"])
def test_names_from_the_internet_do_not_steer_the_terminal(name: str, tmp_path: Path) -> None:
    (tmp_path / "registry.tsv").write_text("video\tstatus\n")
    text = summary(tmp_path / "registry.tsv", tmp_path / "report.html", [f"both are of channel {name}"])
    (line,) = [line for line in text.split("\n") if "channel a" in line]
    assert line.isprintable()
