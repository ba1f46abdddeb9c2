"""The report shows few images, but some of each class, split and video."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scripts.core.files import write_json
from scripts.core.layout import DROPPED
from scripts.report.gallery import (
    MAX_BOXES,
    MAX_COPIES,
    MAX_DROPPED,
    in_turn,
    lowest_confidences,
    pick_groups,
    pick_samples,
    read_audit,
    read_copies,
    read_dropped,
    read_groups,
    read_samples,
    spread,
)
from scripts.report.thumbnails import Pictures


def entries(**counts: int) -> list[Any]:
    """Return exported frames, as many of each video as given."""
    return [{"video": v, "frame": f"{n}", "split": "train"} for v, count in counts.items() for n in range(count)]


def test_frames_come_from_every_video_in_turn() -> None:
    ranked = [entry["video"] for entry in in_turn(entries(a=9, b=2, c=1))]
    assert set(ranked[:3]) == {"a", "b", "c"} and set(ranked[3:5]) == {"a", "b"} and ranked[5:] == ["a"] * 7


@given(st.integers(0, 300))
def test_the_first_few_are_spread_over_the_whole_and_none_is_lost(count: int) -> None:
    order = spread(range(count))
    assert sorted(order) == list(range(count))
    for few in (n for n in (2, 4, 16) if n <= count):
        gaps = np.diff([*sorted(order[:few]), count])
        assert max(gaps) <= 2 * count / few + 1


def test_rare_classes_and_low_confidences_are_in_a_sample_of_many_videos() -> None:
    exported = entries(**{f"v{i:03d}": 20 for i in range(300)})
    labels: dict[tuple[str, str], Any] = {
        (e["video"], e["frame"]): {"classes": ["car"], "confidences": [0.9]} for e in exported
    }
    labels["v123", "17"] = {"classes": ["car", "fox"], "confidences": [0.9, 0.8]}
    labels["v077", "13"]["confidences"] = [0.3]
    exported[4444]["split"] = "val"
    assert [entry["video"] for entry in lowest_confidences(exported, labels)[:2]] == [
        "v077",
        "v123",
    ]  # a car's, the fox's
    chosen: list[Any] = pick_samples(exported, labels, 50)
    assert len(chosen) == 50 and {"video": "v123", "frame": "17", "split": "train"} in chosen
    assert {"video": "v077", "frame": "13", "split": "train"} in chosen
    assert exported[4444] in chosen and len({entry["video"] for entry in chosen}) >= 38
    assert chosen == [entry for entry in exported if entry in chosen]  # in the dataset's order
    assert pick_samples(exported[:30], labels, 50) == exported[:30]


def test_pairs_have_small_pictures_with_video_and_time(tmp_path: Path) -> None:
    for video, colour in (("a", "red"), ("b", "blue")):
        (tmp_path / video).mkdir()
        Image.new("RGB", (1920, 1080), colour).save(tmp_path / video / "000000500.jpg")
    pair = {"frames": ["a/000000500.jpg", "b/000000500.jpg"], "distance_bits": 3}
    write_json(tmp_path / "distances.json", {"pairs": {"dropped": [pair], "kept": [], "told_apart": []}})
    times_s = dict.fromkeys(["a/000000500.jpg", "b/000000500.jpg"], 0.5)
    copies = read_copies(tmp_path / "distances.json", Pictures({v: tmp_path / v for v in "ab"}, times_s))
    pictures = copies["pairs"]["dropped"][0]["pictures"]
    assert [picture["caption"] for picture in pictures] == [
        "a at 0.5\N{NO-BREAK SPACE}s",
        "b at 0.5\N{NO-BREAK SPACE}s",
    ]
    assert all(len(p["src"]) < 5_000 for p in pictures) and pictures[0]["src"] != pictures[1]["src"]


def test_dropped_frames_are_shown_of_every_video(tmp_path: Path) -> None:
    times_s = {}
    for video in "abc":
        (tmp_path / video / DROPPED).mkdir(parents=True)
        for number in range({"a": 100, "b": 1, "c": 0}[video]):
            Image.new("RGB", (64, 36)).save(tmp_path / video / DROPPED / f"{number:09d}.jpg")
            times_s[f"{video}/{number:09d}.jpg"] = float(number)
    pictures = Pictures({video: tmp_path / video for video in "abc"}, times_s)
    shown = [picture["caption"][0] for picture in read_dropped(pictures, ["b"])]
    assert shown == ["b"] + ["a"] * (MAX_DROPPED - 1), "the named videos first, and at most the limit"
    assert sorted(picture["caption"][0] for picture in read_dropped(pictures, [])) == ["a"] * (MAX_DROPPED - 1) + ["b"]


def test_groups_of_a_fixed_camera_leave_room_for_other_groups() -> None:
    groups: dict[str, Any] = {f"camera/{n}": [{"video": "camera"}] * 50 for n in range(40)} | {"a/1": [{"video": "b"}]}
    picked = pick_groups(groups, 10)
    assert len(picked) == 10 and "a/1" in picked and picked[0].startswith("camera")


def test_a_group_shows_its_representative_and_its_most_distant_copies(tmp_path: Path) -> None:
    names = [f"{number:09d}.jpg" for number in range(MAX_COPIES + 3)]
    (tmp_path / "a").mkdir()
    for name in names:
        Image.new("RGB", (64, 36)).save(tmp_path / "a" / name)
    copy_rows: list[Any] = [
        {"video": "a", "frame": name, "keep": not bits, "representative": f"a/{names[0]}", "distance_bits": bits}
        for bits, name in enumerate(names)
    ]
    pictures = Pictures({"a": tmp_path / "a"}, {f"a/{name}": float(bits) for bits, name in enumerate(names)})
    (group,) = read_groups(copy_rows, pictures)
    assert group["kept"]["caption"].startswith("a at 0") and group["n_copies"] == MAX_COPIES + 2
    assert [copy["distance_bits"] for copy in group["copies"]] == [7, 6, 5, 4, 3]
    assert group["copies"][0]["caption"] == "a at 7\N{NO-BREAK SPACE}s"


def test_samples_have_boxes_in_pixels_of_the_thumbnail(tmp_path: Path) -> None:
    Image.new("RGB", (640, 360)).save(tmp_path / "a.jpg")
    entry: Any = {"video": "a", "frame": "0", "split": "train", "file": "a.jpg", "pts_s": 1.5}
    confidences = [number / 100 for number in range(MAX_BOXES + 1)]
    boxes = [[100.0, 20.0, 300.0, 60.0]] * len(confidences)
    row: Any = {"classes": ["dog", *["cat"] * MAX_BOXES], "confidences": confidences, "boxes_xyxy_px": boxes}
    (sample,) = read_samples([entry], {("a", "0"): row}, tmp_path, ["cat", "dog"])
    assert (sample["width"], sample["height"], sample["classes"], sample["numbers"]) == (
        320,
        180,
        ["cat", "dog"],
        [0, 1],
    )
    assert len(sample["boxes"]) == MAX_BOXES and {box["name"] for box in sample["boxes"]} == {"cat"}
    first = sample["boxes"][0]
    assert (first["x"], first["y"], first["width"], first["height"], first["confidence"]) == (50, 10, 100, 20, 0.4)


def test_the_closest_images_of_two_splits_have_pictures(tmp_path: Path) -> None:
    Image.new("RGB", (64, 36)).save(tmp_path / "a.jpg")
    write_json(tmp_path / "audit.json", {"closest": [{"files": ["a.jpg", "a.jpg"]}]})
    (pair,) = read_audit(tmp_path)["closest"]
    assert [picture["caption"] for picture in pair["pictures"]] == ["a.jpg", "a.jpg"]
