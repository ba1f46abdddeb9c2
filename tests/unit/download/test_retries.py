"""How many failures stop a dataset, and which videos are retried."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.download.faults import refused_under
from scripts.download.retries import check_outage, retry_numbers, videos_to_retry, write_retry_numbers
from tests.conftest import download_options

OPTIONS = download_options(max_size_mb=10, allow_private_hosts=False)


def records(results: Path, *statuses: str) -> list[Path]:
    paths = []
    for number, status in enumerate(statuses):
        path = results / f"download/v{number}/video.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"status": status, "message": f"{status}!", "url": "https://a.example/x"}
        path.write_text(json.dumps(record))
        paths.append(path)
    return paths


def test_an_outage_stops_the_dataset_and_names_the_remedy(tmp_path: Path) -> None:
    found = [read_json(path) for path in records(tmp_path, *["ok"] * 7, "failed", "blocked", "blocked")]
    check_outage(found, 0.3)
    with pytest.raises(
        UserError, match=r"3 of 10 .*0.29.*retry_failed.*max_failed_share to 1.*If blocked.*2 x a.example"
    ):
        check_outage(found, 0.29)
    check_outage(found, 1)


def test_videos_that_are_gone_are_no_outage(tmp_path: Path) -> None:
    paths = records(tmp_path, "ok", "unavailable", "needs_auth", "later", "invalid_media", "rejected")
    check_outage([read_json(path) for path in paths], 0.0)
    check_outage([], 0.0)


def test_retry_failed_retries_only_temporary_failures(tmp_path: Path) -> None:
    statuses = ["ok", "failed", "unavailable", "blocked", "later", "invalid_media"]
    records(tmp_path, *statuses)
    videos = [f"v{number}" for number in range(7)]
    assert videos_to_retry(tmp_path, videos, OPTIONS, retry_transient=False) == set()
    to_retry = videos_to_retry(tmp_path, videos, OPTIONS, retry_transient=True)
    assert to_retry == {"v1", "v3", "v4"}
    once = retry_numbers(tmp_path, videos, to_retry)
    assert once == {"v1": 1, "v3": 1, "v4": 1}
    assert not (tmp_path / "retries.json").exists(), "a dry run must not count"
    write_retry_numbers(tmp_path, once)
    (tmp_path / "download/v1/video.json").unlink()  # as while its job runs
    assert retry_numbers(tmp_path, videos, ()) == once
    to_retry = videos_to_retry(tmp_path, videos, OPTIONS, retry_transient=True)
    assert retry_numbers(tmp_path, videos, to_retry) == {"v1": 1, "v3": 2, "v4": 2}
    assert retry_numbers(tmp_path, ["v3"], ()) == {"v3": 1}, "the others left the table"
    write_retry_numbers(tmp_path, {})
    assert not (tmp_path / "retries.json").exists()


@pytest.mark.parametrize(
    ("status", "change", "retried"),
    [
        ("rejected", {"max_size_mb": 20}, True),
        ("rejected", {"allow_private_hosts": True}, True),
        ("rejected", {"cookies": "c.txt"}, False),
        ("needs_auth", {"cookies": "c.txt"}, True),
        ("forbidden", {"cookies": "c.txt"}, True),
        ("forbidden", {"allow_private_hosts": True}, True),
        ("geo_blocked", {"max_size_mb": 20, "proxy": "socks5h://a"}, False),
        ("unavailable", {"max_size_mb": 20, "cookies": "c.txt"}, False),
    ],
)
def test_a_refused_video_is_retried_when_its_key_changes(
    tmp_path: Path, status: str, change: dict[str, Any], retried: bool
) -> None:
    (path,) = records(tmp_path, status)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"refused_under": refused_under(status, OPTIONS)}))
    assert videos_to_retry(tmp_path, ["v0"], OPTIONS, retry_transient=False) == set()
    changed = replace(OPTIONS, **change)
    assert videos_to_retry(tmp_path, ["v0"], changed, retry_transient=False) == ({"v0"} if retried else set())


def test_no_secret_is_recorded() -> None:
    found = refused_under("needs_auth", replace(OPTIONS, cookies="/home/me/cookies.txt"))
    assert found == {"cookies": True} and refused_under("ok", OPTIONS) == {}


def test_a_replaced_video_and_a_damaged_record_are_retried(tmp_path: Path) -> None:
    replaced, damaged = records(tmp_path, "ok", "ok")
    under = {"refused_under": refused_under("rejected", OPTIONS)}
    replaced.write_text(json.dumps(json.loads(replaced.read_text()) | under))
    damaged.write_text("")
    assert videos_to_retry(tmp_path, ["v0", "v1", "v2"], OPTIONS, retry_transient=False) == {"v1"}
    assert videos_to_retry(tmp_path, ["v0"], replace(OPTIONS, max_size_mb=20), retry_transient=False) == {"v0"}
