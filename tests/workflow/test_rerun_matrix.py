"""What runs again after which change; docs/reruns.md is written from what is seen here.

REELSIEVE_WRITE_DOCS=1 python -m pytest tests/workflow/test_rerun_matrix.py
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._page import collected
from tests._plans import Planner, planner
from tests.conftest import REPO
from tests.workflow._changes import CHANGES, STAGES, Change, copy_checkout, downstream
from tests.workflow.conftest import Outcome, Run

PAGE = REPO / "docs/reruns.md"
HEAD = """# What runs again when

Each row is a change of the finished demo: eight videos, two of which fail, one model for both roles, and
`cleanup_raw_frames: true`, so that whatever asks the filter again has to extract first. The jobs are those that
Snakemake then plans, from another checkout of the same code with newer files (written by
tests/workflow/test_rerun_matrix.py; `make docs` writes it anew). (+) Once copies are found, Snakemake plans anew: then
detection runs for videos whose kept frames changed, and for all if the model or a setting of detection did; what would
read the same bytes as before is left out. What comes out the same when all runs again is in
[the manual](../config/README.md#the-same-bytes).

| change | jobs |
|---|---|
"""
Finished = tuple[Run, Outcome]


@pytest.fixture(scope="module")
def rows() -> Iterator[dict[str, str]]:
    yield from collected(PAGE, HEAD, CHANGES)


@pytest.fixture(scope="module")
def plans() -> Iterator[Planner]:
    with planner() as asked:
        yield asked


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another checkout of the same code, all of whose files are newer than the results."""
    return copy_checkout(REPO, tmp_path_factory.mktemp("elsewhere") / "reelsieve")


def plan_after(change: Change, run: Run, plans: Planner) -> Counter[str]:
    """Return how many jobs of each rule are planned after a change, which is undone in the checkout."""
    scripts = run.checkout / "scripts"
    before = {path: path.read_bytes() for path in scripts.rglob("*") if path.is_file()}
    change.do(run)
    command = ["-s", str(run.checkout / "Snakefile"), "--directory", ".", "-n", *(change.arguments or ("--cores", "2"))]
    code, text = plans.plan(run.folder, command)
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
    assert code == 0, text[-3000:]
    return Outcome(code, text).jobs


def told(jobs: Counter[str]) -> str:
    """Return jobs as the page shows them, in the order of the stages."""
    listed = [f"{rule} {jobs[rule]}" if jobs[rule] > 1 else rule for rule in STAGES if jobs[rule]]
    return ", ".join(listed) + (" (+)" if jobs["deduplicate"] else "") or "none"


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_runs_what_depends_on_it_and_nothing_else(
    finished: Finished, tmp_path: Path, checkout: Path, plans: Planner, name: str, rows: dict[str, str]
) -> None:
    change = CHANGES[name]
    jobs = plan_after(change, Run(finished[0].copy(tmp_path / "run").folder, checkout), plans)
    rows[name] = f"| {name} | {told(jobs)} |"
    fetched_again = {"extract_frames"} if jobs["filter_frames"] else set()  # raw frames are gone
    assert change.first <= set(jobs) <= downstream(set(change.first)) | fetched_again
    if not os.environ.get("REELSIEVE_WRITE_DOCS"):
        assert rows[name] in PAGE.read_text(encoding="utf-8").splitlines(), "if that is right, run: make docs"


def test_the_page_has_a_row_per_change() -> None:
    lines = PAGE.read_text(encoding="utf-8").removeprefix(HEAD).splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == list(CHANGES)
