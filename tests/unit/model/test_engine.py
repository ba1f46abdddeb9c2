"""Weights are checked before they are loaded; models and images are asked in one way."""

import json
import pickle
from pathlib import Path

import pytest
from PIL import Image

from scripts.core.errors import UserError
from scripts.core.files import sha256_of
from scripts.core.tables import read_note, read_rows
from scripts.detection.compile_model import compile_model
from scripts.detection.detect import detect_images
from scripts.detection.filter_frames import filter_frames
from scripts.model.card import check_classes
from scripts.model.inference import Detections, Inference, RuntimeOptions
from scripts.model.weights import check_weights
from tests._clips import DEFAULTS, extract
from tests._detectors import ASK
from tests._infer import detect_alone
from tests._models import compiled
from tests.conftest import DEMO, REAL

DETECTOR = DEMO / "detector.pt"


class Bomb:
    """A pickle that does harm when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (open, ("harm-was-done", "w"))  # type: ignore[return-value]


def test_weights_with_another_sha256_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evil.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="not loaded"):
        compile_model("evil.pt", ["", "0" * 64], "native", 320, tmp_path / "m", tmp_path / "s", tmp_path / "w")
    assert not Path("harm-was-done").exists()
    assert check_weights(Path("evil.pt"), [""]) == sha256_of(Path("evil.pt"))


def test_published_weights_that_cannot_be_fetched_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="'yolo26n.pt' is not in .* put the file there"):
        compile_model("yolo26n.pt", [], "native", 320, tmp_path / "m", tmp_path / "s", tmp_path / "w")


def test_compiled_twice_gives_the_same_files(model: Path, tmp_path: Path) -> None:
    compiled(DETECTOR, 320, tmp_path / "m")
    for file in sorted(p for p in model.rglob("*") if p.is_file()):
        assert (tmp_path / "m" / file.relative_to(model)).read_bytes() == file.read_bytes(), file.name


def test_an_openvino_folder_is_taken_as_it_is(model: Path, tmp_path: Path) -> None:
    exported = model / "model_openvino_model"
    compile_model(str(exported), [sha256_of(exported)], "auto", 320, tmp_path / "m", tmp_path / "s", tmp_path / "w")
    card = json.loads((tmp_path / "m/model.json").read_text())
    assert (card["names"], card["weights_sha256"]) == (["car", "person", "dog"], sha256_of(exported))
    with pytest.raises(UserError, match="no metadata.yaml"):
        compile_model(str(tmp_path / "w"), [], "auto", 320, tmp_path / "n", tmp_path / "s", tmp_path / "w")


def test_formats_agree_and_repeat(
    model: Path, compiled_demo: Path, images: list[Path], alone: list[Detections], tmp_path: Path
) -> None:
    first = alone
    assert [d.image.name for d in first] == ["000001000.jpg", "000002000.jpg", "000003000.jpg"]
    assert sorted(first[0].classes) == ["car", "dog", "person"] and first[1].classes == []
    assert first == detect_alone(model, images, ASK, tmp_path / "w", threads=2)
    native = detect_alone(compiled_demo / "native", images, ASK, tmp_path / "w", threads=2)
    assert [sorted(d.classes) for d in native] == [sorted(d.classes) for d in first]
    for a, b in zip(first[0].boxes_xyxy_px, native[0].boxes_xyxy_px, strict=True):
        assert max(abs(x - y) for x, y in zip(a, b, strict=True)) < 2
    assert list(detect_images(model, [], ASK, RuntimeOptions(1, tmp_path / "w", warm=False))) == []


def test_the_filter_gives_every_candidate_a_row_with_its_reason(
    model: Path, frames: Path, alone: list[Detections], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.detection.filter_frames.detect_images", lambda *asked: alone)
    filter_frames(frames, model, tmp_path / "out", ASK, 2, 0, RuntimeOptions(1, tmp_path / "w", warm=False))
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
    filter_frames(frames, model, tmp_path / "more", ASK, 2, 0.3, RuntimeOptions(1, tmp_path / "w", warm=False))
    more = {row["frame"]: row for row in read_rows(tmp_path / "more/filter.parquet")}
    (chosen,) = [row for row in more.values() if row["background"]]
    assert chosen["passed"] and chosen["reason"] == "" and chosen["classes"] == []
    assert {p.name for p in (tmp_path / "more").glob("*.jpg")} == {"000001000.jpg", chosen["frame"]}
    assert more["000000000.jpg"] == torn and more["000001000.jpg"] == seen


def test_unknown_classes_are_refused_with_the_models_own_list() -> None:
    with pytest.raises(UserError, match=r"filter.classes: m.pt has no class 'cat'; allowed: car, person, dog"):
        check_classes(["car", "cat"], ["car", "person", "dog"], "filter.classes", "m.pt")
    check_classes([], ["car"], "k", "m")


@pytest.mark.skipif(not REAL.exists(), reason="no real videos beside the checkout")
@pytest.mark.parametrize(("name", "at_least"), [("bottle-detection.mp4", 0.1), ("car-detection.mp4", 0.15)])
def test_skipping_repeated_pictures_of_a_fixed_camera_loses_no_class(
    tmp_path: Path, name: str, at_least: float
) -> None:
    video, work = REAL / "videos" / name, tmp_path / "work"
    rows = extract(video, tmp_path, interval_s=0.2)
    distinct = extract(video, tmp_path / "distinct", interval_s=0.2, similar_bits=DEFAULTS["similar_bits"])
    kept = {row["frame"] for row in distinct if row["keep"]}
    assert at_least <= 1 - len(kept) / len(rows) <= 0.3
    weights = str(REAL / "model/yolo11n_int8_openvino_model")
    compile_model(weights, [""], "auto", 640, tmp_path / "model", tmp_path / "settings", work)
    images = [tmp_path / "out" / row["frame"] for row in rows]
    query = Inference(confidence=0.35, iou=0.7, imgsz_px=640, classes=())
    shown = {d.image.name: set(d.classes) for d in detect_alone(tmp_path / "model", images, query, work, threads=2)}
    classes = set().union(*shown.values())
    assert len(classes) >= 3 and classes == set().union(*(shown[frame] for frame in kept))
