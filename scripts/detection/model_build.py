"""Build a model in another format, and read the metadata in its file."""

import ast
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.core.errors import UserError
from scripts.core.files import unfinished, write_text
from scripts.detection.model_format import ENGINE, OPENVINO, export_options
from scripts.model.card import Shape, describe_file
from scripts.model.engine import keep_out_telemetry
from scripts.model.load import load_model, plain_path


def build_model(ultralytics: Any, copy: Path, form: str, imgsz_px: int, entry: Path, source: str) -> None:
    """Make the folder `entry` with the model in this format, complete or not at all.

    `copy` is our checked copy of the weights, `source` their name in messages.
    """
    with unfinished(entry.parent) as folder:
        part = folder / copy.name  # ultralytics writes the export beside it, under the same name
        shutil.copyfile(copy, part)
        if part.suffix == ".onnx":
            _convert_onnx(part)
        else:
            known = read_weights(ultralytics, part, source)
            options = export_options(form, imgsz_px) | ({"max_det": most} if (most := known["most_objects"]) else {})
            with plain_path(part) as plain:
                ultralytics.YOLO(str(plain)).export(**options, verbose=False)
            if form == "openvino":
                _finish_metadata(folder / OPENVINO / "metadata.yaml", most)
        for other in folder.iterdir():
            if other.name not in (OPENVINO, ENGINE):
                other.unlink()
        folder.rename(entry)


def read_weights(ultralytics: Any, copy: Path, source: str) -> dict[str, Any]:
    """Return the metadata of .pt weights. Raise UserError if they do not load, or are of another task.

    `copy` is our checked copy of them, `source` their name in messages.
    """
    try:
        model = load_model(ultralytics, copy)
    except Exception as error:  # ultralytics and pickle raise errors of any type on a damaged file
        raise UserError(f"{source} cannot be loaded as ultralytics weights: {type(error).__name__}: {error}") from error
    head = model.model.model[-1] if hasattr(model.model, "model") else None
    known = {"names": model.names, "dynamic": True, "task": model.task}
    describe_file(known, source, copy.name)
    if hasattr(head, "reprta") and not hasattr(head, "lrpc") and not hasattr(model.model, "pe"):
        raise UserError(f"{source} is an open-vocabulary model without classes: set them first, see docs/models.md")
    return known | {"most_objects": getattr(head, "num_queries", None)}


def read_metadata(file: Path) -> dict[str, Any] | None:
    """Return the metadata that ultralytics wrote into the file of an export, or None."""
    from ultralytics.nn.backends.base import BaseBackend

    known: dict[str, Any] | None = BaseBackend.read_metadata(file)
    return known


def read_folder_metadata(folder: Path) -> dict[str, Any]:
    """Return the metadata of an OpenVINO folder, empty if it is damaged. Neither ultralytics nor PyTorch is loaded."""
    try:
        known = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8", errors="replace"))
    except (OSError, yaml.YAMLError):
        return {}
    return known if isinstance(known, dict) else {}


def read_shape(model: Path, source: str) -> Shape:
    """Return what the graph of an ONNX file or OpenVINO folder takes: its metadata may say something else."""
    keep_out_telemetry()
    import openvino

    try:
        file = next(model.glob("*.xml")) if model.is_dir() else model
        graph = openvino.Core().read_model(file)
        (entry,) = graph.inputs
        batch, _, height, width = map(_length, entry.get_partial_shape())
        rows = _length(graph.outputs[0].get_partial_shape()[1])
    except (RuntimeError, StopIteration, ValueError, IndexError) as error:
        raise UserError(f"{source} has no input of images x 3 x height x width: export it again ({error})") from error
    return Shape(batch, height, width, rows)


def _length(side: Any) -> int | None:
    return None if side.is_dynamic else int(side.get_length())


def fit_metadata(folder: Path, shape: Shape) -> None:
    """Make the metadata in our copy of an OpenVINO folder say what its graph takes: ultralytics goes by it."""
    path = folder / "metadata.yaml"
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    arguments = ast.literal_eval(known["args"]) if isinstance(known.get("args"), str) else known.get("args") or {}
    fixed = [shape.height, shape.width] if shape.height and shape.width else None
    fitting = known | {
        "args": arguments | {"dynamic": fixed is None},
        "batch": shape.batch or int(known.get("batch", 1)),
    }
    fitting |= {"imgsz": fixed} if fixed else {}
    if fitting != known:
        write_text(path, yaml.safe_dump(fitting, sort_keys=True))


def suppresses_itself(metadata: Mapping[str, Any]) -> bool:
    """Return whether an export says that it suppresses overlapping boxes itself, so that `iou` has no effect."""
    arguments = metadata.get("args") or {}
    nms = arguments.get("nms") if isinstance(arguments, Mapping) else "'nms': True" in arguments
    return bool(nms) or str(metadata.get("end2end")) == "True" or metadata.get("head") == "RTDETRDecoder"


def _convert_onnx(source: Path) -> None:
    """Write an OpenVINO model beside an ONNX one."""
    import openvino

    metadata = read_metadata(source)
    openvino.save_model(openvino.convert_model(source), source.parent / OPENVINO / "model.xml", compress_to_fp16=False)
    write_text(source.parent / OPENVINO / "metadata.yaml", yaml.safe_dump(metadata))


def _finish_metadata(metadata: Path, most_objects: int | None) -> None:
    """Remove date and description, which would change the bytes each time, and add how many objects the model finds."""
    known = yaml.safe_load(metadata.read_text(encoding="utf-8"))
    kept = {key: value for key, value in known.items() if key not in ("date", "description")}
    kept |= {"most_objects": most_objects} if most_objects else {}
    write_text(metadata, yaml.safe_dump(kept, sort_keys=True))
