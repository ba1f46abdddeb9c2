"""Pictures are few, small, and of everything that the filters offer."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scripts.core.files import write_json
from scripts.core.layout import DROPPED
from scripts.report.gallery import (
    DROPPED_SHOWN,
    MOST_BYTES_PER_PX,
    Pictures,
    in_turn,
    least_sure,
    pick_groups,
    pick_samples,
    read_copies,
    read_dropped,
    spread,
    thumbnail,
)


def entries(**counts: int) -> list[dict[str, Any]]:
    """Return exported frames, so many of each video."""
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


def test_what_is_rare_or_unsure_is_in_a_sample_of_many_videos() -> None:
    exported = entries(**{f"v{i:03d}": 20 for i in range(300)})
    labels: dict[tuple[str, str], dict[str, Any]] = {
        (e["video"], e["frame"]): {"classes": ["car"], "confidences": [0.9]} for e in exported
    }
    labels["v123", "17"] = {"classes": ["car", "fox"], "confidences": [0.9, 0.8]}
    labels["v077", "13"]["confidences"] = [0.3]
    exported[4444]["split"] = "val"
    assert [entry["video"] for entry in least_sure(exported, labels)[:2]] == ["v077", "v123"]  # a car's, the fox's
    chosen = pick_samples(exported, labels, 50)
    assert len(chosen) == 50 and {"video": "v123", "frame": "17", "split": "train"} in chosen
    assert {"video": "v077", "frame": "13", "split": "train"} in chosen
    assert exported[4444] in chosen and len({entry["video"] for entry in chosen}) >= 38
    assert chosen == [entry for entry in exported if entry in chosen]  # in the dataset's order
    assert pick_samples(exported[:30], labels, 50) == exported[:30]


def test_thumbnails_of_noise_are_bounded_too(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.jpg", quality=95)
    thumb = thumbnail(tmp_path / "noise.jpg", 320)
    assert len(thumb["src"]) * 3 / 4 <= MOST_BYTES_PER_PX * 320**2 + 100
    assert (thumb["width"], thumb["height"], thumb["factor"]) == (320, 180, 0.25)


def test_pairs_have_small_pictures_names_and_times(tmp_path: Path) -> None:
    for video, colour in (("a", "red"), ("b", "blue")):
        (tmp_path / video).mkdir()
        Image.new("RGB", (1920, 1080), colour).save(tmp_path / video / "000000500.jpg")
    pair = {"frames": ["a/000000500.jpg", "b/000000500.jpg"], "distance_bits": 3}
    write_json(tmp_path / "distances.json", {"pairs": {"dropped": [pair], "kept": [], "told_apart": []}})
    times_s = dict.fromkeys(["a/000000500.jpg", "b/000000500.jpg"], 0.5)
    copies = read_copies(tmp_path / "distances.json", Pictures({v: tmp_path / v for v in "ab"}, times_s))
    pictures = copies["pairs"]["dropped"][0]["pictures"]
    assert [picture["seen"] for picture in pictures] == ["a at 0.5\N{NO-BREAK SPACE}s", "b at 0.5\N{NO-BREAK SPACE}s"]
    assert all(len(p["src"]) < 5_000 for p in pictures) and pictures[0]["src"] != pictures[1]["src"]


def test_what_the_filter_dropped_is_shown_of_every_video(tmp_path: Path) -> None:
    times_s = {}
    for video in "abc":
        (tmp_path / video / DROPPED).mkdir(parents=True)
        for number in range({"a": 100, "b": 1, "c": 0}[video]):
            Image.new("RGB", (64, 36)).save(tmp_path / video / DROPPED / f"{number:09d}.jpg")
            times_s[f"{video}/{number:09d}.jpg"] = float(number)
    pictures = Pictures({video: tmp_path / video for video in "abc"}, times_s)
    shown = [picture["seen"][0] for picture in read_dropped(pictures, ["b"])]
    assert shown == ["b"] + ["a"] * (DROPPED_SHOWN - 1), "those that are named first, and no more than fit"
    assert sorted(picture["seen"][0] for picture in read_dropped(pictures, [])) == ["a"] * (DROPPED_SHOWN - 1) + ["b"]


def test_groups_of_a_fixed_camera_leave_room_for_those_of_others() -> None:
    groups = {f"camera/{n}": [{"video": "camera"}] * 50 for n in range(40)} | {"a/1": [{"video": "b"}]}
    picked = pick_groups(groups, 10)
    assert len(picked) == 10 and "a/1" in picked and picked[0].startswith("camera")
