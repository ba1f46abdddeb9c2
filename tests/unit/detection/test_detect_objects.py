"""Kept frames get labels, and a frame that cannot be read is an error."""

from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.core.files import write_json
from scripts.core.schemas import FILTER
from scripts.core.tables import read_rows, write_table
from scripts.detection.detect_objects import detect_objects
from scripts.detection.memory import Memory
from scripts.model.inference import Detections, RuntimeOptions
from scripts.model.thresholds import floor_for
from tests._detectors import ASK

NAMES = ["000000000.jpg", "000001000.jpg", "000002000.jpg"]


def label(folder: Path, kept: list[str], readable: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the stage with a model that sees one car per frame; return its table."""
    write_table(
        folder / "filter.parquet", [{"frame": n, "width": 320 + i, "height": 180} for i, n in enumerate(NAMES)], FILTER
    )
    write_json(folder / "kept.json", {"v": {"frames": kept}})

    def detect(_: Path, images: list[Path], *__: object) -> list[Detections]:
        return [Detections(i, [[1.0, 2.0, 3.0, 4.0]], ["car"], [0.5]) for i in images if i.name in readable]

    monkeypatch.setattr("scripts.detection.detect_objects.detect_images", detect)
    memories = [Memory(folder / "seen.parquet", "m", floor_for(ASK))]
    runtime = RuntimeOptions(1, folder / "w", warm=False)
    detect_objects("v", folder, folder / "kept.json", folder / "m", folder / "out.parquet", memories, ASK, runtime)
    return folder / "out.parquet"


def test_each_kept_frame_gets_a_row_with_its_own_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_rows(label(tmp_path, NAMES[1:], NAMES, monkeypatch))
    assert [(row["video"], row["frame"], row["width"], row["height"]) for row in rows] == [
        ("v", NAMES[1], 321, 180),
        ("v", NAMES[2], 322, 180),
    ]
    objects = ([[1.0, 2.0, 3.0, 4.0]], ["car"], [0.5])
    assert all((row["boxes_xyxy_px"], row["classes"], row["confidences"]) == objects for row in rows)


def test_a_kept_frame_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match=r"v: 1 frame\(s\) in .* cannot be read, such as 000002000.jpg; delete that folder"
    ):
        label(tmp_path, NAMES, NAMES[:2], monkeypatch)
    assert not (tmp_path / "out.parquet").exists()
