"""A job that waits for its turn lets the detector decode for it, and changes no answer of another job."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.detection.detect import detect_images
from scripts.job.environment import GPUS
from scripts.model.inference import Detections, RuntimeOptions
from scripts.warm import detector
from scripts.warm.sockets import private_folder
from tests._detectors import ASK, KEEN, ask, servers, wait_until

Answers = list[Detections]


@contextmanager
def waiting_job(model: Path, images: list[Path], work: Path) -> Iterator[tuple[Iterator[Detections], Future[Answers]]]:
    """Let a job have its turn and another one wait until its images are decoded; yield the answers of both."""
    ask(model, images[1:2], work)
    first = detect_images(model, images * 40, ASK, RuntimeOptions(1, work, warm=True))
    assert next(first)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(ask, model, images, work, KEEN)
        wait_until(lambda: len(connections(servers()[0])) == 2, 10)
        yield first, second


def connections(process: int) -> list[str]:
    """Return the open connections of a detector."""
    own = {os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir() if link.exists() or link.is_symlink()}
    rows = [row.split() for row in Path("/proc/net/unix").read_text().splitlines()[1:]]
    connected = [row for row in rows if f"socket:[{row[6]}]" in own and row[5] == "03"]
    return [row[6] for row in connected if len(row) > 7]


def test_a_waiting_job_gets_its_own_answers_and_does_not_take_the_detector_for_hung(
    owner: Any, model: Path, images: list[Path], alone: Answers, alone_keen: Answers, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv(GPUS, "1")
    with waiting_job(model, images, tmp_path / "w") as (first, second):
        before = servers()
        usual = detector.START_S, detector.ANSWER_S
        detector.START_S = detector.ANSWER_S = 1.0
        time.sleep(2)
        assert not second.done() and servers() == before
        detector.START_S, detector.ANSWER_S = usual
        assert [alone[0], *first] == alone * 40
        assert second.result(60) == alone_keen and servers() == before


def test_a_waiting_job_outlives_the_detector_that_decodes_for_it(
    owner: Any, model: Path, images: list[Path], alone: Answers, alone_keen: Answers, tmp_path: Path
) -> None:
    with waiting_job(model, images, tmp_path / "w") as (first, second):
        [killed] = servers()
        os.kill(killed, signal.SIGKILL)
        assert [alone[0], *first] == alone * 40
        assert second.result(60) == alone_keen
        assert len(servers()) == 1 and killed not in servers()


def test_the_next_job_has_its_turn_before_the_answers_of_the_last_images_are_read(
    owner: Any, model: Path, images: list[Path], alone: Answers, tmp_path: Path
) -> None:
    few = images[1:3]  # all are submitted at once
    ask(model, few, tmp_path / "w")
    first = detect_images(model, few, ASK, RuntimeOptions(1, tmp_path / "w", warm=True))
    got = [next(first)]
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(ask, model, images, tmp_path / "w")
        try:
            assert second.result(60) == alone, "the first one has not ended"
        finally:
            got += first
    assert got == alone[:2]


def test_jobs_of_a_killed_run_leave_nothing(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> None:
    with waiting_job(model, images, tmp_path / "w") as (first, second):
        owner.kill()
        owner.wait()
        wait_until(lambda: not servers(), 10)
        with pytest.raises(UserError, match="the run has ended"):
            list(first)
        assert isinstance(second.exception(60), UserError)
    assert not list(private_folder().glob(f"*-{owner.pid}_*"))
