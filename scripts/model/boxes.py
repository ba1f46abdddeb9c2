"""Take the boxes of a model's results, of whatever kind it is, and bring them into the picture."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.model.decode import DecodedImage
from scripts.model.inference import Seen

STEP_DIGITS = 2  # of a pixel; the last digits of a float may depend on the number of threads


def box_predictor(base: Any) -> Any:
    """Return a subclass of an ultralytics predictor that leaves out masks and key points.

    It takes the results of one image at a time: in a batch, ultralytics stops after some seconds of suppression and
    gives the other images no boxes.
    """

    class BoxPredictor(base):  # type: ignore[misc]
        def postprocess(self, preds: Any, img: Any, orig_imgs: Any) -> list[Any]:
            while isinstance(preds, list | tuple):  # boxes come first, then masks, or what training needs
                preds = preds[0]
            one_each = [slice(number, number + 1) for number in range(len(preds))]
            return [super(BoxPredictor, self).postprocess(preds[n], img[n], orig_imgs[n])[0] for n in one_each]

    return BoxPredictor


def seen_in(image: Path, result: Any, decoded: DecodedImage, most_per_class: int) -> Seen:
    """Return the objects in an ultralytics result, in pixels of the image; a rotated box by the one around it."""
    found = (result.boxes if result.obb is None else result.obb).cpu().numpy()
    height, width = decoded.pixels.shape[:2]
    across, down = decoded.reduced_by
    objects = Seen(image, [], [], [])
    counts: Counter[int] = Counter()
    for box, number, confidence in zip(found.xyxy.tolist(), found.cls.tolist(), found.conf.tolist(), strict=True):
        counts[int(number)] += 1
        if counts[int(number)] <= most_per_class:
            scaled = [edge * scale for edge, scale in zip(box, (across, down, across, down), strict=True)]
            objects.boxes_xyxy_px.append(clip_box(scaled, width * across, height * down) or [])
            objects.classes.append(int(number))
            objects.confidences.append(confidence)
    return objects


def clip_box(box: Sequence[float], width: float, height: float) -> list[float] | None:
    """Return a box (xyxy) cut to the picture and rounded, or None if it is not finite or has no area there."""
    if not all(math.isfinite(edge) for edge in box):
        return None
    limits = (width, height, width, height)
    clipped = [round(min(max(0.0, edge), limit), STEP_DIGITS) for edge, limit in zip(box, limits, strict=True)]
    return clipped if clipped[0] < clipped[2] and clipped[1] < clipped[3] else None
