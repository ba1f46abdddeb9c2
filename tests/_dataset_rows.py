"""Rows of tables, with default cells that tests need not name."""

from typing import Any, cast

from scripts.core.row_types import CopyRow, FilterRow, ImageRow, LedgerRow


def copy_row(frame: str, representative: str = "", **changes: Any) -> CopyRow:
    """Return a row of copies.parquet; frames are named video/frame. Without a representative, the frame is kept."""
    video, name = frame.rsplit("/", 1)
    kept = representative or frame
    row: dict[str, Any] = {
        "video": video, "frame": name, "group": kept, "keep": kept == frame, "representative": kept,
        "distance_bits": 0, "role": "", "near_misses": [], "score": 0.0, "hash": "0" * 16,
    }  # fmt: skip
    return cast(CopyRow, row | changes)


def filter_row(frame: str = "v/f", **changes: Any) -> FilterRow:
    """Return a row of filter.parquet of a frame that passed; it is named video/frame."""
    video, name = frame.rsplit("/", 1)
    row: dict[str, Any] = {
        "video": video, "frame": name, "pts_s": 0.0, "width": 8, "height": 8, "keep": True, "passed": True,
        "background": False, "reason": "", "value": None, "threshold": None,
        "boxes_xyxy_px": [], "classes": [], "confidences": [],
    }  # fmt: skip
    return cast(FilterRow, row | changes)


def ledger_row_of(video: str, frame: str, stage: str) -> LedgerRow:
    """Return a row of the ledger."""
    return {
        "video": video, "frame": frame, "pts_s": 0.0, "stage": stage, "reason": "", "value": None, "threshold": None,
        "split": "", "file": "",
    }  # fmt: skip


def image_row(frame: str, classes: list[str], **changes: Any) -> ImageRow:
    """Return an image of the dataset with objects of these classes; its frame is named video/frame."""
    video, name = frame.rsplit("/", 1)
    row: dict[str, Any] = {
        **ledger_row_of(video, name, "export_dataset"), "split": "train", "file": f"images/train/{video}__{name}",
        "width": 200, "height": 100, "boxes_xyxy_px": [[20.0, 10.0, 60.0, 50.0]] * len(classes), "classes": classes,
        "confidences": [0.91234] * len(classes),
    }  # fmt: skip
    return cast(ImageRow, row | changes)
