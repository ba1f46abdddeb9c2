"""A change runs the jobs on docs/reruns.md again. To write that page, run this.

REELSIEVE_WRITE_DOCS=1 python -m pytest tests/workflow/test_rerun_matrix.py
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._page import collected, page_text, read_outcomes, rest_of
from tests._run import Finished, Outcome, Run, run_snakemake
from tests.conftest import REPO
from tests.workflow._changes import CHANGES, STAGES, Change, copy_checkout, downstream

PAGE = REPO / "docs/reruns.md"
# How the page names jobs that run together
GROUPS = {
    "export": "export_dataset, record_provenance, report",
    "the dataset": "gather_videos, deduplicate, gather_detections, export",
}
HEAD = """# What runs again after a change

Each row lists changes to the finished demo and the jobs that Snakemake then plans, from another checkout of the same
code with newer files. 8 means one job per video. Two of the demo's eight videos fail, and both roles have one model.
`cleanup_raw_frames: true` has removed raw frames, so a new filter job needs extraction again. Filter and detection
infer only frames that the model has not seen yet. Written by tests/workflow/test_rerun_matrix.py (`make docs`).

"Export": export_dataset, record_provenance, report. "The dataset": gather_videos, deduplicate, gather_detections,
export.

(+) Snakemake plans again after deduplication. Detection then runs for videos whose kept frames changed, and for all
videos if the final model or its settings changed. Jobs whose inputs have the same bytes as before are skipped.

| changes | jobs |
|---|---|
"""


@pytest.fixture(scope="module")
def rows() -> Iterator[dict[str, str]]:
    yield from collected(PAGE, HEAD, CHANGES)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another checkout of the same code; all its files are newer than the results."""
    return copy_checkout(REPO, tmp_path_factory.mktemp("elsewhere") / "reelsieve")


def plan_after(change: Change, run: Run) -> Counter[str]:
    """Return the planned jobs per rule after a change; the change is undone in the checkout."""
    scripts = run.checkout / "scripts"
    before = {path: path.read_bytes() for path in scripts.rglob("*") if path.is_file()}
    change.do(run)
    command = ["-s", str(run.checkout / "Snakefile"), "--directory", ".", "-n", *(change.arguments or ("--cores", "2"))]
    done = run_snakemake(command, run.folder)
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
    assert done.returncode == 0, done.stderr[-3000:]
    return Outcome(0, done.stdout + done.stderr).jobs


def listing(jobs: Counter[str]) -> str:
    """Return jobs as the page shows them, in the order of the stages."""
    listed = [f"{rule} {jobs[rule]}" if jobs[rule] > 1 else rule for rule in STAGES if jobs[rule]]
    text = ", ".join(listed)
    for name, rules in GROUPS.items():
        text = text.replace(rules, name)
    return text + (" (+)" if jobs["deduplicate"] else "") or "none"


@pytest.mark.public_report(
    "seq2science 731", saw="all runs again because the inputs come in another order",
    here="another order of the table runs only deduplicate again, and what depends on its result",
)  # fmt: skip
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_runs_only_its_dependents(
    finished: Finished, tmp_path: Path, checkout: Path, name: str, rows: dict[str, str]
) -> None:
    change = CHANGES[name]
    jobs = plan_after(change, Run(finished[0].copy(tmp_path / "run").folder, checkout))
    rows[name] = listing(jobs)
    extracted_again = {"extract_frames"} if jobs["filter_frames"] else set()  # raw frames are gone
    assert change.first <= set(jobs) <= downstream(set(change.first)) | extracted_again
    if not os.environ.get("REELSIEVE_WRITE_DOCS"):
        assert rows[name] == read_outcomes(PAGE, HEAD)[name], "if this plan is correct, run: make docs"


def test_the_page_has_every_change() -> None:
    known = read_outcomes(PAGE, HEAD)
    page = page_text(HEAD, {name: known[name] for name in CHANGES}) + rest_of(PAGE)
    assert page == PAGE.read_text(encoding="utf-8")
