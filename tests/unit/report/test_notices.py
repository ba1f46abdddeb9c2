"""What deserves a look is said, and no more."""

from pathlib import Path

import pytest

from scripts.report.notices import mostly_dropped, tell_absent, tell_dropped
from scripts.run.summary import print_failure, print_last_summary


def row(video: str, looked_at: int, passed: int) -> dict[str, object]:
    return {"video": video, "looked_at": looked_at, "passed": passed}


def test_videos_that_lost_most_to_the_filter_are_named_the_worst_first() -> None:
    rows = [row("half", 40, 20), row("tenth", 40, 4), row("none", 40, 0), row("short", 9, 0), row("over", 40, 5)]
    found = mostly_dropped([*rows, {"video": "failed", "looked_at": "0", "passed": ""}])
    told = "the filter dropped nearly all of none (40 of 40 frames), tenth (36 of 40 frames)"
    assert tell_dropped(found) == told and tell_dropped(mostly_dropped([rows[0]])) == ""
    many = tell_dropped([row("v" * 300, 100, 0), *(row(f"video-{n}", 100, 0) for n in range(999))])
    assert "v" * 300 in many and many.endswith("video-3 (100 of 100 frames) and 995 more")


def test_classes_that_are_nowhere_are_named() -> None:
    told = tell_absent(list("abcdefg"))
    assert told.startswith("no object of class a, b, c, d, e and 2 more in the dataset") and tell_absent([]) == ""


def test_nothing_is_said_of_a_run_whose_results_are_not_all_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "registry.tsv").write_text("video\tstatus\n")
    (tmp_path / "report.html").touch()
    print_last_summary(tmp_path)
    assert capsys.readouterr() == ("", "")


def test_a_failure_tells_of_an_older_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    print_failure([])
    assert "earlier run" not in capsys.readouterr().err
    (tmp_path / "results").mkdir()
    (tmp_path / "results/report.html").touch()
    print_failure([])
    assert "results/report.html is of an earlier run" in capsys.readouterr().err
