"""What a model saw is remembered: only a lower floor, another sight, model, code or content infers again."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.core.tables import read_rows
from scripts.detection import detect
from scripts.detection.detect import detect_images
from scripts.detection.memory import Memory, name_model, read_memory
from scripts.model.card import ModelCard, read_model_card
from scripts.model.inference import Detections, Floor, Inference, RuntimeOptions, Seen
from tests._detectors import ASK, wait_until
from tests._infer import detect_alone

COLD = RuntimeOptions(1, Path("w"), warm=False)
Counted = list[list[str]]


@pytest.fixture
def remembered(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> Path:
    """Return the file of what the demo's detector saw in the frames, for ASK."""
    memory = read_memory(tmp_path / "seen.parquet", model, "code", ASK)
    list(detect_images(model, images, ASK, RuntimeOptions(1, tmp_path / "w", warm=True), [memory]))
    memory.write([image.name for image in images])
    return tmp_path / "seen.parquet"


@pytest.fixture
def inferred(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Return the images that are inferred from now on, by a model that sees nothing in any."""
    asked: Counted = []

    def infer(model: Path, images: list[Path], floor: Floor, runtime: RuntimeOptions) -> Iterator[Seen]:
        asked.append([image.name for image in images])
        return iter([Seen(image, [], [], []) for image in images])

    monkeypatch.setattr(detect, "_infer", infer)
    return asked


def ask(path: Path, model: Path, images: list[Path], query: Inference, code: str = "code") -> list[Detections]:
    """Return the answer to a query by a job that has this memory."""
    return list(detect_images(model, images, query, COLD, [read_memory(path, model, code, query)]))


def test_the_detector_is_heard_to_the_end(remembered: Path, images: list[Path], tmp_path: Path) -> None:
    [log] = tmp_path.glob("detector-*.log")
    wait_until(lambda: f"{len(images)} images in " in log.read_text(), 10)
    assert "closed the connection" not in log.read_text()


def test_other_thresholds_infer_nothing_and_give_what_an_inference_gives(
    remembered: Path, model: Path, images: list[Path], alone: list[Detections], tmp_path: Path, inferred: Counted
) -> None:
    assert ask(remembered, model, images, ASK) == alone
    for query in (
        replace(ASK, confidence=0.05, classes=()),
        replace(ASK, confidence=0.2, classes=("dog",)),
        replace(ASK, confidence=alone[0].confidences[1]),
        replace(ASK, confidence=0.1, max_objects=2),
    ):
        assert ask(remembered, model, images, query) == detect_alone(model, images, query, tmp_path / "w"), query
    assert inferred == []


@pytest.mark.parametrize(
    "change", [{"confidence": 0.04}, {"iou": 0.6}, {"imgsz_px": 256}, {"max_objects": 301}], ids=lambda c: next(iter(c))
)
def test_a_lower_floor_or_another_sight_infers_all(
    remembered: Path, model: Path, images: list[Path], inferred: Counted, change: dict[str, Any]
) -> None:
    ask(remembered, model, images, replace(ASK, **change))
    assert inferred == [[image.name for image in images]]


def test_other_code_or_another_model_infers_all(
    remembered: Path, model: Path, images: list[Path], inferred: Counted, tmp_path: Path
) -> None:
    ask(remembered, model, images, ASK, "edited code")
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.json").write_text(json.dumps(read_model_card(model) | {"compiled_sha256": "2" * 64}))
    ask(remembered, other, images, ASK)
    assert inferred == [[image.name for image in images]] * 2


def test_only_new_and_changed_images_are_inferred_and_remembered(
    remembered: Path, model: Path, images: list[Path], inferred: Counted, tmp_path: Path
) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for image in images:
        shutil.copy(image, frames)
    changed, new = frames / images[2].name, frames / "000009000.jpg"
    changed.write_bytes(images[1].read_bytes())
    shutil.copy(images[1], new)
    memory = read_memory(remembered, model, "code", ASK)
    found = list(detect_images(model, sorted(frames.iterdir()), ASK, COLD, [memory]))
    assert inferred == [[changed.name, new.name]]
    assert [len(one.classes) for one in found] == [3, 0, 0, 0], "the torn one is left out, new ones show nothing"
    memory.write([images[0].name, changed.name, new.name])
    rows = read_rows(remembered)
    assert [(row["frame"], row["readable"]) for row in rows] == [
        (images[0].name, False), (changed.name, True), (new.name, True),
    ]  # fmt: skip
    ask(remembered, model, [images[0], changed, new], ASK)
    assert len(inferred) == 1


def test_the_second_memory_answers_too_and_stays_as_it_is(
    remembered: Path, model: Path, images: list[Path], alone: list[Detections], inferred: Counted, tmp_path: Path
) -> None:
    own, filters = (read_memory(path, model, "code", ASK) for path in (tmp_path / "own.parquet", remembered))
    assert list(detect_images(model, images, ASK, COLD, [own, filters])) == alone
    assert inferred == [] and own.rows == {} and len(filters.rows) == len(images)
    own.write([image.name for image in images])
    assert read_rows(own.path) == []


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(path.read_bytes()[:100]), Path.unlink])
def test_a_damaged_or_missing_file_infers_all(
    remembered: Path, model: Path, images: list[Path], inferred: Counted, spoil: Callable[[Path], object]
) -> None:
    spoil(remembered)
    ask(remembered, model, images, ASK)
    assert inferred == [[image.name for image in images]]


def test_a_model_on_a_server_may_change_so_nothing_is_remembered(model: Path, images: list[Path]) -> None:
    served: ModelCard = {**read_model_card(model), "compiled_sha256": ""}
    assert name_model(served, "code") == "" != name_model(read_model_card(model), "code")
    memory = Memory(Path("seen.parquet"), "", Floor(0.05, 0.7, 320, 300))
    memory.add(images[1], "1" * 64, Seen(images[1], [], [], []))
    assert memory.rows == {}
