"""Load a model file as it is, whatever its path looks like."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COPY = "model"  # the stem of our copy of a model file


@contextmanager
def plain_path(file: Path) -> Iterator[Path]:
    """Yield a path of a file of ours that ultralytics does not change.

    From paths of .pt files it removes apostrophes, and then it looks for another file or downloads one.
    """
    parent = "/tmp" if "'" in tempfile.gettempdir() else None
    with tempfile.TemporaryDirectory(prefix="reelsieve-", dir=parent) as folder:
        link = Path(folder) / "models"
        link.symlink_to(file.parent.absolute())
        yield link / file.name


def load_model(ultralytics: Any, file: Path, task: str | None = None) -> Any:
    """Return ultralytics' model of a file or folder of ours. Weights are unpickled, so check them first.

    The name must be ours: ultralytics takes yolov5s.pt, for example, for yolov5su.pt.
    """
    if file.suffix != ".pt":
        return ultralytics.YOLO(str(file), task=task)  # some formats are read again later, by this path
    if file.stem != COPY:
        raise ValueError(f"{file} is not a copy of ours")
    with plain_path(file) as plain:
        return ultralytics.YOLO(str(plain), task=task)
