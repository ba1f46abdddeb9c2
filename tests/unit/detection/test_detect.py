"""Every stage detects objects through one function, in the warm detector or in its own process."""

from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.detection.detect import detect_images
from scripts.model.inference import Inference, RuntimeOptions
from tests._detectors import ASK


def test_no_model_is_loaded_for_a_video_without_frames(tmp_path: Path) -> None:
    assert list(detect_images(tmp_path / "missing", [], ASK, RuntimeOptions(1, tmp_path / "w", warm=False))) == []


def test_unknown_classes_are_refused_before_the_model_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"names": ["car"], "weights": "w.pt", "file": "missing"}')
    query = Inference(confidence=0.4, iou=0.7, imgsz_px=320, classes=("car", "cat"))
    with pytest.raises(UserError, match="classes: w.pt has no class 'cat'; allowed: car"):
        list(detect_images(tmp_path, [tmp_path / "a.jpg"], query, RuntimeOptions(1, tmp_path / "w", warm=False)))
