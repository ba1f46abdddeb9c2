"""Turn kept and labelled frames into a dataset: images by split, labels in each format, ledger, card, attribution."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import link_file, read_json, write_text
from scripts.core.layout import AUDIT, LEDGER_TABLE
from scripts.core.schemas import LEDGER
from scripts.core.tables import read_rows, write_table
from scripts.core.tsv import tsv_text
from scripts.dataset.audit import absent_classes, audit, write_audit
from scripts.dataset.dataset_card import render_card
from scripts.dataset.formats.coco import write_coco
from scripts.dataset.formats.imagefolder import write_imagefolder
from scripts.dataset.formats.images import Dataset
from scripts.dataset.formats.parquet import write_croissant, write_parquet
from scripts.dataset.formats.webdataset import write_shards
from scripts.dataset.formats.yolo import write_yolo
from scripts.dataset.ledger import check_totals, judge_candidates
from scripts.dataset.manifest import publish
from scripts.dataset.splits import Splitting, plan_splits
from scripts.detection.backgrounds import drop_backgrounds
from scripts.inputs.redact import credits_of
from scripts.inputs.videos import SPLITS, stage_outputs
from scripts.job.start import start_job
from scripts.model.card import read_model_card

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


ATTRIBUTION = ("video", "title", "uploader", "channel", "license", "upload_date", "url")
TEMPLATE = Path(__file__).with_name("dataset_card.md.jinja")
FORMATS: dict[str, Callable[[Dataset], None]] = {
    "yolo": write_yolo,
    "coco": write_coco,
    "parquet": write_parquet,
    "webdataset": write_shards,
    "imagefolder": write_imagefolder,
}


def export_dataset(
    videos: dict[str, dict[str, Any]],
    folders: dict[str, dict[str, Path]],
    copies: Path,
    out: Path,
    models: dict[str, dict[str, Any]],
    settings: dict[str, Any],
) -> None:
    """Write the dataset into `out`.

    `videos` holds per video its url, split (empty: chosen here), start_s, end_s, the user's own columns and the
    settings of its pictures; `folders` the download and filtered folder and the detections table of each; `models` the
    cards of both models; `settings` what the dataset's own card tells of the configuration.
    """
    videos, folders = dict(sorted(videos.items())), dict(sorted(folders.items()))  # whatever the order of the table
    chosen, max_distance_bits = settings["dataset"], settings["dedup"]["max_distance_bits"]
    verdicts = read_rows(copies)
    splitting = Splitting(chosen["splits"], chosen["seed"], chosen["split_by"])
    plan = plan_splits(videos, channels_of(videos, folders), verdicts, splitting)
    ledger = judge_candidates(folders, verdicts, max_distance_bits)
    check_totals(ledger, verdicts, folders)
    images = take_images(ledger, folders, plan.splits, chosen["negatives_share"], chosen["seed"])
    dataset = Dataset(out, settings["detect"]["classes"] or models["detect"]["names"], images)
    _link_images(images, folders, out)
    for form in chosen["formats"]:
        FORMATS[form](dataset)
    taken = [row for rows in images.values() for row in rows]
    credits = credit_rows(videos, folders, {row["video"] for row in taken})
    if "parquet" in chosen["formats"]:
        write_croissant(dataset, sorted({row["license"] for row in credits} - {""}))
    write_table(out / LEDGER_TABLE, ledger, LEDGER)
    publish(out, taken, videos, folders, dataset.classes)
    write_text(out / "ATTRIBUTION.tsv", tsv_text(ATTRIBUTION, credits))
    write_text(out / "README.md", render_card(TEMPLATE, dataset, chosen["formats"], credits, models, settings))
    hashes = {f"{row['video']}/{row['frame']}": int(row["hash"], 16) for row in verdicts}
    audited = audit(plan, taken, hashes, dataset.classes, max_distance_bits)
    absent = absent_classes(settings["detect"]["classes"], taken)
    write_audit(out / AUDIT, audited | {"absent_classes": absent})


def _link_images(images: dict[str, list[dict[str, Any]]], folders: dict[str, dict[str, Path]], out: Path) -> None:
    for split, rows in images.items():
        (out / "images" / split).mkdir(parents=True, exist_ok=True)  # empty splits too
        for row in rows:
            link_file(folders[row["video"]]["filtered"] / row["frame"], out / row["file"])


def channels_of(videos: dict[str, dict[str, Any]], folders: dict[str, dict[str, Path]]) -> dict[str, str]:
    """Return the channel of each video; empty if nobody named one."""
    records = {video: read_json(folders[video]["record"]) for video in videos}
    return {video: credits_of(records[video], row["extra"])["channel"] for video, row in videos.items()}


def take_images(
    ledger: list[dict[str, Any]],
    folders: dict[str, dict[str, Path]],
    splits: dict[str, str],
    negatives_share: float,
    seed: int,
) -> dict[str, list[dict[str, Any]]]:
    """Return the dataset's labelled images by split, and enter into the ledger their files, or why they are dropped."""
    labels = {(r["video"], r["frame"]): r for paths in folders.values() for r in read_rows(paths["detections"])}
    entries = [entry for entry in ledger if entry["stage"] == "export_dataset"]
    images: dict[str, list[dict[str, Any]]] = {}
    for split in SPLITS:
        of_split = {(e["video"], e["frame"]): e for e in entries if splits[e["video"]] == split}
        dropped = drop_backgrounds([labels[key] for key in of_split], negatives_share, seed)
        for (video, frame), entry in of_split.items():
            file = f"images/{split}/{video}__{Path(frame).stem}.jpg"
            entry |= dropped.get((video, frame), {"split": split, "file": file})
        images[split] = [labels[key] | entry for key, entry in of_split.items() if entry["file"]]
    return images


def credit_rows(
    videos: dict[str, dict[str, Any]], folders: dict[str, dict[str, Path]], used: set[str]
) -> list[dict[str, str]]:
    """Return who made each of the videos that images came from, and under which licence."""
    rows = []
    for video in [v for v in videos if v in used]:
        record = read_json(folders[video]["record"])
        rows.append(credits_of(record, videos[video]["extra"]) | {"video": video, "url": record["url"]})
    return rows


if __name__ == "__main__":
    start_job(snakemake.log[0])
    export_dataset(
        videos=snakemake.params.videos,
        folders=stage_outputs(
            snakemake.params.videos,
            record=snakemake.input.records,
            filtered=snakemake.input.filtered,
            detections=snakemake.input.detections,
        ),
        copies=Path(snakemake.input.copies),
        out=Path(snakemake.output.dataset),
        models={role: read_model_card(Path(snakemake.input[f"{role}_model"])) for role in ("filter", "detect")},
        settings=snakemake.params.settings,
    )
