"""The filter gives every frame a row with its reason, and keeps a few of those that it dropped."""

from pathlib import Path

import pytest
from PIL import Image

from scripts.core.row_types import FrameRow
from scripts.core.tables import read_note, read_rows
from scripts.detection.filter_frames import DROPPED_KEPT, filter_frames, judge_frame, pick_dropped
from scripts.detection.memory import Memory
from scripts.model.inference import Detections, Inference, RuntimeOptions
from scripts.model.thresholds import floor_for
from tests._detectors import ASK


def test_every_frame_gets_a_row_with_its_reason(
    model: Path, frames: Path, alone: list[Detections], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def detect(used: Path, images: list[Path], query: Inference, _: object, memories: list[Memory]) -> list[Detections]:
        assert (used, images, query, memories) == (model, sorted(frames.glob("*.jpg")), ASK, [memory])
        return alone

    memory = Memory(tmp_path / "seen.parquet", "m", floor_for(ASK))
    monkeypatch.setattr("scripts.detection.filter_frames.detect_images", detect)
    filter_frames(frames, model, tmp_path / "out", memory, ASK, 2, 0, RuntimeOptions(1, tmp_path / "w", warm=False))
    rows = {row["frame"]: row for row in read_rows(tmp_path / "out/filter.parquet")}
    assert len(rows) == 4 and read_note(tmp_path / "out/filter.parquet") == "kept"
    torn, seen, empty = rows["000000000.jpg"], rows["000001000.jpg"], rows["000002000.jpg"]
    assert (torn["passed"], torn["reason"], torn["value"]) == (False, "unreadable", None)
    assert (seen["passed"], seen["reason"], seen["threshold"]) == (True, "", None)
    assert (empty["passed"], empty["reason"], empty["value"], empty["threshold"]) == (False, "too_few_objects", 0, 2)
    assert len(seen["boxes_xyxy_px"]) == len(seen["classes"]) == len(seen["confidences"]) == 3
    assert [p.name for p in (tmp_path / "out").glob("*.jpg")] == ["000001000.jpg"]
    assert (tmp_path / "out/000001000.jpg").samefile(frames / "000001000.jpg")
    with Image.open(tmp_path / "out/000001000.jpg") as image:
        assert all(0 <= v <= max(image.size) for box in seen["boxes_xyxy_px"] for v in box)
    filter_frames(frames, model, tmp_path / "more", memory, ASK, 2, 0.3, RuntimeOptions(1, tmp_path / "w", warm=False))
    more = {row["frame"]: row for row in read_rows(tmp_path / "more/filter.parquet")}
    (chosen,) = [row for row in more.values() if row["background"]]
    assert chosen["passed"] and chosen["reason"] == "" and chosen["classes"] == []
    assert {p.name for p in (tmp_path / "more").glob("*.jpg")} == {"000001000.jpg", chosen["frame"]}
    assert more["000000000.jpg"] == torn and more["000001000.jpg"] == seen


def test_a_frame_with_just_enough_objects_passes() -> None:
    row: FrameRow = {"video": "v", "frame": "a.jpg", "pts_s": 0.0, "keep": True, "reason": ""}
    found = Detections(Path("a.jpg"), [[0, 0, 1, 1]] * 2, ["car"] * 2, [0.9, 0.8])
    judged = [judge_frame(row, found, min_objects) for min_objects in (2, 3)]
    assert [(one["passed"], one["reason"]) for one in judged] == [(True, ""), (False, "too_few_objects")]
    dark = judge_frame({**row, "keep": False, "reason": "dark"}, None, 1)
    assert (dark["passed"], dark["reason"]) == (False, "dark")


def test_a_few_dropped_frames_are_picked_over_the_whole_length() -> None:
    reasons = ["blurred", *["too_few_objects"] * 99, ""]
    judged = [{"frame": f"{number:09d}.jpg", "reason": reason} for number, reason in enumerate(reasons)]
    assert pick_dropped(judged) == ["000000017.jpg", "000000050.jpg", "000000083.jpg"]
    assert pick_dropped(judged[:2]) == ["000000001.jpg"] and pick_dropped(judged[-1:]) == []
    assert [len(pick_dropped(judged[: n + 1])) for n in range(5)] == [min(n, DROPPED_KEPT) for n in range(5)]
