"""Check that the ledger and the tables of all stages tell the same story."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.core.layout import FILTER_TABLE
from scripts.core.tables import count_rows, read_rows

Row = dict[str, Any]
STAGES = ("extract_frames", "filter_frames", "deduplicate", "export_dataset")  # one of them decides on each frame


def check_totals(
    ledger: list[dict[str, Any]], verdicts: Iterable[Row], folders: Mapping[str, Mapping[str, Path]]
) -> None:
    """Raise UserError unless each frame has one fate, and each stage's table as many frames as fates say.

    `verdicts` are the rows of the manifest of copies; `folders` holds the filtered folder and the detections of each
    video.
    """
    doubles = [key for key, count in Counter((row["video"], row["frame"]) for row in ledger).items() if count > 1]
    if doubles:
        raise UserError(f"{'/'.join(doubles[0])} has more than one fate: delete {folders[doubles[0][0]]['filtered']}")
    fates = Counter((row["video"], row["stage"]) for row in ledger)
    judged = list(verdicts)
    passed = Counter(row["video"] for row in judged)
    kept = Counter(row["video"] for row in judged if row["keep"])
    if strangers := sorted(set(passed) - set(folders)):
        raise UserError(f"results/dedup names {strangers[0]}, which is not in this run: delete it and run again")
    for video, paths in folders.items():
        of = {stage: fates[video, stage] for stage in STAGES}
        told = {
            FILTER_TABLE: (count_rows(paths["filtered"] / FILTER_TABLE), sum(of.values())),
            "dedup/copies.parquet": (passed[video], of["deduplicate"] + of["export_dataset"]),
            "frames kept in dedup/copies.parquet": (kept[video], of["export_dataset"]),
            "detections": (count_rows(paths["detections"]), of["export_dataset"]),
        }
        for table, (rows, frames) in told.items():
            if rows != frames:
                raise UserError(
                    f"{video}: {rows} rows in {table}, but {frames} frames in the ledger: delete results/dedup,"
                    f" {paths['filtered']} and {paths['detections']}, and run again"
                )


def judge_candidates(
    folders: dict[str, dict[str, Path]], manifest: list[dict[str, Any]], max_distance_bits: int
) -> list[dict[str, Any]]:
    """Return the ledger's entries of all candidates by what the stages before the export decided."""
    verdicts = {f"{row['video']}/{row['frame']}": row for row in manifest}
    return [
        fate(row, verdicts.get(f"{video}/{row['frame']}"), max_distance_bits)
        for video, paths in folders.items()
        for row in read_rows(paths["filtered"] / FILTER_TABLE)
    ]


def fate(row: dict[str, Any], verdict: dict[str, Any] | None, max_distance_bits: int) -> dict[str, Any]:
    """Return the ledger's entry of a candidate: the one stage that decided on it, and why."""
    entry = {key: row[key] for key in ("video", "frame", "pts_s", "reason", "value", "threshold")} | {
        "split": "",
        "file": "",
    }
    if not row["keep"]:
        return entry | {"stage": "extract_frames"}
    if not row["passed"]:
        return entry | {"stage": "filter_frames"}
    if verdict is None:
        raise KeyError(f"{row['video']}/{row['frame']} passed the filter but is not in the manifest")
    if not verdict["keep"]:
        reason = f"duplicate of {verdict['representative']}"
        return entry | {
            "stage": "deduplicate",
            "reason": reason,
            "value": verdict["distance_bits"],
            "threshold": max_distance_bits,
        }
    return entry | {"stage": "export_dataset"}
