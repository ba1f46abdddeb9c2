"""Build a model in another format, and read the metadata in its file."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from scripts.core.errors import UserError
from scripts.core.files import unfinished, write_text
from scripts.detection.model_format import ENGINE, OPENVINO, export_options


def build_model(ultralytics: Any, source: Path, form: str, imgsz_px: int, entry: Path) -> None:
    """Make the folder `entry` with the model in this format, complete or not at all."""
    with unfinished(entry.parent) as folder:
        copy = folder / f"model{source.suffix}"  # ultralytics writes the export beside it, under the same name
        shutil.copyfile(source, copy)
        if copy.suffix == ".onnx":
            _convert_onnx(copy)
        else:
            read_weights(ultralytics, copy, str(source))
            ultralytics.YOLO(str(copy), task="detect").export(**export_options(form, imgsz_px), verbose=False)
        for other in folder.iterdir():
            if other.name not in (OPENVINO, ENGINE):
                other.unlink()
        if form == "openvino":
            _remove_clock_and_paths(folder / OPENVINO / "metadata.yaml")
        folder.rename(entry)


def read_weights(ultralytics: Any, weights: Path, shown_as: str = "") -> dict[str, Any]:
    """Return the metadata of .pt weights. Raise UserError if they do not load, or are of another task.

    `shown_as` is their name in messages.
    """
    name = shown_as or str(weights)
    try:
        model = ultralytics.YOLO(str(weights), task="detect")
    except Exception as error:  # ultralytics and pickle raise errors of any type on a damaged file
        raise UserError(f"{name} cannot be loaded as ultralytics weights: {type(error).__name__}: {error}") from error
    if model.task != "detect":
        raise UserError(f"{name} is a model for '{model.task}'; allowed: a detection model")
    return {"names": dict(model.names), "dynamic": True}


def read_metadata(file: Path) -> dict[str, Any] | None:
    """Return the metadata that ultralytics wrote into an export, or None."""
    from ultralytics.nn.backends.base import BaseBackend

    known: dict[str, Any] | None = BaseBackend.read_metadata(file)
    return known


def _convert_onnx(source: Path) -> None:
    """Write an OpenVINO model beside an ONNX one."""
    import openvino

    metadata = read_metadata(source)
    openvino.save_model(openvino.convert_model(source), source.parent / OPENVINO / "model.xml", compress_to_fp16=False)
    write_text(source.parent / OPENVINO / "metadata.yaml", yaml.safe_dump(metadata))


def _remove_clock_and_paths(metadata: Path) -> None:
    """Remove date and description from an export's metadata: they would change its bytes each time."""
    known = yaml.safe_load(metadata.read_text(encoding="utf-8"))
    kept = {key: value for key, value in known.items() if key not in ("date", "description")}
    write_text(metadata, yaml.safe_dump(kept, sort_keys=True))
