"""How the colours of a video are coded, and the filters that bring them into the colours of a JPEG.

JPEGs have the matrix of BT.601 and full range. Numbers of matrix, transfer and primaries are those of ITU-T H.273.
"""

from dataclasses import dataclass
from typing import Any

UNTAGGED = 2
GBR, BT709, YCGCO, BT2020_NCL, DERIVED, ICTCP = 0, 1, 8, 9, 12, 14  # matrices
ONLY_ZSCALE = frozenset({YCGCO, DERIVED, ICTCP})  # ffmpeg's filter scale stops at these
# zscale is off by 41 at these of constant luminance, and knows none of the others.
UNCONVERTIBLE = {
    10: "BT.2020 of constant luminance",
    11: "SMPTE 2085",
    13: "constant luminance derived from primaries",
    15: "IPT-C2 of Dolby Vision",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
BT2020 = 9  # primaries
RESERVED = 3
LOGARITHMIC = frozenset({9, 10})  # transfers at which the filter scale stops
HDR = {16: "PQ", 18: "HLG"}  # transfers
# mpv and VLC read untagged video as BT.709 from these sizes on, browsers from 720 lines on.
HD_WIDTH_PX, OVER_SD_HEIGHT_PX = 1280, 576
# BT.2408: white paper has 203 cd/m2 in HDR; most films peak at 1000. Up to 0.5 of white, the curve changes nothing.
WHITE_NITS, PEAK_NITS, UNCHANGED_UP_TO = 203, 1000, 0.5


@dataclass(frozen=True)
class Colour:
    """The colour coding of a video, and whether HDR is tone-mapped."""

    matrix: int = UNTAGGED
    transfer: int = UNTAGGED
    primaries: int = UNTAGGED
    is_hd: bool = False
    tonemap: bool = False

    @property
    def hdr(self) -> str:
        """Return "PQ" or "HLG"; empty for SDR."""
        return HDR.get(self.transfer, "")

    @property
    def fault(self) -> str:
        """Return why the colours cannot be converted; empty if they can."""
        name = UNCONVERTIBLE.get(
            self.matrix, "ICtCp without PQ or HLG" if self.matrix == ICTCP and not self.hdr else ""
        )
        return f"its colours are coded by matrix {self.matrix} ({name}), which ffmpeg cannot convert" if name else ""


def tags_of(frame: Any) -> dict[str, int]:
    """Return the numbers of a decoded frame's matrix, transfer and primaries; those of no meaning are untagged."""
    matrix = int(frame.colorspace)
    if frame.format.is_rgb:
        matrix = GBR
    elif matrix in (GBR, RESERVED):
        matrix = UNTAGGED
    return {"matrix": matrix, "transfer": int(frame.color_trc), "primaries": int(frame.color_primaries)}


def is_hd(width: int, height: int) -> bool:
    """Return whether players read an untagged video of this size as BT.709."""
    return width >= HD_WIDTH_PX or height > OVER_SD_HEIGHT_PX


def untagged_matrix(colour: Colour) -> dict[str, str]:
    """Return the option of ffmpeg's scale filter that names the matrix of an untagged video; none for tagged and SD."""
    if colour.matrix != UNTAGGED:
        return {}
    if colour.hdr or colour.primaries == BT2020:
        return {"in_color_matrix": "bt2020"}
    return {"in_color_matrix": "bt709"} if colour.is_hd else {}


def relabelled(stream: Any, colour: Colour) -> Any:
    """Return a stream that all filters accept: names that the filter scale does not know are replaced.

    zscale gets the true matrix later. Transfers matter only in HDR.
    """
    names = {"colorspace": "bt2020nc"} if colour.matrix in ONLY_ZSCALE else {}
    names |= {"color_trc": "bt709"} if colour.transfer in LOGARITHMIC else {}
    return stream.filter("setparams", **names) if names else stream


def without_rare_matrix(stream: Any, colour: Colour) -> Any:
    """Return a stream of a matrix that only zscale knows with that of a JPEG; its transfer stays."""
    tags = _tags(colour)
    return (
        stream.filter("format", "yuv444p16le")  # zscale rejects odd 4:2:0
        .filter("zscale", m="470bg", r="full", t=tags["tin"], p=tags["pin"], **tags)
        .filter("format", "yuv444p")
    )


def _tags(colour: Colour) -> dict[str, int]:
    """Return matrix, transfer and primaries for zscale, which does nothing without them."""
    tags = {"tin": colour.transfer if colour.hdr else BT709, "pin": colour.primaries}
    if colour.matrix == ICTCP or (colour.hdr and colour.primaries in (UNTAGGED, RESERVED)):
        tags["pin"] = BT2020
    elif colour.primaries in (UNTAGGED, RESERVED):
        tags["pin"] = BT709
    if colour.matrix == GBR:
        return tags
    return tags | {"min": BT2020_NCL if colour.matrix == UNTAGGED else colour.matrix}


def tone_mapped(stream: Any, colour: Colour) -> Any:
    """Return an HDR stream as SDR: greys up to 100 cd/m2 as they are, white paper at 228 of 255, peaks at 255."""
    tags = _tags(colour)
    curve = {"param": UNCHANGED_UP_TO, "peak": round(PEAK_NITS / WHITE_NITS, 6), "desat": 0}
    return (
        stream.filter("format", "gbrp16le" if colour.matrix == GBR else "yuv444p16le")  # zscale rejects odd 4:2:0
        .filter("zscale", t="linear", npl=WHITE_NITS, p="709", agamma=0, **tags)
        .filter("format", "gbrpf32le")
        .filter("tonemap", "mobius", **curve)
        .filter("zscale", t="709", m="470bg", r="full")
        .filter("format", "yuv444p")
    )
