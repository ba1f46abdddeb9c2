"""After the filter, raw frames and media are deleted as the configuration says."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.core.layout import filter_table, media_folder
from scripts.core.schemas import FILTER
from scripts.core.tables import write_table
from scripts.detection.cleanup import delete_raw_frames, discard_filtered_media
from tests.conftest import DOWNLOAD


@pytest.mark.parametrize("cleanup", [True, False])
def test_raw_frames_are_deleted_if_the_configuration_says_so(tmp_path: Path, cleanup: bool) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v/a.jpg").touch()
    delete_raw_frames(tmp_path / "v", cleanup)
    assert [path.name for path in tmp_path.iterdir()] == ([] if cleanup else ["v"])


@pytest.fixture
def filtered(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that lays out a filtered local video with its media, and returns the configuration."""
    results = tmp_path / "results"
    write_table(filter_table(results, "v"), [], FILTER)
    media_folder(results, "v").mkdir(parents=True)
    (tmp_path / "videos.tsv").write_text("video\turl\nv\tv.mp4\n")
    config = {"videos": str(tmp_path / "videos.tsv"), "exclude": [], "store": str(tmp_path / "store")}
    return lambda **changed: {**config, "download": DOWNLOAD, "keep_media": False, **changed}


@pytest.mark.parametrize("keep_media", [True, False])
def test_media_are_deleted_unless_they_are_kept(
    filtered: Callable[..., dict[str, Any]], tmp_path: Path, keep_media: bool
) -> None:
    discard_filtered_media("v", filtered(keep_media=keep_media), tmp_path / "results")
    assert media_folder(tmp_path / "results", "v").exists() == keep_media


def test_media_that_cannot_be_deleted_fail_no_filter(
    filtered: Callable[..., dict[str, Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        discard_filtered_media("v", filtered(videos=str(tmp_path / "gone.tsv")), tmp_path / "results")
    assert "the media stay in the store: " in caplog.text
