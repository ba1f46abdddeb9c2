"""Judge what a model saw by what a stage asks. Greedy suppression makes this the same as inferring with its thresholds.

A box changes nothing for stronger ones, nor for those of other classes. So what is seen above a threshold is the start
of what is seen above a lower one, and the strongest N of some classes are among the strongest N of each class.
"""

import struct
from collections.abc import Sequence

from scripts.core.errors import UserError
from scripts.model.card import USUAL_MOST
from scripts.model.inference import Detections, Floor, Inference, Seen

LOWEST_CONFIDENCE = 0.05  # that is kept, if no lower one is asked for


def floor_for(query: Inference) -> Floor:
    """Return what to keep of an inference, so that later queries with other thresholds need none."""
    confidence = min(LOWEST_CONFIDENCE, query.confidence)
    return Floor(confidence, query.iou, query.imgsz_px, max(USUAL_MOST, query.max_objects))


def answers(floor: Floor, query: Inference) -> bool:
    """Return whether what was kept answers a query."""
    return (
        (floor.iou, floor.imgsz_px) == (query.iou, query.imgsz_px)
        and floor.confidence <= query.confidence
        and floor.most_per_class >= query.max_objects
    )


def judge(seen: Seen, names: Sequence[str], query: Inference) -> Detections:
    """Return the objects that a query asks for; `names` are the model's classes.

    Confidences are rounded to 0.0001 and boxes to 0.01 px, because the last digits of a float may depend on the number
    of threads. Raise UserError if one has a class without a name.
    """
    (lowest,) = struct.unpack("f", struct.pack("f", query.confidence))  # ultralytics compares 32-bit floats
    wanted = {names.index(name) for name in query.classes}
    strong = [i for i, confidence in enumerate(seen.confidences) if confidence > lowest]
    chosen = [i for i in strong if not wanted or seen.classes[i] in wanted][: query.max_objects]
    if nameless := [seen.classes[i] for i in chosen if seen.classes[i] >= len(names)]:
        raise UserError(f"the model finds class number {nameless[0]}, but has only {len(names)} class names")
    inside = [i for i in chosen if seen.boxes_xyxy_px[i]]
    return Detections(
        seen.image,
        [seen.boxes_xyxy_px[i] for i in inside],
        [names[seen.classes[i]] for i in inside],
        [round(seen.confidences[i], 4) for i in inside],
    )
