"""The last lines of a run say how it ended, and never describe older results as new."""

from pathlib import Path

import pytest

from scripts.run.summary import print_failure, print_last_summary


def test_a_run_with_incomplete_results_has_no_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "registry.tsv").write_text("video\tstatus\n")
    (tmp_path / "report.html").touch()
    print_last_summary(tmp_path)
    assert capsys.readouterr() == ("", "")


def test_a_failed_run_warns_of_an_older_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    print_failure([])
    assert "earlier run" not in capsys.readouterr().err
    (tmp_path / "results").mkdir()
    (tmp_path / "results/report.html").touch()
    print_failure([])
    assert "results/report.html is of an earlier run" in capsys.readouterr().err
