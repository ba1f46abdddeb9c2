"""The paths in the code are those in the rules."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.core import layout
from tests.conftest import REPO

RULES = "".join(path.read_text() for path in sorted((REPO / "rules").glob("*.smk")))


@pytest.mark.parametrize(
    "path_of",
    [
        layout.record_path,
        layout.media_folder,
        layout.frames_table,
        layout.filter_table,
        layout.hashes_table,
        layout.detections_table,
    ],
)
def test_paths_of_a_video_are_outputs_of_rules(path_of: Callable[[Path, str], Path]) -> None:
    path = path_of(layout.RESULTS, "{video}")
    stage = path.parent if path.name in (layout.FRAMES_TABLE, layout.FILTER_TABLE, layout.HASHES_TABLE) else path
    assert re.search(rf'output:\n(.*\n)*?.*"{re.escape(str(stage))}"', RULES), path


@pytest.mark.parametrize(
    "path_of",
    [layout.kept_path, layout.copies_path, layout.dataset_folder, layout.registry_path, layout.report_path],
)
def test_paths_of_a_run_are_outputs_of_rules(path_of: Callable[[Path], Path]) -> None:
    assert re.search(rf'output:\n(.*\n)*?.*"{re.escape(str(path_of(layout.RESULTS)))}"', RULES)


def test_stages_are_the_rules_of_a_run_in_their_order() -> None:
    named = re.findall(r"^(?:rule|checkpoint) (\w+):", RULES, re.MULTILINE)
    assert set(layout.STAGES) < set(named) and len(set(layout.STAGES)) == len(layout.STAGES)
    assert layout.STAGES[: len(layout.DATASET_STAGES)] == layout.DATASET_STAGES
