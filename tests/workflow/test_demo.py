"""The whole demo: it ends well, tells what failed, and its dataset is right by the ground truth of its scenes."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from pycocotools.coco import COCO

from scripts.core.tables import read_rows
from tests._forked import TORCH, run_loaded
from tests._run import Finished
from tests.conftest import DEMO

TRUTH: dict[str, Any] = json.loads((DEMO / "truth.json").read_text())


def scene_at(video: str, pts_s: float) -> dict[str, Any]:
    """Return the shot of a demo clip at a time."""
    shot: dict[str, Any] = next(s for s in TRUTH["shots"][video] if s["start_s"] <= pts_s < s["end_s"])
    return shot


def results(finished: Finished) -> Path:
    return finished[0].folder / "results"


def ledger(finished: Finished) -> list[dict[str, Any]]:
    return read_rows(results(finished) / "dataset/ledger.parquet")


def test_ends_well_and_says_what_failed(finished: Finished) -> None:
    run, outcome = finished
    assert outcome.code == 0, outcome.text[-3000:]
    assert "6 of 8 videos ok" in outcome.text
    assert re.search(r"^  broken: invalid_media: .*Invalid data", outcome.text, re.MULTILINE)
    assert re.search(r"^  unreachable: failed: .*resolve", outcome.text, re.MULTILINE)
    assert re.search(r"66 extracted, 46 looked at, \d+ passed the filter, \d+ unique, \d+ in the dataset", outcome.text)
    assert str(run.folder / "results/report.html") in outcome.text


@pytest.mark.public_report(
    "snakemake 1677", saw="a newer Snakemake plans a finished workflow again",
    here="a finished run has nothing to do",
)  # fmt: skip
def test_a_second_run_has_nothing_to_do(finished: Finished, tmp_path: Path) -> None:
    again = finished[0].copy(tmp_path / "run").snakemake()
    assert (again.code, again.nothing_to_do, again.jobs) == (0, True, Counter())
    assert "reelsieve: 6 of 8 videos ok" in again.terminal, "it says again how the run ended"


def test_some_frames_that_the_filter_dropped_are_kept(finished: Finished) -> None:
    page = (results(finished) / "report.html").read_text()
    shown = 0
    for video in TRUTH["shots"]:
        folder = results(finished) / f"filtered/{video}"
        dropped = {r["frame"] for r in read_rows(folder / "filter.parquet") if r["reason"] == "too_few_objects"}
        kept = {path.name for path in (folder / "dropped").glob("*.jpg")}
        assert kept <= dropped and len(kept) == min(3, len(dropped))
        shown += len(kept)
    assert shown and page.count(", dropped by the filter") == shown


def test_the_filter_agrees_with_the_scenes(finished: Finished) -> None:
    right, passed, wanted = 0, 0, 0
    for video in TRUTH["shots"]:
        rows = read_rows(results(finished) / f"filtered/{video}/filter.parquet")
        assert len(rows) >= 8
        for row in (r for r in rows if r["keep"]):
            has_objects = bool(scene_at(video, row["pts_s"])["objects"])
            passed += row["passed"]
            wanted += has_objects
            right += row["passed"] and has_objects
    assert min(passed, wanted) >= 35
    assert right / passed >= 0.95
    assert right / wanted >= 0.95


def test_copies_are_dropped_and_no_scene_is(finished: Finished) -> None:
    rows = ledger(finished)
    for copy, original in TRUTH["copies"].items():
        of_copy = [row for row in rows if row["video"] == copy]
        assert len(of_copy) == 12
        like_the_one_before = [row for row in of_copy if row["reason"] == "similar"]
        assert len(like_the_one_before) <= 6 and {row["value"] for row in like_the_one_before} <= {0.0}
        for row in (r for r in of_copy if r not in like_the_one_before):
            assert row["stage"] == "deduplicate" and row["reason"].startswith(f"duplicate of {original}/"), row
            other_s = int(row["reason"][-13:-4]) / 1000
            assert scene_at(copy, row["pts_s"])["scene"] == scene_at(original, other_s)["scene"], row
    shown = {scene_at(r["video"], r["pts_s"])["scene"] for r in rows if r["file"]}
    with_objects = {shot["scene"] for shots in TRUTH["shots"].values() for shot in shots if shot["objects"]}
    assert len(with_objects) >= 20
    assert shown == with_objects


def test_labels_name_what_is_in_the_scenes(finished: Finished) -> None:
    seen: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for video in TRUTH["shots"]:
        for row in read_rows(results(finished) / f"detections/{video}.parquet"):
            truth = Counter(scene_at(video, int(row["frame"][:9]) / 1000)["objects"])
            wanted += truth
            seen += Counter(row["classes"]) & truth
    assert seen.total() / wanted.total() >= 0.9


@pytest.mark.public_report(
    "visual-layer/fastdup 306", saw="the largest cluster has 171 % of all images",
    here="each frame is counted once, and the totals of the stages agree",
)  # fmt: skip
def test_every_candidate_has_one_fate_and_totals_agree(finished: Finished) -> None:
    rows = ledger(finished)
    assert len({(row["video"], row["frame"]) for row in rows}) == len(rows) == 66
    stages = Counter(row["stage"] for row in rows)
    manifest = read_rows(results(finished) / "dedup/copies.parquet")
    assert stages["deduplicate"] == sum(not row["keep"] for row in manifest)
    assert stages["export_dataset"] == sum(row["keep"] for row in manifest)
    assert stages["extract_frames"] == 20
    assert stages["filter_frames"] == 46 - len(manifest)
    for row in rows:
        assert (row["reason"] == "") == (row["file"] != "") and (not row["file"] or row["stage"] == "export_dataset")
        if row["file"]:
            image = results(finished) / "dataset" / row["file"]
            assert image.samefile(results(finished) / "filtered" / row["video"] / row["frame"])
            assert (image.parents[2] / "labels" / row["split"] / f"{image.stem}.txt").is_file()


@pytest.mark.public_report(
    "geti 7619", saw="frames of one video are in train, val and test, so the scores are too good",
    here="a video is in one split",
)  # fmt: skip
def test_a_video_is_in_one_split_and_the_tables_choice_holds(finished: Finished) -> None:
    splits: dict[str, set[str]] = {}
    for row in ledger(finished):
        if row["split"]:
            splits.setdefault(row["video"], set()).add(row["split"])
    assert splits == {"avenue": {"train"}, "park": {"train"}, "crossing": {"val"}, "night": {"test"}}


def test_splits_are_far_apart_and_the_copy_is_linked_to_its_original(finished: Finished) -> None:
    audit = json.loads((results(finished) / "dataset/audit.json").read_text())
    assert audit["linked"] == [["avenue", "avenue_copy"]]
    assert [pair["pairs_within"] for pair in audit["closest"]] == [0, 0, 0]
    assert audit["naive"]["share"] > 0 and audit["conflicts"] == audit["warnings"] == []
    assert "look at the splits" not in finished[1].text


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_coco_loads(finished: Finished, split: str) -> None:
    coco = COCO(str(results(finished) / f"dataset/annotations/instances_{split}.json"))
    assert len(coco.imgs) >= 4 and len(coco.anns) >= 5
    assert sorted(c["name"] for c in coco.cats.values()) == ["car", "dog", "person"]
    for image in coco.imgs.values():
        assert (results(finished) / "dataset" / image["file_name"]).is_file()
    for annotation in coco.anns.values():
        image = coco.imgs[annotation["image_id"]]
        x, y, wide, high = annotation["bbox"]
        assert x >= 0 and y >= 0 and x + wide <= image["width"] + 0.01 and y + high <= image["height"] + 0.01


def test_ultralytics_validates_on_the_dataset(finished: Finished, tmp_path: Path) -> None:
    code = (
        "import sys; from ultralytics import YOLO\n"
        "r = YOLO(sys.argv[1]).val(data=sys.argv[2], imgsz=320, device='cpu', plots=False, project=sys.argv[3])\n"
        "print('MAP50', r.box.map50)"
    )
    apart = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(tmp_path)}
    dataset = finished[0].copy(tmp_path / "copy").folder / "results/dataset/data.yaml"  # ultralytics writes a cache
    printed = run_loaded(TORCH, code, DEMO / "detector.pt", dataset, tmp_path, environment=apart)
    assert float(printed.split("MAP50")[1]) > 0.95  # the labels are this model's own


def test_registry_and_page_show_every_video(finished: Finished) -> None:
    with (results(finished) / "registry.tsv").open(newline="") as file:
        rows = {row["video"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert list(rows) == [
        "avenue", "park", "crossing", "night", "avenue_copy", "empty", "broken", "unreachable",
    ]  # fmt: skip
    assert rows["park"]["place"] == "park" and rows["broken"]["status"] == "invalid_media"
    assert (rows["empty"]["frames"], rows["empty"]["passed"]) == ("8", "0")
    page = (results(finished) / "report.html").read_text()
    assert all(re.search(rf'<th scope="row">(<a [^>]*>)?{video}<', page) for video in rows)
    copies = json.loads((results(finished) / "dedup/distances.json").read_text())["pairs"]
    assert len(copies["dropped"]) == len(copies["kept"]) == 12
    assert page.count('<figure data-video="') == sum(int(row["exported"]) for row in rows.values())
    assert not re.findall(r'src="(?!data:)', page)
    links = set(re.findall(r'href="(?!#|data:)([^"]*)"', page))  # files beside the page, and the videos' own addresses
    beside = {link for link in links if not link.startswith("https://reelsieve.invalid/")}
    assert beside and all((results(finished) / link).is_file() for link in beside)


def test_raw_frames_are_gone_and_nothing_is_left_half_done(finished: Finished) -> None:
    assert not (results(finished) / "frames").exists() or not any((results(finished) / "frames").iterdir())
    assert not list(finished[0].folder.rglob("*.part"))
    assert yaml.safe_load((results(finished) / "dataset/data.yaml").read_text())["names"] == dict(
        enumerate(["car", "person", "dog"])
    )
    for path in results(finished).rglob("*"):
        if path.suffix in (".json", ".tsv", ".yaml", ".html", ".txt"):
            assert str(finished[0].folder) not in path.read_text(), f"{path} names this machine's folders"
