"""How much failure stops a dataset, and what is asked for again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.faults import refused_under
from scripts.download.retries import check_outage, retry_numbers, to_ask_again, write_retry_numbers
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
    assert to_ask_again(tmp_path, videos, OPTIONS, again=False) == set()
    asked = to_ask_again(tmp_path, videos, OPTIONS, again=True)
    assert asked == {"v1", "v3", "v4"}
    once = retry_numbers(tmp_path, videos, asked)
    assert once == {"v1": 1, "v3": 1, "v4": 1}
    assert not (tmp_path / "retries.json").exists(), "a dry run must not count"
    write_retry_numbers(tmp_path, once)
    (tmp_path / "download/v1/video.json").unlink()  # as while its job runs
    assert retry_numbers(tmp_path, videos, ()) == once
    asked = to_ask_again(tmp_path, videos, OPTIONS, again=True)
    assert retry_numbers(tmp_path, videos, asked) == {"v1": 1, "v3": 2, "v4": 2}


@pytest.mark.parametrize(
    ("status", "change", "comes"),
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
def test_what_was_refused_is_asked_for_again_when_its_key_changes(
    tmp_path: Path, status: str, change: dict[str, Any], comes: bool
) -> None:
    (path,) = records(tmp_path, status)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"refused_under": refused_under(status, OPTIONS)}))
    assert to_ask_again(tmp_path, ["v0"], OPTIONS, again=False) == set()
    assert to_ask_again(tmp_path, ["v0"], replace(OPTIONS, **change), again=False) == ({"v0"} if comes else set())


def test_no_secret_is_noted() -> None:
    told = refused_under("needs_auth", replace(OPTIONS, cookies="/home/me/cookies.txt"))
    assert told == {"cookies": True} and refused_under("ok", OPTIONS) == {}


def test_a_stand_in_is_asked_for_again_too_and_a_spoilt_record_stops_nothing(tmp_path: Path) -> None:
    stands_in, spoilt = records(tmp_path, "ok", "ok")
    under = {"refused_under": refused_under("rejected", OPTIONS)}
    stands_in.write_text(json.dumps(json.loads(stands_in.read_text()) | under))
    spoilt.write_text("")
    assert to_ask_again(tmp_path, ["v0", "v1", "v2"], OPTIONS, again=False) == {"v1"}
    assert to_ask_again(tmp_path, ["v0"], replace(OPTIONS, max_size_mb=20), again=False) == {"v0"}
