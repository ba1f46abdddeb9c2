"""Delete what a filtered video no longer needs. Not part of the code hash: an edit must not filter again."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.core.files import delete_folder
from scripts.download.store import discard_media
from scripts.inputs.rows import parts_of


def delete_raw_frames(frames: Path, cleanup: bool) -> None:
    """Delete the folder of a filtered video's raw frames if config key cleanup_raw_frames says so.

    Snakemake would keep a temp() output until the checkpoint is done, with the frames of all videos on disk at once.
    """
    if cleanup:
        delete_folder(frames)


def discard_filtered_media(video: str, config: Mapping[str, Any], results: Path) -> None:
    """Delete the media of a filtered video, unless config key keep_media is set. A failure is only logged."""
    if config["keep_media"]:
        return
    try:
        parts, store = parts_of(config, video), Path(config["store"])
        discard_media(video, parts, results, store, options=config["download"])
    except (UserError, OSError) as error:
        logging.warning("the media stay in the store: %s", error)  # the frames are filtered nevertheless
