"""How much failure stops a dataset, and what is asked for again."""

import json
from pathlib import Path

import pytest

from scripts._failures import check_outage, retry_numbers, write_retry_numbers
from scripts._log import UserError


def records(results: Path, *statuses: str) -> list[Path]:
    paths = []
    for number, status in enumerate(statuses):
        path = results / f"download/v{number}/video.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"status": status, "message": f"{status}!", "url": "https://a.example/x"}
        path.write_text(json.dumps(record))
        paths.append(path)
    return paths


def test_an_outage_stops_the_dataset_and_says_how_to_go_on(tmp_path: Path) -> None:
    told = records(tmp_path, *["ok"] * 7, "failed", "blocked", "blocked")
    check_outage(told, 0.3)
    with pytest.raises(UserError, match=r"3 of 10 .*0.29.*retry_failed.*download.max_failed_share to 1.*2 x a.example"):
        check_outage(told, 0.29)
    check_outage(told, 1)


def test_videos_that_are_gone_are_no_outage(tmp_path: Path) -> None:
    check_outage(records(tmp_path, "ok", "unavailable", "needs_auth", "later", "invalid_media", "rejected"), 0.0)
    check_outage([], 0.0)


def test_only_what_may_come_is_asked_for_again(tmp_path: Path) -> None:
    statuses = ["ok", "failed", "unavailable", "blocked", "later", "invalid_media"]
    records(tmp_path, *statuses)
    videos = [f"v{number}" for number in range(7)]
    assert retry_numbers(tmp_path, videos, again=False) == {}
    once = retry_numbers(tmp_path, videos, again=True)
    assert once == {"v1": 1, "v3": 1, "v4": 1}
    assert not (tmp_path / "retries.json").exists(), "a dry run must not count"
    write_retry_numbers(tmp_path, once)
    (tmp_path / "download/v1/video.json").unlink()  # as while its job runs
    assert retry_numbers(tmp_path, videos, again=False) == once
    assert retry_numbers(tmp_path, videos, again=True) == {"v1": 1, "v3": 2, "v4": 2}
