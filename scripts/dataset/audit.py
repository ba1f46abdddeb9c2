"""Say of a dataset's splits what they are worth: how far apart, how close to the wanted shares, and what is wrong."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.core.files import write_json
from scripts.core.text import listed
from scripts.dataset.balance import Tally, outcome, suggest_seed, tally
from scripts.dataset.leaks import closest_pairs, naive_leak
from scripts.dataset.splits import Group, Plan, conflicts, wanted_splits, with_images


def audit(
    plan: Plan,
    images: Sequence[Mapping[str, Any]],
    hashes: Mapping[str, int],
    classes: Sequence[str],
    max_distance_bits: int,
) -> dict[str, Any]:
    """Return the audit of a dataset's splits as it is published.

    `images` are the dataset's (video, frame, split, file, classes); `hashes` holds, by video/frame, the 64-bit hash
    of every frame that passed the filter, copies too.
    """
    shares, seed = plan.splitting.shares, plan.splitting.seed
    counted = tally(images, classes)
    groups = with_images(plan, counted.videos)
    result: dict[str, Any] = {
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
    }
    return result | {"warnings": warnings_of(result)}


def absent_classes(asked: Iterable[str], images: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return which of the classes that were asked for no image shows."""
    shown = {name for image in images for name in image["classes"]}
    return [name for name in asked if name not in shown]


def write_audit(path: Path, result: Mapping[str, Any]) -> None:
    """Write the audit, and say in the log how many images each split got and what is wrong."""
    write_json(path, result)
    logging.info("images: %s", ", ".join(f"{row['images']} {split}" for split, row in result["splits"].items()))
    for warning in result["warnings"]:
        logging.warning("splits: %s", warning)


def largest_group(groups: Iterable[Group], counted: Tally) -> dict[str, Any]:
    """Return the videos, and the share of all images, of the group with the most images."""
    n_images = dict(zip(counted.videos, counted.counts[:, 0].tolist(), strict=True))
    sizes = [(sum(n_images.get(v, 0) for v in group.videos), group.identity, group.videos) for group in groups]
    most, _, videos = max(sizes, default=(0, "", ()))
    return {"videos": list(videos), "image_share": round(most / sum(n_images.values()), 4) if most else None}


def warnings_of(result: Mapping[str, Any]) -> list[str]:
    """Return in plain words what is wrong with the splits, the worst first."""
    wanted = {split: row["wanted_share"] for split, row in result["splits"].items() if row["wanted_share"] > 0}
    said = [
        f"{_counted(pair['pairs_within'], 'pair')} of images in {' and '.join(pair['splits'])} within"
        f" {result['max_distance_bits']} bits of each other"
        for pair in result["closest"]
        if pair["pairs_within"]
    ]
    said += [
        f"the table's column 'split' divides what belongs together: {_link_text(conflict['links'][0])}"
        for conflict in result["conflicts"]
    ]
    too_few = result["groups"] < len(wanted)
    if result["empty_splits"] and too_few:
        said.append(
            f"images come from {_counted(result['groups'], 'group')} of videos, too few for {len(wanted)} splits:"
            " add videos"
        )
    said += [
        f"no image in {split}{'' if too_few else _remedy(split, result['suggestion'])}"
        for split in result["empty_splits"]
    ]
    said += list(_uneven(result, wanted))
    return said


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _remedy(split: str, suggestion: Mapping[str, Any]) -> str:
    fills = not suggestion["is_configured"] and suggestion["splits"][split]["images"]
    seed = f", or set dataset.seed to {suggestion['seed']}" if fills else ""
    return f": put videos there with the table's column 'split'{seed}"


def _uneven(result: Mapping[str, Any], wanted: Mapping[str, float]) -> Iterable[str]:
    largest = result["largest_group"]
    if result["groups"] > 1 and (largest["image_share"] or 0) > max(wanted.values()):
        yield (
            f"one group of videos, that of {largest['videos'][0]}, holds {largest['image_share']:.0%} of the images:"
            " more than any split is to have"
        )
    for split in wanted:
        missing = result["splits"][split]["missing_classes"]
        if missing and split not in result["empty_splits"]:
            yield f"no object in {split} of class {listed(missing)}"


def _link_text(link: Mapping[str, Any]) -> str:
    (one, other), (here, there) = link["videos"], link["splits"]
    return f"{one} is in {here}, {other} in {there}, and {_reason(link)}"


def _reason(link: Mapping[str, Any]) -> str:
    if not link["frames"]:
        return f"both are of channel {link['channel']}"
    same = "have near hashes, but other objects" if link["distance_bits"] is None else "are copies"
    return f"{' and '.join(link['frames'])} {same}"
