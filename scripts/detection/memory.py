"""Remember what a model saw in the frames of a video, so that moved thresholds infer nothing again."""

import hashlib
import json
import logging
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.errors import Damaged
from scripts.model.card import ModelCard, read_model_card
from scripts.model.inference import Floor, Inference, Seen
from scripts.model.thresholds import answers, floor_for

if TYPE_CHECKING:
    from scripts.core.row_types import SeenRow

LIBRARIES = ("ultralytics", "torch", "torchvision", "openvino", "opencv-python-headless")


@dataclass
class Memory:
    """What a model saw, by the frame's name, and the file that keeps it.

    `model` stands for the model and the code that runs it. If it is empty, nothing is remembered.
    """

    path: Path
    model: str
    floor: Floor
    rows: dict[str, "SeenRow"] = field(default_factory=dict)

    def add(self, image: Path, sha256: str, seen: Seen | None) -> None:
        """Remember what was seen in an image with this content; None: it cannot be read."""
        if self.model and sha256:
            self.rows[image.name] = {
                "frame": image.name,
                "sha256": sha256,
                "readable": seen is not None,
                "boxes_xyxy_px": seen.boxes_xyxy_px if seen else [],
                "classes": seen.classes if seen else [],
                "confidences": seen.confidences if seen else [],
            }

    def write(self, frames: Collection[str]) -> None:
        """Write what was seen in those of the frames that are remembered."""
        from scripts.core.schemas import SEEN
        from scripts.core.tables import write_table

        rows = [self.rows[name] for name in sorted(set(frames) & set(self.rows))]
        note = json.dumps({"model": self.model, **asdict(self.floor)}, sort_keys=True)
        write_table(self.path, rows, SEEN, note)


def seen_again(image: Path, row: "SeenRow") -> Seen | None:
    """Return what a row remembers of an image; None: it cannot be read."""
    return Seen(image, row["boxes_xyxy_px"], row["classes"], row["confidences"]) if row["readable"] else None


def digest_of_image(path: Path) -> str:
    """Return the sha256 of a file; empty if it cannot be read, which the inference reports."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def name_model(card: ModelCard, engine: str) -> str:
    """Return a name that changes with what a model sees: its file, its libraries, and `engine`, the code's hash.

    It is empty for a model on a server, which may change unnoticed.
    """
    if not card["compiled_sha256"]:
        return ""
    parts = [card["compiled_sha256"], engine, *(f"{name} {_version_of(name)}" for name in LIBRARIES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _version_of(library: str) -> str:
    """Return the version of a library; empty if it is not installed, or under another name."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def read_memory(path: Path, model: Path, engine: str, query: Inference) -> Memory:
    """Return what this compiled model saw, or an empty memory if the file has nothing that answers the query.

    `engine` is the hash of the code that runs models.
    """
    name = name_model(read_model_card(model), engine)
    empty = Memory(path, name, floor_for(query))
    if not name or not path.exists():
        return empty
    from scripts.core.tables import read_note, read_rows

    try:
        note, rows = read_note(path), read_rows(path)
    except Damaged as error:
        logging.info("%s", error)
        return empty
    kept = json.loads(note)
    memory = Memory(path, kept.pop("model"), Floor(**kept), {row["frame"]: row for row in rows})
    return memory if memory.model == name and answers(memory.floor, query) else empty
