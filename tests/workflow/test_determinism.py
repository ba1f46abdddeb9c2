"""The same table and the same code give the same bytes, on any machine, at any hour, in any language."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.dataset.digest import digest_of
from scripts.dataset.verify import verify
from tests._run import PAIR, Finished, LayOut, Run
from tests.conftest import REPO
from tests.workflow._changes import copy_checkout, reverse

IN_TABLE_ORDER = {"registry.tsv", "report.html", "dedup/distances.json"}  # the last by who is asked and who is known


OTHER = {"TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "LC_ALL": "C", "PYTHONHASHSEED": "7", "USER": "x"}


def differing(run: Run, other: Run) -> set[str]:
    """Return the files under results/ that are not there in both, or of which a byte differs."""
    mine, others = run.results(), other.results()
    assert len(others) > 40
    return {name for name in mine.keys() | others.keys() if mine.get(name) != others.get(name)}


@pytest.fixture
def elsewhere(demo: LayOut, tmp_path: Path) -> Run:
    """Return the demo laid out for another checkout; the paths of both hold spaces."""
    checkout = copy_checkout(REPO, tmp_path / "some where/else")
    return Run(demo(tmp_path / "another run/folder").folder, checkout)


def test_another_place_user_language_and_hour_one_core_and_cold_jobs_give_the_same_bytes(
    finished_pair: Run, elsewhere: Run
) -> None:
    elsewhere.write_table(*PAIR)  # each cold job loads the model, which has to be compiled
    elsewhere.write_config(
        elsewhere.read_config() | {"detector": {"warm": False}, "store": "a store"}
    )  # no model in it
    outcome = elsewhere.snakemake("--cores", "1", env=os.environ | OTHER, umask=0o077)
    assert outcome.code == 0, outcome.text[-3000:]
    assert differing(elsewhere, finished_pair) == set()


def test_the_order_of_the_table_shows_where_it_is_meant_to_and_16_cores_and_another_place_nowhere(
    finished: Finished, elsewhere: Run
) -> None:
    reverse(elsewhere)
    outcome = elsewhere.snakemake("--cores", "16", env=os.environ | OTHER, umask=0o077)
    assert outcome.code == 0, outcome.text[-3000:]
    assert differing(elsewhere, finished[0]) - IN_TABLE_ORDER == set()
    assert digest_of(elsewhere.folder / "results/dataset") == digest_of(finished[0].folder / "results/dataset")
    reverse(elsewhere)  # back in the order of the table: now these files are equal, too
    assert elsewhere.snakemake("--cores", "16", env=os.environ | OTHER, umask=0o077).code == 0
    assert len(finished[0].results()) > 100 and differing(elsewhere, finished[0]) == set()


def test_results_hold_no_clock(finished: Finished) -> None:
    today = datetime.now(UTC).date().isoformat().encode()
    assert [name for name, content in finished[0].results().items() if today in content] == []


def test_one_line_tells_whether_two_run_folders_hold_the_same(finished: Finished, tmp_path: Path) -> None:
    run = finished[0].copy(tmp_path / "run")
    line = verify(finished[0].folder / "results")
    assert line in run.snakemake("verify").text.splitlines()
    (run.folder / "results/registry.tsv").write_text("changed")
    assert line not in run.snakemake("verify").text.splitlines()
