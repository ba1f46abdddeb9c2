"""Rate limits hold across processes: jobs at a time, distance, attempts per hour, pauses."""

import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.download import rate_limits
from scripts.download.options import SiteLimits
from scripts.download.rate_limits import Site, SitePaused, site_of

FREE = SiteLimits(jobs=4, sleep_s=(0, 0), per_hour=0, pause_s=60)


def site(folder: Path, **limits: Any) -> Site:
    return Site("a.example", folder, replace(FREE, **limits))


def visit(folder: Path, limits: dict[str, Any], seconds: float, times: Any) -> None:
    with site(folder, **limits).slot():
        times.put((time.time(), "in"))
        time.sleep(seconds)
        times.put((time.time(), "out"))


def visits(count: int, folder: Path, seconds: float, **limits: Any) -> list[tuple[float, str]]:
    """Return when `count` processes, started together, came in and went out."""
    context = multiprocessing.get_context("fork")
    times = context.Queue()
    jobs = [context.Process(target=visit, args=(folder, limits, seconds, times)) for _ in range(count)]
    for job in jobs:
        job.start()
    seen = sorted(times.get(timeout=30) for _ in range(2 * count))
    for job in jobs:
        job.join()
    return seen


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_jobs_at_a_time_than_allowed(tmp_path: Path, jobs: int) -> None:
    inside = most = 0
    for _, what in visits(5, tmp_path, 0.1, jobs=jobs):
        inside += 1 if what == "in" else -1
        most = max(most, inside)
    assert most == jobs


def test_jobs_keep_their_distance(tmp_path: Path) -> None:
    seen = visits(4, tmp_path, 0.0, sleep_s=(0.3, 0.4))
    came = [at for at, what in seen if what == "in"]
    assert all(0.29 <= after - before < 1.5 for before, after in zip(came, came[1:], strict=False))


def test_a_job_keeps_its_distance_from_the_end_of_the_last_one(tmp_path: Path) -> None:
    seen = visits(2, tmp_path, 0.5, jobs=1, sleep_s=(0.3, 0.3))
    assert [what for _, what in seen] == ["in", "out", "in", "out"]
    assert seen[2][0] - seen[1][0] >= 0.29


def test_the_hour_has_a_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "HOUR_S", 1.0)
    began = time.time()
    for _ in range(5):
        with site(tmp_path, per_hour=2).slot():
            pass
    assert 2.0 <= time.time() - began < 4


@pytest.mark.public_report(
    "PeerTube 6471", saw="imports fail with HTTP error 429, and it does not wait before it tries again",
    here="all jobs pause for the site",
)  # fmt: skip
def test_a_pause_holds_for_all_jobs_and_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = site(tmp_path, pause_s=0.5), site(tmp_path, pause_s=0.5)
    began = time.time()
    one.record_block("HTTP Error 429", None)
    other.record_block("HTTP Error 429", None)
    with other.slot():
        assert time.time() - began >= 0.5
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["a.example: paused for 0 s for all jobs: HTTP Error 429"]


def test_pauses_double_until_the_site_answers(tmp_path: Path) -> None:
    def paused_s() -> float:
        state = json.loads((tmp_path / "state.json").read_text())
        (tmp_path / "state.json").write_text(json.dumps(state | {"paused_until": 0}))
        return round(float(state["paused_until"]) - time.time())

    visited, lengths = site(tmp_path, pause_s=60), []
    for _ in range(8):
        visited.record_block("no", None)
        lengths.append(paused_s())
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    with visited.slot():
        visited.record_success()
    visited.record_block("no", None)
    assert paused_s() == 60
    visited.record_block("no", 1234.0)
    assert paused_s() == 1234, "the site's own number takes precedence"
    visited.record_block("no", 1e18)
    assert paused_s() == 6 * 3600, "but only up to a limit"


@pytest.mark.parametrize("text", ["", "{", '{"starts": [1'])
def test_a_damaged_state_is_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with site(tmp_path).slot():
        assert json.loads((tmp_path / "state.json").read_text())["starts"]


def test_a_success_that_began_before_a_block_does_not_shorten_the_next_pause(tmp_path: Path) -> None:
    straggler, other = site(tmp_path), site(tmp_path)
    with straggler.slot():
        other.record_block("no", None)
        straggler.record_success()
    assert json.loads((tmp_path / "state.json").read_text())["blocks"] == 1


def test_a_long_pause_is_an_error_at_once(tmp_path: Path) -> None:
    visited = site(tmp_path)
    visited.record_block("Sign in to confirm you're not a bot", 3600.0)
    began = time.time()
    with pytest.raises(SitePaused, match="no attempt: a.example is paused until .*not a bot"), visited.slot():
        pass
    assert time.time() - began < 1


def test_a_killed_job_frees_its_place(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    times = context.Queue()
    job = context.Process(target=visit, args=(tmp_path, {"jobs": 1}, 60, times))
    job.start()
    times.get(timeout=10)
    os.kill(job.pid or 0, signal.SIGKILL)
    began = time.time()
    with site(tmp_path, jobs=1).slot():
        assert time.time() - began < 3
    job.join()


def test_a_clock_that_was_set_back_causes_no_long_wait(tmp_path: Path) -> None:
    later = time.time() + 86_400
    (tmp_path / "state.json").write_text(json.dumps({"starts": [later] * 5, "not_before": later}))
    began = time.time()
    with site(tmp_path, per_hour=2, sleep_s=(0, 0.2)).slot():
        assert time.time() - began < 2


@pytest.mark.parametrize(
    ("url", "name", "jobs"),
    [
        ("https://www.youtube.com/watch?v=x", "youtube.com", 1),
        ("https://m.youtube.com/watch?v=x", "youtube.com", 1),
        ("https://youtu.be/x", "youtube.com", 1),
        ("ytsearch5:cats", "youtube.com", 1),
        ("https://notyoutube.com/x", "notyoutube.com", 4),
        ("https://www.a.example:8080/x", "a.example", 4),
        ("https://YouTube.com./watch?v=x", "youtube.com", 1),
        ("http://[::1]/x", "::1", 4),
    ],
)
def test_a_site_is_a_named_host_with_its_subdomains_else_the_host(
    tmp_path: Path, url: str, name: str, jobs: int
) -> None:
    found = site_of(url, tmp_path, {"youtube.com": replace(FREE, jobs=1), "*": FREE})
    assert (found.name, found.limits.jobs) == (name, jobs)
    assert found.folder.parent == tmp_path / "sites"
