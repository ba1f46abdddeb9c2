"""A stopping run leaves a note for its jobs."""

from pathlib import Path

import pytest

from scripts.job.run_state import STOPPING, is_stopping, note_stop


def test_a_note_says_that_the_run_is_stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    note_stop()  # cannot be written, as on a full disk
    assert not is_stopping()
    STOPPING.parent.mkdir()
    note_stop()
    assert is_stopping()
