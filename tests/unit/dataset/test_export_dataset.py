"""Every candidate has one fate, and the summary names what failed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.dataset.export_dataset import FORMATS
from scripts.dataset.ledger import fate
from scripts.report.report import registry_tsv
from scripts.run.summary import summary
from tests.conftest import REPO


def test_each_format_of_the_schema_has_its_writer() -> None:
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["dataset"]["properties"]["formats"]["items"]["enum"] == list(FORMATS)


CANDIDATE = {
    "video": "v",
    "frame": "f",
    "pts_s": 0.0,
    "keep": True,
    "passed": True,
    "reason": "",
    "value": None,
    "threshold": None,
}


@pytest.mark.parametrize(
    ("row", "verdict", "stage", "value"),
    [
        (
            {"keep": False, "passed": False, "reason": "dark", "value": 3.0, "threshold": 9.0},
            None,
            "extract_frames",
            3.0,
        ),
        ({"passed": False, "reason": "too_few_objects", "value": 0.0, "threshold": 1.0}, None, "filter_frames", 0.0),
        ({}, {"keep": False, "representative": "w/g", "distance_bits": 3}, "deduplicate", 3),
        ({}, {"keep": True, "representative": "v/f", "distance_bits": 0}, "export_dataset", None),
    ],
)
def test_every_candidate_has_one_fate(
    row: dict[str, Any], verdict: dict[str, Any] | None, stage: str, value: float | None
) -> None:
    entry = fate(CANDIDATE | row, verdict, 8)
    assert (entry["stage"], entry["value"]) == (stage, value)


def test_a_passed_frame_without_verdict_is_an_error() -> None:
    with pytest.raises(KeyError, match="v/f passed the filter but is not in the manifest"):
        fate(CANDIDATE, None, 8)


def test_registry_and_summary_name_what_failed(tmp_path: Path) -> None:
    rows = [
        {
            "video": "a",
            "status": "ok",
            "split": "train",
            "message": "the last frame is at 1 s of 9 s",
            "frames": 3,
            "looked_at": 3,
            "passed": 2,
            "kept": 1,
            "exported": 1,
            "objects": 4,
            "place": "Lyon",
        },
        {"video": "b", "status": "unavailable", "message": "HTTP\tError\n404", "frames": 0, "place": "x"},
    ]
    registry = tmp_path / "registry.tsv"
    registry.write_text(registry_tsv(rows))
    lines = registry.read_text().splitlines()
    assert len(lines) == 3 and lines[0].endswith("\tplace")
    text = summary(registry, tmp_path / "report.html", ["no image in val", "no image in test"])
    assert "1 of 2 videos ok" in text and "b: unavailable: HTTP Error 404" in text
    assert "a: the last frame is at 1 s of 9 s" in text and "splits: 1 train, 0 val, 0 test" in text
    assert "  look at the splits (report, section Splits): no image in val; no image in test\n" in text
    registry.write_text(registry_tsv([rows[0], *([rows[1]] * 25)]))
    many = summary(registry, tmp_path / "report.html")
    assert "and 5 more, in" in many and "look at the splits" not in many
    assert "3 extracted, 3 looked at, 2 passed the filter, 1 unique, 1 in the dataset with 4 objects" in text
