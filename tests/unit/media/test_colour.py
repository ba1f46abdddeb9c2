"""Colours come out as they are meant, see the chart on docs/media.md. To write it, run this.

REELSIEVE_WRITE_DOCS=1 python -m pytest tests/unit/media/test_colour.py
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from scripts.core.tables import read_note
from scripts.media.colour import is_hd
from tests._chart import PATCHES, Chart, expected, write_chart
from tests._clips import extract
from tests._page import page_text, read_outcomes, replace_section
from tests.conftest import REPO

PAGE = REPO / "docs/media.md"
TEXT = """\
Charts of known colours, and by how much (of 255) the JPEGs are off at most. Untagged video is read as BT.709 from 1280
columns or 577 lines on. HDR greys up to 100 cd/m2 keep their light, white paper (203) becomes 228, 1000 becomes 255.
Videos with matrix 10, 11, 13, 15 (Dolby Vision), 16 or 17 give no frames, but a note: ffmpeg cannot convert them.

| charts | off by |
|---|---|
"""
LARGEST_ERROR = 4  # of a flat patch: 8 bits, twice, and JPEG
LARGER_ERRORS = {"HLG, ICtCp": 6.5}  # zscale's own
SD, HD, ODD = (640, 480), (1280, 720), (1281, 721)
TAGS_709 = "colorspace=bt709:color_primaries=bt709:color_trc=bt709"
TAGS_PQ = "colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"
TAGS_HLG = TAGS_PQ.replace("smpte2084", "arib-std-b67")
X265 = "-c:v libx265 -x265-params lossless=1:log-level=none"
PQ = Chart(HD, "bt2020", TAGS_PQ, "yuv420p10le", transfer="pq", encoder=X265)
HLG = Chart(HD, "bt2020", TAGS_HLG, "yuv420p10le", transfer="hlg", encoder=X265)
VP9 = "-c:v libvpx-vp9 -lossless 1"
CHARTS = {
    "SD, untagged": Chart(SD, "bt601"),
    "SD, tagged BT.601": Chart(SD, "bt601", "colorspace=smpte170m"),
    "SD, tagged BT.709": Chart(SD, "bt709", TAGS_709),
    "SD, full range": Chart(SD, "bt601", "range=pc", full=True),
    "1280x720, untagged": Chart(HD, "bt709"),
    "720x1280, untagged, 10 bits": Chart((720, 1280), "bt709", pixels="yuv420p10le"),
    "1280x534, untagged": Chart((1280, 534), "bt709"),
    "1280x720, tagged BT.709": Chart(HD, "bt709", TAGS_709),
    "1280x720, tagged BT.601": Chart(HD, "bt601", "colorspace=smpte170m"),
    "1280x720, full range, untagged": Chart(HD, "bt709", "range=pc", full=True),
    "1280x720, Motion JPEG": Chart(HD, "bt601", "range=pc", full=True, encoder="-c:v mjpeg -q:v 1", suffix=".avi"),
    "SD, YCgCo": Chart(SD, "ycgco", "colorspace=ycgco"),
    "SD, YCgCo, full range": Chart(SD, "ycgco", "colorspace=ycgco:range=pc", full=True),
    "SD, matrix derived from primaries": Chart(SD, "bt709", TAGS_709.replace("e=bt709", "e=chroma-derived-nc", 1)),
    "SD, logarithmic transfer": Chart(SD, "bt709", TAGS_709.replace("trc=bt709", "trc=log100"), encoder=X265),
    "1280x720, RGB": Chart(HD, "bt709", pixels="gbrp", encoder="-c:v libx264rgb -qp 0"),
    "PQ, colours": PQ,
    "PQ, greys of 1 to 1000 cd/m2": Chart(
        HD, "bt2020", TAGS_PQ, "yuv420p10le", transfer="pq", greys=True, encoder=X265),
    "PQ, matrix and primaries untagged": Chart(
        HD, "bt2020", "color_trc=smpte2084", "yuv420p10le", transfer="pq", encoder=X265),
    "PQ, full range": Chart(HD, "bt2020", TAGS_PQ + ":range=pc", "yuv420p10le", True, "pq", encoder=X265),
    "PQ, 1281x721, VP9": Chart(ODD, "bt2020", TAGS_PQ, "yuv420p10le", transfer="pq", encoder=VP9, suffix=".webm"),
    "PQ, YCgCo": replace(PQ, matrix="ycgco", tags=TAGS_PQ.replace("bt2020nc", "ycgco")),
    "PQ, ICtCp": replace(PQ, matrix="ictcp", tags=TAGS_PQ.replace("bt2020nc", "ictcp")),
    "HLG, colours": HLG,
    "HLG, greys of 1 to 1000 cd/m2": Chart(
        HD, "bt2020", TAGS_HLG, "yuv420p10le", transfer="hlg", greys=True, encoder=X265),
    "HLG, ICtCp": replace(HLG, matrix="ictcp", tags=TAGS_HLG.replace("bt2020nc", "ictcp")),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> Iterator[dict[str, str]]:
    seen: dict[str, str] = {}
    yield seen
    if os.environ.get("REELSIEVE_WRITE_DOCS") and seen.keys() == set(CHARTS):
        replace_section(PAGE, "## Colours", page_text(TEXT, {name: seen[name] for name in CHARTS}))


def seen_in(jpeg: Path) -> np.ndarray:
    """Return the colour at the centre of each patch."""
    with Image.open(jpeg) as image:
        picture = np.asarray(image.convert("RGB")).astype(int)
    height, width = picture.shape[:2]
    columns = (np.arange(len(PATCHES)) * 2 + 1) * width // (2 * len(PATCHES))
    colours: np.ndarray = picture[height // 2, columns]
    return colours


def frame_of(chart: Chart, folder: Path, **options: object) -> Path:
    media = write_chart(chart, folder / f"chart{chart.suffix}")
    assert extract(media, folder, min_entropy_bits=0, **options)
    return folder / "out/000000000.jpg"


@pytest.mark.public_report(
    "ffmpegthumbnailer 236",
    saw="Thumbnails of HDR videos are too dark, those of Dolby Vision profile 5 green and purple.",
    here="PQ and HLG become SDR and are noted; Dolby Vision is not converted, but noted if its matrix is tagged.",
)
@pytest.mark.public_report(
    "photoprism 3295",
    saw="HDR videos of phones look grey and washed out.",
    here="They are tone-mapped to SDR by default and noted in the registry.",
)
@pytest.mark.public_report(
    "PyAV 873",
    saw="Pictures of BT.709 video were converted as if it were BT.601.",
    here="The tagged matrix is used; untagged HD is read as BT.709.",
)
@pytest.mark.public_report(
    "PyAV 1378",
    saw="Colours of video without a tag were off, because BT.601 is assumed at any size.",
    here="Untagged video of 1280 columns or 577 lines and more is read as BT.709.",
)
@pytest.mark.public_report(
    "PyAV 2149",
    saw="Full-range BT.709 video came out in completely wrong colours.",
    here="Charts of full range, tagged and untagged, keep their colours.",
)
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_keeps_its_colours(name: str, tmp_path: Path, rows: dict[str, str]) -> None:
    chart = CHARTS[name]
    frame = frame_of(chart, tmp_path)
    off = np.abs(seen_in(frame) - expected(chart)).max()
    rows[name] = f"{off:.0f}"
    note = f"HDR ({chart.transfer.upper()}) tone-mapped to SDR" if chart.transfer else ""
    assert read_note(tmp_path / "out/frames.parquet") == note
    assert off <= LARGER_ERRORS.get(name, LARGEST_ERROR), (seen_in(frame), expected(chart))
    if not os.environ.get("REELSIEVE_WRITE_DOCS"):
        assert rows[name] == read_outcomes(PAGE, TEXT)[name], "if this is correct, run: make docs"


@pytest.mark.parametrize("chart", [PQ, HLG])
def test_hdr_can_be_left_as_it_is(chart: Chart, tmp_path: Path) -> None:
    seen = seen_in(frame_of(chart, tmp_path, hdr="as_is"))
    assert np.abs(seen - expected(chart)).max() > 40, "grey and pale"
    note = read_note(tmp_path / "out/frames.parquet")
    assert note == f"HDR ({chart.transfer.upper()}) not tone-mapped (frames.hdr: as_is)"


@pytest.mark.parametrize("chart", [HLG, Chart(SD, "bt709", TAGS_709, encoder=X265)])
def test_every_matrix_gives_frames_or_a_reason(chart: Chart, tmp_path: Path) -> None:
    plain = write_chart(chart, tmp_path / "plain.mp4")
    lost = set()
    for matrix in range(20):
        media = tmp_path / f"{matrix}.mp4"
        renumber = ("-c", "copy", "-bsf:v", f"hevc_metadata=matrix_coefficients={matrix}")
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(plain), *renumber, str(media)]
        subprocess.run(command, check=True)
        folder = tmp_path / str(matrix)
        folder.mkdir()
        rows, note = extract(media, folder, min_entropy_bits=0), read_note(folder / "out/frames.parquet")
        assert bool(rows) is not bool(re.match(rf"its colours are coded by matrix {matrix} \(.+\), which", note)), note
        lost |= set() if rows else {matrix}
    assert lost == {10, 11, 13, 15, 16, 17} | (set() if chart.transfer else {14})


def test_hdr_bytes_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    frames = set()
    for threads in (1, 3):
        folder = tmp_path / str(threads)
        folder.mkdir()
        frames.add(frame_of(PQ, folder, threads=threads).read_bytes())
    assert len(frames) == 1


def test_players_read_these_sizes_as_hd() -> None:
    assert is_hd(1280, 534) and is_hd(720, 1280) and is_hd(960, 720) and not is_hd(720, 576) and not is_hd(640, 480)
