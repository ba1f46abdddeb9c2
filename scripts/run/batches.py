"""Put the jobs of several videos into one submission to a cluster.

Snakemake's own group-components joins groups each time it looks over its jobs. After a checkpoint or a restart, groups
of K have become groups of up to K x K, and some jobs are in two (its issue 1628). Here the order of the table decides
what belongs together, so that looking again changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any


def batch_groups(workflow: Any, rules: Iterable[Any], videos: Sequence[str]) -> None:
    """Divide each group of these rules that a profile asks for into batches of as many videos as group-components says.

    Profiles are read after the rules, so each rule gets a function that is asked when its jobs are there.
    """
    place = {video: number for number, video in enumerate(videos)}
    for rule in rules:
        rule.expand_group = partial(_batch_of, workflow, rule, videos, place)


def _batch_of(
    workflow: Any, rule: Any, videos: Sequence[str], place: Mapping[str, int], wildcards: Mapping[str, str]
) -> str | None:
    """Return the group of a job, named by the first video of its batch."""
    if rule.group is None or "video" not in wildcards:
        return rule.group  # type: ignore[no-any-return]
    number, size = place[wildcards["video"]], workflow.group_settings.group_components.get(rule.group, 1)
    batch = f"{rule.group}-{videos[number - number % size]}"
    workflow.parent_groupids[batch] = rule.group  # so that Snakemake joins all of the batch
    return batch
