"""An extraction seeks only where that loses no frame, and a missing file has a remedy."""

from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.frames.extraction import media_source
from scripts.inputs.hdr import TONEMAP
from scripts.media.clip import Clip
from tests._clips import make_kind, record_of
from tests.conftest import MakeClip


@pytest.mark.parametrize(
    ("kind", "start_s", "seek"),
    [("constant.mp4", 1.5, True), ("constant.mp4", 0, False), ("film.mkv", 1.5, True), ("late.ts", 1.5, False)],
)
def test_only_containers_with_an_index_are_seeked(make_clip: MakeClip, kind: str, start_s: float, seek: bool) -> None:
    file = make_kind(make_clip, kind)
    media = record_of(file, file.name)["media"]
    assert media
    source = media_source(media, file.parent, Clip(start_s, None), TONEMAP)
    assert source.seek is seek and source.media == file


def test_a_missing_file_says_how_to_download_it_again(clip: Path, tmp_path: Path) -> None:
    media = record_of(clip, "media.mp4")["media"]
    assert media
    with pytest.raises(UserError, match="media.mp4 is missing: delete .*/v and run again"):
        media_source(media, tmp_path / "v/media", Clip(0, None), TONEMAP)
