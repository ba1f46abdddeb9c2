"""The names of what a run writes are those in the rules."""

import re
from pathlib import Path

import pytest

from scripts.core import layout
from tests.conftest import REPO

RULES = "".join(path.read_text() for path in sorted((REPO / "rules").glob("*.smk")))
OUTPUTS = re.findall(r"output:\n(.*?)\n    [a-z]+:", RULES, re.DOTALL)
PER_VIDEO = (
    layout.record_path, layout.media_folder, layout.frames_table, layout.filter_table, layout.hashes_table,
    layout.detections_table,
)  # fmt: skip
ONE = (layout.kept_path, layout.copies_path, layout.dataset_folder, layout.registry_path, layout.report_path)


@pytest.mark.parametrize(
    "path",
    [*(of(layout.RESULTS, "{video}") for of in PER_VIDEO), *(of(layout.RESULTS) for of in ONE)],
    ids=str,
)
def test_a_rule_makes_it_or_the_folder_that_holds_it(path: Path) -> None:
    made = re.findall(r'"([^"]+)"', "".join(OUTPUTS))
    assert str(path) in made or (str(path.parent) in made and path.parent.name == "{video}")


def test_stages_are_the_rules_of_a_run_in_their_order() -> None:
    on_demand = {"expand_sources", "purge_excluded", "verify", "retake_frames", "rehydrate"}
    assert set(re.findall(r"^(?:rule|checkpoint) (\w+):", RULES, re.MULTILINE)) == {*layout.STAGES, *on_demand}
    assert layout.STAGES[: len(layout.DATASET_STAGES)] == layout.DATASET_STAGES
