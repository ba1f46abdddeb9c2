"""Export labelled frames as a dataset: images by split, labels in each format, ledger, card and attribution."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import link_file, write_text
from scripts.core.layout import AUDIT, LEDGER_TABLE, RESULTS, filter_table
from scripts.core.row_types import CopyRow, DetectionRow, ImageRow, LedgerRow
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
from scripts.dataset.ledger import build_ledger, check_totals
from scripts.dataset.manifest import publish
from scripts.dataset.splits import Splitting, plan_splits
from scripts.detection.backgrounds import drop_backgrounds
from scripts.inputs.gathered import Gathered, Shards, read_gathered
from scripts.inputs.redact import credits_of
from scripts.inputs.videos import SPLITS
from scripts.job.start import start_job
from scripts.model.card import read_model_card

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


Videos = Mapping[str, Mapping[str, Any]]  # rows of the video table, see inputs/published.py

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
    videos: Videos,
    shards: Shards,
    filtered: Mapping[str, Path],
    copies: Path,
    out: Path,
    models: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> None:
    """Write the dataset into `out`.

    `videos` holds, per video, its url, split (empty: chosen here), start_s, end_s, the user's own columns and the
    settings of its images; `shards` the folders of what was gathered; `filtered` the folder of the filter of each
    video; `models` the cards of both models; `settings` the published part of the configuration.
    """
    videos, gathered = dict(sorted(videos.items())), read_gathered(shards.videos)  # for any order of the table
    chosen, max_distance_bits = settings["dataset"], settings["dedup"]["max_distance_bits"]
    copy_rows: list[CopyRow] = read_rows(copies)
    splitting = Splitting(chosen["splits"], chosen["seed"], chosen["split_by"])
    plan = plan_splits(videos, channels_of(videos, gathered), copy_rows, splitting)
    ledger = build_ledger(shards.filter_tables(), copy_rows, max_distance_bits)
    check_totals(ledger, copy_rows, shards, videos)
    images = take_images(ledger, shards.label_tables(), plan.splits, chosen["negatives_share"], chosen["seed"])
    all_images = [row for rows in images.values() for row in rows]
    credits = credit_rows(videos, gathered, {row["video"] for row in all_images})
    licences = {row["video"]: row["license"] for row in credits}
    dataset = Dataset(out, settings["detect"]["classes"] or models["detect"]["names"], images, licences)
    _link_images(images, filtered, out)
    for form in chosen["formats"]:
        FORMATS[form](dataset)
    if "parquet" in chosen["formats"]:
        write_croissant(dataset, sorted(set(licences.values()) - {""}))
    write_table(out / LEDGER_TABLE, ledger, LEDGER)
    publish(out, all_images, videos, gathered, shards.filter_tables(), dataset.classes)
    write_text(out / "ATTRIBUTION.tsv", tsv_text(ATTRIBUTION, credits))
    write_text(out / "README.md", render_card(TEMPLATE, dataset, chosen["formats"], credits, models, settings))
    hashes = {f"{row['video']}/{row['frame']}": int(row["hash"], 16) for row in copy_rows}
    audited = audit(plan, all_images, hashes, dataset.classes, max_distance_bits)
    audited["absent_classes"] = absent_classes(settings["detect"]["classes"], all_images)
    write_audit(out / AUDIT, audited)


def _link_images(images: Mapping[str, list[ImageRow]], filtered: Mapping[str, Path], out: Path) -> None:
    for split, rows in images.items():
        (out / "images" / split).mkdir(parents=True, exist_ok=True)  # empty splits too
        for row in rows:
            link_file(filtered[row["video"]] / row["frame"], out / row["file"])


def channels_of(videos: Videos, gathered: Mapping[str, Gathered]) -> dict[str, str]:
    """Return the channel of each video; empty if it is unknown."""
    return {video: credits_of(gathered[video]["record"], row["extra"])["channel"] for video, row in videos.items()}


def take_images(
    ledger: list[LedgerRow],
    label_tables: Iterable[Path],
    splits: Mapping[str, str],
    negatives_share: float,
    seed: int,
) -> dict[str, list[ImageRow]]:
    """Return the images by split, and write their files, or why they were dropped, into the ledger's rows."""
    labels: dict[tuple[str, str], DetectionRow] = {
        (row["video"], row["frame"]): row for table in label_tables for row in read_rows(table)
    }
    entries = [entry for entry in ledger if entry["stage"] == "export_dataset"]
    images: dict[str, list[ImageRow]] = {}
    for split in SPLITS:
        of_split = {(e["video"], e["frame"]): e for e in entries if splits[e["video"]] == split}
        labelled: list[Any] = [labels[key] for key in of_split]
        dropped = drop_backgrounds(labelled, negatives_share, seed)
        for (video, frame), entry in of_split.items():
            if fate := dropped.get((video, frame)):
                entry["reason"], entry["value"], entry["threshold"] = fate["reason"], fate["value"], fate["threshold"]
            else:
                entry["split"], entry["file"] = split, f"images/{split}/{video}__{Path(frame).stem}.jpg"
        images[split] = [{**labels[key], **entry} for key, entry in of_split.items() if entry["file"]]
    return images


def credit_rows(videos: Videos, gathered: Mapping[str, Gathered], used: set[str]) -> list[dict[str, str]]:
    """Return the rows of ATTRIBUTION.tsv: maker, licence and URL of each video with images."""
    rows = []
    for video in [v for v in videos if v in used]:
        record = gathered[video]["record"]
        rows.append(credits_of(record, videos[video]["extra"]) | {"video": video, "url": record["url"]})
    return rows


if __name__ == "__main__":
    start_job(snakemake.log[0])
    given, params = snakemake.input, snakemake.params
    shards = Shards.of(given.shards, given.detections)
    filtered = {video: filter_table(RESULTS, video).parent for video in params.videos}
    models = {"filter": read_model_card(Path(given.filter_model)), "detect": read_model_card(Path(given.detect_model))}
    out = Path(snakemake.output.dataset)
    export_dataset(params.videos, shards, filtered, Path(given.copies), out, models, params.settings)
