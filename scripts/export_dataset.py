"""Turn kept and labelled frames into a dataset: images by split, YOLO labels, COCO JSON, ledger, attribution."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from scripts._audit import audit, write_audit
from scripts._files import link_file, write_json, write_text
from scripts._leaks import passed_hashes
from scripts._log import log_to
from scripts._publish import credits_of
from scripts._splits import Splitting, plan_splits
from scripts._tables import LEDGER, read_rows, write_table
from scripts._videos import SPLITS, stage_outputs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

ATTRIBUTION = ("video", "title", "uploader", "channel", "license", "upload_date", "url")


def export_dataset(
    videos: dict[str, dict[str, Any]],
    folders: dict[str, dict[str, Path]],
    manifest: Path,
    out: Path,
    classes: list[str],
    splitting: Splitting,
    max_distance_bits: int,
) -> None:
    """Write the dataset into `out`.

    `videos` holds url, split (empty: chosen here) and the user's own columns per video; `folders` the download and
    filtered folder and the detections table of each.
    """
    verdicts = read_rows(manifest)
    plan = plan_splits(videos, channels_of(videos, folders), verdicts, splitting)
    for folder in (out / kind / split for kind in ("images", "labels") for split in SPLITS):
        folder.mkdir(parents=True, exist_ok=True)  # empty splits too
    fates = {f"{row['video']}/{row['frame']}": row for row in verdicts}
    ledger: list[dict[str, Any]] = []
    exported: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
    for video, paths in folders.items():
        labelled = {row["frame"]: row for row in read_rows(paths["detections"])}
        for row in read_rows(paths["filtered"] / "filter.parquet"):
            entry = fate(row, fates.get(f"{video}/{row['frame']}"), max_distance_bits)
            if entry["stage"] == "export_dataset":
                name, split = f"{video}__{Path(row['frame']).stem}", plan.splits[video]
                entry |= {"split": split, "file": f"images/{split}/{name}.jpg"}
                export_frame(paths["filtered"] / row["frame"], labelled[row["frame"]], out, split, name, classes)
                exported[split].append(labelled[row["frame"]] | entry)
            ledger.append(entry)
    write_table(out / "ledger.parquet", ledger, LEDGER)
    for split, rows in exported.items():
        write_json(out / "annotations" / f"instances_{split}.json", coco(rows, classes))
    write_text(out / "data.yaml", data_yaml(classes))
    write_text(out / "ATTRIBUTION.tsv", attribution(videos, folders, exported))
    hashes = passed_hashes(paths["filtered"] / "filter.parquet" for paths in folders.values())
    images = [row for rows in exported.values() for row in rows]
    write_audit(out / "audit.json", audit(plan, images, hashes, classes, max_distance_bits))


def channels_of(videos: dict[str, dict[str, Any]], folders: dict[str, dict[str, Path]]) -> dict[str, str]:
    """Return the channel of each video; empty if nobody named one."""
    records = {video: json.loads(folders[video]["record"].read_text(encoding="utf-8")) for video in videos}
    return {video: credits_of(records[video], row["extra"])["channel"] for video, row in videos.items()}


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


def export_frame(image: Path, row: dict[str, Any], out: Path, split: str, name: str, classes: list[str]) -> None:
    """Link one image into the dataset and write its YOLO labels (class, centre, size; shares of the picture)."""
    link_file(image, out / "images" / split / f"{name}.jpg")
    lines = []
    for (x1, y1, x2, y2), label in zip(row["boxes_xyxy_px"], row["classes"], strict=True):
        shares = (
            (x1 + x2) / 2 / row["width"],
            (y1 + y2) / 2 / row["height"],
            (x2 - x1) / row["width"],
            (y2 - y1) / row["height"],
        )
        lines.append(" ".join([str(classes.index(label)), *(f"{share:.6f}" for share in shares)]) + "\n")
    write_text(out / "labels" / split / f"{name}.txt", "".join(lines))


def coco(rows: list[dict[str, Any]], classes: list[str]) -> dict[str, Any]:
    """Return a COCO instances document; ids count from 1, file names are relative to the dataset's folder."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, row in enumerate(rows, 1):
        images.append(
            {
                "id": image_id,
                "file_name": row["file"],
                "width": row["width"],
                "height": row["height"],
                "video": row["video"],
                "pts_s": row["pts_s"],
            }
        )
        for (x1, y1, x2, y2), label, score in zip(
            row["boxes_xyxy_px"], row["classes"], row["confidences"], strict=True
        ):
            wide, high = round(x2 - x1, 2), round(y2 - y1, 2)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": classes.index(label) + 1,
                    "bbox": [round(x1, 2), round(y1, 2), wide, high],
                    "area": round(wide * high, 2),
                    "iscrowd": 0,
                    "score": round(score, 4),
                }
            )
    categories = [{"id": i, "name": name} for i, name in enumerate(classes, 1)]
    return {
        "info": {"description": "Made by reelsieve"},
        "licenses": [],
        "categories": categories,
        "images": images,
        "annotations": annotations,
    }


def data_yaml(classes: list[str]) -> str:
    """Return ultralytics' description of the dataset; without `path` it is looked up beside the file."""
    return yaml.safe_dump(
        {**{s: f"images/{s}" for s in SPLITS}, "names": dict(enumerate(classes))}, sort_keys=False, allow_unicode=True
    )


def attribution(
    videos: dict[str, dict[str, Any]], folders: dict[str, dict[str, Path]], exported: dict[str, list[dict[str, Any]]]
) -> str:
    """Return a TSV of who made the videos that images came from, and under which licence."""
    used = {row["video"] for rows in exported.values() for row in rows}
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(ATTRIBUTION)
    for video in [v for v in videos if v in used]:
        record = json.loads((folders[video]["record"]).read_text(encoding="utf-8"))
        facts = credits_of(record, videos[video]["extra"]) | {"video": video, "url": record["url"]}
        writer.writerow([facts[column] for column in ATTRIBUTION])
    return text.getvalue()


def class_names(wanted: list[str], model: Path) -> list[str]:
    """Return the classes of the dataset: those asked for, else all of the model's."""
    names: list[str] = json.loads((model / "model.json").read_text(encoding="utf-8"))["names"]
    return wanted or names


if __name__ == "__main__":
    log_to(snakemake.log[0])
    export_dataset(
        videos=snakemake.params.videos,
        folders=stage_outputs(
            snakemake.params.videos,
            record=snakemake.input.records,
            filtered=snakemake.input.filtered,
            detections=snakemake.input.detections,
        ),
        manifest=Path(snakemake.input.manifest),
        out=Path(snakemake.output.dataset),
        classes=class_names(snakemake.params.classes, Path(snakemake.input.model)),
        splitting=Splitting(**snakemake.params.splitting),
        max_distance_bits=snakemake.params.max_distance_bits,
    )
