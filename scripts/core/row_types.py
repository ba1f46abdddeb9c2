"""The types of the rows of the tables between stages, and of their JSON files. It loads nothing heavy."""

from typing import Any, NotRequired, TypedDict


class MediaRecord(TypedDict):
    """The properties of a video file, as in video.json. Sizes are of the stored picture, before rotation."""

    container: str
    stream: int
    track: int
    tracks: int
    codec: str
    width: int
    height: int
    rotation_deg: int
    pixel_aspect: str
    matrix: int
    transfer: int
    primaries: int
    fps: float | None
    duration_s: float | None
    bytes: int
    sha256: str
    file: str


class VideoRecord(TypedDict):
    """The content of video.json: the outcome of a download."""

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
    began_at: NotRequired[str]  # only in the store
    recorded_at: NotRequired[str]


class Fate(TypedDict):
    """Why a frame was dropped. `reason` is empty if it was not; the numbers are None if none decides."""

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
    """A row of filter.parquet: a frame, the objects that the filter model found, and whether it passed."""

    passed: bool
    background: bool


class SeenRow(TypedDict):
    """A row of results/seen/*/*.parquet: all that a model saw in a frame down to a floor, see Seen in model/."""

    frame: str
    sha256: str
    readable: bool
    boxes_xyxy_px: list[list[float]]
    classes: list[int]
    confidences: list[float]


class HashRow(TypedDict):
    """A row of hashes.parquet: the hashes of a frame with their roles, and its part between black bars, in shares."""

    frame: str
    roles: list[str]
    hashes: list[str]
    left: float
    top: float
    right: float
    bottom: float


class KeptFrames(TypedDict):
    """The entry of a video in kept.json: its kept frames, and a digest that changes if they or their images change."""

    frames: list[str]
    digest: str


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
    """A row of the dataset's manifest.parquet: the facts that others need to make the same image again."""

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
