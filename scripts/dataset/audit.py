"""Audit the splits of a dataset: distances between them, shares, and warnings."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

from scripts.core.files import write_json
from scripts.core.row_types import ImageRow
from scripts.core.text import listed
from scripts.dataset.balance import SplitOutcome, Suggestion, Tally, outcome, suggest_seed, tally
from scripts.dataset.leaks import ClosestPair, NaiveLeak, closest_pairs, naive_leak
from scripts.dataset.splits import Conflict, ConflictLink, Group, Plan, conflicts, wanted_splits, with_images


class LargestGroup(TypedDict):
    """The videos of the group with the most images, and its share of all images (None without images)."""

    videos: list[str]
    image_share: float | None


class Audit(TypedDict):
    """The content of audit.json. `linked` holds the videos of each group of several."""

    max_distance_bits: int
    seed: int
    split_by: str
    groups: int
    linked: list[list[str]]
    largest_group: LargestGroup
    splits: dict[str, SplitOutcome]
    empty_splits: list[str]
    conflicts: list[Conflict]
    closest: list[ClosestPair]
    naive: NaiveLeak
    suggestion: Suggestion
    warnings: list[str]
    absent_classes: NotRequired[list[str]]  # the export adds it


def audit(
    plan: Plan,
    images: Sequence[ImageRow],
    hashes: Mapping[str, int],
    classes: Sequence[str],
    max_distance_bits: int,
) -> Audit:
    """Return the audit of a dataset's splits.

    `hashes` holds, by video/frame, the 64-bit hash of every frame that passed the filter, copies too.
    """
    shares, seed = plan.splitting.shares, plan.splitting.seed
    counted = tally(images, classes)
    groups = with_images(plan, counted.videos)
    found: Audit = {
        "max_distance_bits": max_distance_bits,
        "seed": seed,
        "split_by": plan.splitting.by,
        "groups": len(groups),
        "linked": [list(group.videos) for group in plan.groups if len(group.videos) > 1],
        "largest_group": largest_group(groups, counted),
        "splits": outcome(groups, plan.splits, counted, shares),
        "empty_splits": [s for s in wanted_splits(shares) if s not in {image["split"] for image in images}],
        "conflicts": conflicts(plan),
        "closest": closest_pairs(
            {image["file"]: hashes[f"{image['video']}/{image['frame']}"] for image in images},
            {image["file"]: image["split"] for image in images},
            max_distance_bits,
        ),
        "naive": naive_leak(hashes, shares, seed, max_distance_bits),
        "suggestion": suggest_seed(groups, counted, plan.splitting),
        "warnings": [],
    }
    found["warnings"] = warnings_of(found)
    return found


def absent_classes(wanted: Iterable[str], images: Iterable[ImageRow]) -> list[str]:
    """Return the wanted classes that are in no image."""
    present = {name for image in images for name in image["classes"]}
    return [name for name in wanted if name not in present]


def write_audit(path: Path, found: Audit) -> None:
    """Write the audit, and log the number of images of each split and the warnings."""
    write_json(path, found)
    logging.info("images: %s", ", ".join(f"{row['images']} {split}" for split, row in found["splits"].items()))
    for warning in found["warnings"]:
        logging.warning("splits: %s", warning)


def largest_group(groups: Iterable[Group], counted: Tally) -> LargestGroup:
    """Return the group with the most images."""
    n_images = dict(zip(counted.videos, counted.counts[:, 0].tolist(), strict=True))
    sizes = [(sum(n_images.get(v, 0) for v in group.videos), group.identity, group.videos) for group in groups]
    most, _, videos = max(sizes, default=(0, "", ()))
    return {"videos": list(videos), "image_share": round(most / sum(n_images.values()), 4) if most else None}


def warnings_of(found: Audit) -> list[str]:
    """Return what is wrong with the splits in words, the worst first."""
    wanted = {split: row["wanted_share"] for split, row in found["splits"].items() if row["wanted_share"] > 0}
    warnings = [
        f"{_counted(pair['pairs_within'], 'pair')} of images in {' and '.join(pair['splits'])} within"
        f" {found['max_distance_bits']} bits of each other"
        for pair in found["closest"]
        if pair["pairs_within"]
    ]
    warnings += [
        f"the table's column 'split' divides what belongs together: {_link_text(conflict['links'][0])}"
        for conflict in found["conflicts"]
    ]
    too_few = found["groups"] < len(wanted)
    if found["empty_splits"] and too_few:
        warnings.append(
            f"images come from {_counted(found['groups'], 'group')} of videos, too few for {len(wanted)} splits:"
            " add videos"
        )
    warnings += [
        f"no image in {split}{'' if too_few else _remedy(split, found['suggestion'])}"
        for split in found["empty_splits"]
    ]
    warnings += list(_uneven(found, wanted))
    return warnings


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _remedy(split: str, suggestion: Suggestion) -> str:
    fills = not suggestion["is_configured"] and suggestion["splits"][split]["images"]
    seed = f", or set dataset.seed to {suggestion['seed']}" if fills else ""
    return f": put videos there with the table's column 'split'{seed}"


def _uneven(found: Audit, wanted: Mapping[str, float]) -> Iterable[str]:
    largest = found["largest_group"]
    if found["groups"] > 1 and (largest["image_share"] or 0) > max(wanted.values()):
        yield (
            f"one group of videos, that of {largest['videos'][0]}, holds {largest['image_share']:.0%} of the images:"
            " more than any split is to have"
        )
    for split in wanted:
        missing = found["splits"][split]["missing_classes"]
        if missing and split not in found["empty_splits"]:
            yield f"no object in {split} of class {listed(missing)}"


def _link_text(link: ConflictLink) -> str:
    (one, other), (here, there) = link["videos"], link["splits"]
    return f"{one} is in {here}, {other} in {there}, and {_reason(link)}"


def _reason(link: ConflictLink) -> str:
    if not link["frames"]:
        return f"both are of channel {link['channel']}"
    same = "have near hashes, but other objects" if link["distance_bits"] is None else "are copies"
    return f"{' and '.join(link['frames'])} {same}"
