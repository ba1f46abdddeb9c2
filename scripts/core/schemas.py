"""The columns of the tables between stages; core/row_types.py has the types of their rows."""

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

# `reason` is empty for frames that pass. For others, `value` missed `threshold` (null if no number decides).
FRAMES = pa.schema(_FRAME + _FATE)
FILTER = pa.schema(_FRAME + _BOXES + [("passed", pa.bool_()), ("background", pa.bool_())] + _FATE)
# What a model saw in a frame with this content. The note says which model, and down to which floor. Boxes without area
# in the picture are [], classes are the model's numbers.
SEEN = pa.schema(
    [
        ("frame", pa.string()),
        ("sha256", pa.string()),
        ("readable", pa.bool_()),
        ("boxes_xyxy_px", pa.list_(pa.list_(pa.float64()))),
        ("classes", pa.list_(pa.int32())),
        ("confidences", pa.list_(pa.float64())),
    ]
)
# Each hash has a role, see scripts/dedup/hashing.py. left, top, right, bottom are the picture without black bars, as
# shares of its width and height.
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
# `role` is the role of the frame's hash that matched the representative, such as that of its mirror image.
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
# The rows that others need to make the same images again, and the outcome of each.
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
