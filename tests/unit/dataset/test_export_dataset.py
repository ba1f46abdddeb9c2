"""Each format has a writer, backgrounds are limited, and published tables name each image."""

from pathlib import Path

import yaml

from scripts.core.files import sha256_of
from scripts.core.row_types import LedgerRow, PublishedRow
from scripts.core.tables import read_rows
from scripts.core.tsv import read_tsv
from scripts.dataset.export_dataset import FORMATS
from tests._exported import CLASSES, FRAMES, export, settings
from tests.conftest import REPO


def test_each_format_of_the_schema_has_its_writer() -> None:
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["dataset"]["properties"]["formats"]["items"]["enum"] == list(FORMATS)


def test_surplus_backgrounds_are_in_the_ledger_with_the_reason_and_not_in_the_dataset(tmp_path: Path) -> None:
    dataset = export(tmp_path, settings(negatives_share=0.2, formats=["yolo"]))
    ledger: list[LedgerRow] = read_rows(dataset / "ledger.parquet")
    (dropped,) = [row for row in ledger if not row["file"]]
    assert (dropped["stage"], dropped["split"]) == ("export_dataset", "")
    assert (dropped["reason"], dropped["value"], dropped["threshold"]) == ("surplus_background", 2.0, 1.0)
    files = {row["file"] for row in ledger} - {""}
    assert files == {path.relative_to(dataset).as_posix() for path in dataset.glob("images/*/*.jpg")}
    assert len(files) == sum(len(frames) for _, frames in FRAMES.values()) - 1


def test_published_tables_name_each_image_and_each_video_with_images(tmp_path: Path) -> None:
    dataset = export(tmp_path, settings(formats=["yolo"]), frames=FRAMES | {"empty": ("test", {})})
    rows: list[PublishedRow] = read_rows(dataset / "manifest.parquet")
    assert {row["file"] for row in rows} == {p.relative_to(dataset).as_posix() for p in dataset.glob("images/*/*.jpg")}
    assert all(row["sha256"] == sha256_of(dataset / row["file"]) for row in rows)
    (first, *_) = (row for row in rows if row["video"] == "0.clip.v2")
    assert first["classes"] == CLASSES and first["boxes_xyxy_px"][1] == [50.0, 10.0, 90.0, 60.0]
    videos = {row["video"]: row for row in read_tsv(dataset / "videos.tsv")}
    assert {video: row["split"] for video, row in videos.items()} == {v: split for v, (split, _) in FRAMES.items()}
    assert videos["1st-video"]["url"] == "https://a.b/1st-video" and videos["1st-video"]["start_s"] == ""
    assert {row["hdr"] for row in videos.values()} == {"tonemap"}
