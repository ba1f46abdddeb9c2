"""The last lines of a run say how it ended, and never describe older results as new."""

from pathlib import Path

import pytest

from scripts.report.report import registry_tsv
from scripts.run.summary import print_failure, print_last_summary, summary


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


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\r\nb"])
def test_names_from_the_internet_do_not_steer_the_terminal(name: str, tmp_path: Path) -> None:
    (tmp_path / "registry.tsv").write_text("video\tstatus\n")
    text = summary(tmp_path / "registry.tsv", tmp_path / "report.html", [f"both are of channel {name}"])
    (line,) = [line for line in text.split("\n") if "channel a" in line]
    assert line.isprintable()
