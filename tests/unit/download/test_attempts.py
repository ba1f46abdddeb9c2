"""How often and when a failed attempt is repeated."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.download.attempts import retry_with_backoff
from scripts.download.faults import OK, Fault
from scripts.download.rate_limits import Site, site_of
from tests.conftest import download_options

FAILED = Fault("failed", "no", retryable=True)


@dataclass
class Outcomes:
    """An attempt that has these outcomes, one after the other, the last of them from then on."""

    outcomes: list[tuple[Fault, bool]]
    left_s: list[float] = field(default_factory=list)

    def __call__(self, left_s: float) -> tuple[Fault, bool]:
        self.left_s.append(left_s)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_of("https://a.example/v", tmp_path, download_options().sites)


def test_attempts_end_at_the_first_success(site: Site) -> None:
    once = Outcomes([(FAILED, False), (OK, False)])
    assert retry_with_backoff(once, site, download_options()) == (OK, 2)
    assert once.left_s[0] == 60 > once.left_s[1]


def test_only_attempts_in_a_row_without_progress_count(site: Site) -> None:
    once = Outcomes([(FAILED, False), (FAILED, True), (FAILED, False), (FAILED, True), (FAILED, False)])
    assert retry_with_backoff(once, site, download_options(attempts=2)) == (FAILED, 6)


def test_a_lasting_fault_is_not_retried(site: Site) -> None:
    gone = Fault("unavailable", "gone")
    assert retry_with_backoff(Outcomes([(gone, False)]), site, download_options()) == (gone, 1)


def test_waits_double_and_vary_by_a_fifth(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    retry_with_backoff(Outcomes([(FAILED, False)]), site, download_options(attempts=4, wait_s=0.2))
    waits_s = [record.args[3] for record in caplog.records if isinstance(record.args, tuple)]
    assert len(waits_s) == 3
    for wait_s, wanted_s in zip(waits_s, (0.2, 0.4, 0.8), strict=True):
        assert isinstance(wait_s, float) and 0.8 * wanted_s <= wait_s <= 1.2 * wanted_s


def test_no_retry_begins_after_the_deadline(site: Site) -> None:
    asks_wait = Fault("failed", "no", retry_after_s=100.0, retryable=True)
    fault, attempts = retry_with_backoff(Outcomes([(asks_wait, False)]), site, download_options())
    assert attempts == 1 and fault.message == (
        "no; the server demands a wait of 100 s; deadline_s = 60 s leaves no time for another attempt"
    )


def test_a_site_paused_for_long_blocks_the_video_without_an_attempt(site: Site) -> None:
    site.record_block("not a bot", 3600.0)
    fault, attempts = retry_with_backoff(Outcomes([(OK, False)]), site, download_options())
    assert (fault.status, attempts) == ("blocked", 0) and "a.example is paused until" in fault.message


def test_a_pause_during_the_attempts_keeps_their_fault(site: Site) -> None:
    blocked = Fault("blocked", "HTTP Error 429", retry_after_s=3599.0, retryable=True)
    once = Outcomes([(blocked, False)])
    assert retry_with_backoff(once, site, download_options(deadline_s=86_400)) == (blocked, 1)
