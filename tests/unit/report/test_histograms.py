"""Histograms count each frame once, where it belongs, and have the thresholds of the configuration."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.core.schemas import FILTER
from scripts.core.tables import write_table
from scripts.report.histograms import (
    LAST_BITS,
    MAP_CELLS,
    crowded,
    distance_histogram,
    frame_histograms,
    object_histograms,
    positions,
)
from tests._planted import CONFIGURED

FRAME: dict[str, Any] = {
    "sharpness": 100.0, "brightness": 90.0, "entropy_bits": 5.0, "reason": "", "confidences": [0.5, 0.9],
}  # fmt: skip


def test_frames_count_as_dropped_only_at_the_threshold_that_dropped_them(tmp_path: Path) -> None:
    frames = [
        FRAME,
        FRAME | {"brightness": 5.0, "reason": "dark", "confidences": []},
        FRAME | {"brightness": 255.0, "reason": "bright", "confidences": None},
        FRAME | {"sharpness": 1e9, "reason": "similar"},
        {"reason": "unreadable"},  # not measured
    ]
    write_table(tmp_path / "a.parquet", frames, FILTER)
    write_table(tmp_path / "b.parquet", [], FILTER)
    chosen = CONFIGURED | {"frames": CONFIGURED["frames"] | {"min_brightness": 20, "min_sharpness": 7}}
    sharpness, brightness, detail, confidence = frame_histograms(
        [tmp_path / "a.parquet", tmp_path / "b.parquet"], chosen
    )
    sums = {kind: sum(of) for kind, of in brightness.counts.items()}
    assert sums == {"kept": 1, "dropped": 2, "dropped_elsewhere": 1}
    assert brightness.counts["dropped"][0] == brightness.counts["dropped"][-1] == 1
    assert sharpness.counts["dropped_elsewhere"][-1] == 1 and sum(sharpness.counts["dropped"]) == 0
    assert sum(confidence.counts["objects"]) == 4
    thresholds = [chart.thresholds for chart in (sharpness, brightness, detail, confidence)]
    assert thresholds == [
        {"frames.min_sharpness": 7}, {"frames.min_brightness": 20}, {"frames.min_entropy_bits": 1.0},
        {"filter.confidence": 0.35},
    ]  # fmt: skip


@pytest.mark.public_report(
    "ultralytics/yolov5 1082",
    saw="no more than 300 objects are found in an image, and nothing says why",
    here="the report says in how many frames the limit was reached, and max_objects raises it",
)
def test_frames_with_as_many_objects_as_allowed_are_counted(tmp_path: Path) -> None:
    frames = [FRAME | {"classes": ["car"] * count} for count in (0, 1, 2, 3)] + [FRAME | {"classes": None}]
    write_table(tmp_path / "a.parquet", frames, FILTER)
    labels = [{"classes": ["car"] * count} for count in (2, 4, 4)]
    allowed = {"filter": {"max_objects": 3}, "detect": {"max_objects": 4}}
    assert crowded([tmp_path / "a.parquet"], labels, allowed) == {"filter": 1, "detect": 2}


def test_sizes_are_sides_of_the_boxes_areas_and_empty_datasets_have_none() -> None:
    row = {"boxes_xyxy_px": [[0.0, 0.0, 20.0, 20.0], [0.0, 0.0, 100.0, 400.0]], "confidences": [0.3, 0.9]}
    _, sizes = object_histograms([row, {"boxes_xyxy_px": [], "confidences": []}], 0.25)
    counted = {sizes.label(place): n for place, n in enumerate(sizes.counts["objects"]) if n}
    assert counted == {"16 to 24": 1, "192 to 256": 1}
    assert all(not chart.counts for chart in object_histograms([], 0.25))


def test_positions_are_shares_of_objects_over_each_part_of_the_picture() -> None:
    left_half = {"width": 200, "height": 100, "boxes_xyxy_px": [[0.0, 0.0, 100.0, 100.0]]}
    everywhere = {"width": 50, "height": 50, "boxes_xyxy_px": [[0.0, 0.0, 50.0, 50.0]]}
    share = positions([left_half, everywhere])
    middle = MAP_CELLS[1] // 2
    assert np.all(share[:, :middle] == 1.0) and np.all(share[:, middle:] == 0.5) and share.shape == MAP_CELLS
    assert not positions([]).any()


def test_distances_have_a_bin_for_each_bit_and_one_for_the_rest() -> None:
    chart = distance_histogram({"dropped": [4, 1], "told_apart": [0, 2], "kept": [0] * 33 + [5, 6]}, 8)
    assert chart.counts["dropped"] == [4, 1, *[0] * LAST_BITS] and chart.counts["kept"] == [0] * (LAST_BITS + 1) + [11]
    assert chart.counts["near_misses"][:3] == [0, 2, 0] and set(chart.counts) == {"dropped", "near_misses", "kept"}
    assert chart.label(8) == "8" and chart.label(33) == "more than 32" and len(chart.edges) == 35
    assert chart.thresholds == {"dedup.max_distance_bits": 8}
