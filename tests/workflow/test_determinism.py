"""Who runs the same table with the same code gets the same bytes, whatever the machine is busy with and called."""

import os
from datetime import UTC, datetime
from pathlib import Path

from scripts.dataset.digest import digest_of
from scripts.dataset.verify import verify
from tests._run import Finished, LayOut, Run, lay_out
from tests.conftest import REPO
from tests.workflow._changes import copy_checkout, reverse

IN_TABLE_ORDER = {"registry.tsv", "report.html", "dedup/distances.json"}  # the last by who is asked and who is known


def differing(run: Run, finished: Finished) -> set[str]:
    """Return the files under results/ that are not there in both, or of which a byte differs."""
    mine, other = run.results(), finished[0].results()
    assert len(other) > 100
    return {name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name)}


def test_another_place_user_language_and_hour_one_core_and_cold_jobs_give_the_same_bytes(
    finished: Finished, tmp_path: Path
) -> None:
    checkout = copy_checkout(REPO, tmp_path / "some where/else")
    run = Run(lay_out(tmp_path / "another run/folder").folder, checkout)
    run.write_config(run.read_config() | {"detector": {"warm": False}, "store": "a store"})
    other = {"TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "LC_ALL": "C", "PYTHONHASHSEED": "7", "USER": "x"}
    outcome = run.snakemake("--cores", "1", env=os.environ | other, umask=0o077)
    assert outcome.code == 0, outcome.text[-3000:]
    assert differing(run, finished) == set()


def test_the_order_of_the_table_shows_where_it_is_meant_to_and_16_cores_nowhere(
    finished: Finished, demo: LayOut, tmp_path: Path
) -> None:
    run = demo(tmp_path / "run")
    reverse(run)
    outcome = run.snakemake("--cores", "16")
    assert outcome.code == 0, outcome.text[-3000:]
    assert differing(run, finished) - IN_TABLE_ORDER == set()
    assert digest_of(run.folder / "results/dataset") == digest_of(finished[0].folder / "results/dataset")


def test_results_hold_no_clock(finished: Finished) -> None:
    today = datetime.now(UTC).date().isoformat().encode()
    assert [name for name, content in finished[0].results().items() if today in content] == []


def test_one_line_tells_whether_two_run_folders_hold_the_same(finished: Finished, tmp_path: Path) -> None:
    run = finished[0].copy(tmp_path / "run")
    line = verify(finished[0].folder / "results")
    assert line in run.snakemake("verify").text.splitlines()
    (run.folder / "results/registry.tsv").write_text("changed")
    assert line not in run.snakemake("verify").text.splitlines()
