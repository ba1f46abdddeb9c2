"""The tables that stages hand on: their columns, and the type of a row of each."""

from typing import Any, NotRequired, TypedDict

import pyarrow as pa

_FATE = [("reason", pa.string()), ("value", pa.float64()), ("threshold", pa.float64())]
_BOXES = [
    ("boxes_xyxy_px", pa.list_(pa.list_(pa.float32()))),
    ("classes", pa.list_(pa.string())),
    ("confidences", pa.list_(pa.float32())),
]
_FRAME = [
    ("video", pa.string()),
    ("frame", pa.string()),
    ("pts_s", pa.float64()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("sharpness", pa.float32()),
    ("brightness", pa.float32()),
    ("entropy_bits", pa.float32()),
    ("phash", pa.string()),
    ("keep", pa.bool_()),
]

# `reason` is empty for what goes on; otherwise `value` missed `threshold` (both null where no number decides).
FRAMES = pa.schema(_FRAME + _FATE)
FILTER = pa.schema(_FRAME + _BOXES + [("passed", pa.bool_()), ("background", pa.bool_())] + _FATE)
# A hash has a role (see scripts/dedup/hashing.py); left, top, right, bottom: the part between black bars, in shares.
HASHES = pa.schema(
    [
        ("frame", pa.string()),
        ("roles", pa.list_(pa.string())),
        ("hashes", pa.list_(pa.string())),
        ("left", pa.float64()),
        ("top", pa.float64()),
        ("right", pa.float64()),
        ("bottom", pa.float64()),
    ]
)
# `role` is that of the frame's own hash that matched one of the representative, such as its mirror image's.
# `near_misses` are kept frames, at most one per other video, with a near hash but other objects.
COPIES = pa.schema(
    [
        ("video", pa.string()),
        ("frame", pa.string()),
        ("group", pa.string()),
        ("keep", pa.bool_()),
        ("representative", pa.string()),
        ("distance_bits", pa.int16()),
        ("role", pa.string()),
        ("near_misses", pa.list_(pa.string())),
        ("score", pa.float64()),
        ("hash", pa.string()),
    ]
)
DETECTIONS = pa.schema(
    [("video", pa.string()), ("frame", pa.string()), ("width", pa.int32()), ("height", pa.int32()), *_BOXES]
)
IMAGES = pa.schema(
    [("file", pa.string()), *((name, kind) for name, kind in _FRAME if name in ("video", "pts_s", "width", "height"))]
    + _BOXES
)
LEDGER = pa.schema(
    [
        ("video", pa.string()),
        ("frame", pa.string()),
        ("pts_s", pa.float64()),
        ("stage", pa.string()),
        *_FATE,
        ("split", pa.string()),
        ("file", pa.string()),
    ]
)
# What others need to make the same pictures again, and what became of each when they did.
PUBLISHED = pa.schema(
    [
        ("video", pa.string()),
        ("pts_s", pa.float64()),
        ("frame", pa.string()),
        ("file", pa.string()),
        ("split", pa.string()),
        ("phash", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        *_BOXES,
    ]
)
RETAKEN = pa.schema(
    [("frame", pa.string()), ("outcome", pa.string()), ("reason", pa.string()), ("distance_bits", pa.int16())]
)


class MediaRecord(TypedDict):
    """What decoding says of a video file, as in video.json; sizes are of the stored picture, before rotation."""

    container: str
    stream: int
    codec: str
    width: int
    height: int
    rotation_deg: int
    pixel_aspect: str
    fps: float | None
    duration_s: float | None
    bytes: int
    sha256: str
    file: str


class VideoRecord(TypedDict):
    """The content of video.json: what came of a download."""

    status: str
    message: str
    http_status: int | None
    attempts: int
    media: MediaRecord | None
    source: dict[str, Any]  # yt-dlp's description, redacted
    video: NotRequired[str]
    url: NotRequired[str]
    yt_dlp: NotRequired[str]
    refused_under: NotRequired[dict[str, Any]]
    began_at: NotRequired[str]  # in the store alone
    recorded_at: NotRequired[str]


class Fate(TypedDict):
    """Why a frame was dropped; `reason` is empty if it was not, the numbers are None where none decides."""

    reason: str
    value: float | None
    threshold: float | None


class FrameRow(TypedDict):
    """A row of frames.parquet: a sampled frame with its measurements."""

    video: str
    frame: str
    pts_s: float
    width: NotRequired[int]
    height: NotRequired[int]
    sharpness: NotRequired[float]
    brightness: NotRequired[float]
    entropy_bits: NotRequired[float]
    phash: NotRequired[str]
    keep: bool
    reason: str
    value: NotRequired[float | None]
    threshold: NotRequired[float | None]


class Objects(TypedDict):
    """The objects in one frame, as parallel lists; boxes are x1, y1, x2, y2 in pixels."""

    boxes_xyxy_px: list[list[float]]
    classes: list[str]
    confidences: list[float]


class FilterRow(FrameRow, Objects):
    """A row of filter.parquet: a frame, what the filter model saw in it, and whether it passed."""

    passed: bool
    background: bool


class HashRow(TypedDict):
    """A row of hashes.parquet: the hashes of a frame with their roles, and its part between black bars, in shares."""

    frame: str
    roles: list[str]
    hashes: list[str]
    left: float
    top: float
    right: float
    bottom: float


class CopyRow(TypedDict):
    """A row of copies.parquet: a frame that passed the filter, and the frame that represents its group."""

    video: str
    frame: str
    group: str
    keep: bool
    representative: str
    distance_bits: int
    role: str
    near_misses: list[str]
    score: float
    hash: str


class DetectionRow(Objects):
    """A row of results/detections/*.parquet: a kept frame with its labels."""

    video: str
    frame: str
    width: int
    height: int


class LedgerRow(TypedDict):
    """A row of ledger.parquet: a sampled frame and the stage that decided on it."""

    video: str
    frame: str
    pts_s: float
    stage: str
    reason: str
    value: float | None
    threshold: float | None
    split: str
    file: str


class ImageRow(DetectionRow, LedgerRow):
    """An image of the dataset: its labels and its row of the ledger."""


class PublishedRow(Objects):
    """A row of the dataset's manifest.parquet: what others need to make the same image again."""

    video: str
    pts_s: float
    frame: str
    file: str
    split: str
    phash: str
    sha256: str
    width: int
    height: int


class RetakenRow(TypedDict):
    """A row of retaken.parquet: a published frame and whether it could be made again."""

    frame: str
    outcome: str
    reason: str
    distance_bits: int | None
