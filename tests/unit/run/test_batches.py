"""Videos share a submission by the order of the table, however often Snakemake looks."""

from types import SimpleNamespace

from scripts.run.batches import batch_groups

VIDEOS = ["a", "b", "c", "d", "e"]


def test_batches_follow_the_table_and_know_their_group() -> None:
    grouped, single = SimpleNamespace(group="video"), SimpleNamespace(group=None)
    settings = SimpleNamespace(group_components={"video": 2})
    workflow = SimpleNamespace(rules=[grouped, single], group_settings=settings, parent_groupids={})
    batch_groups(workflow, workflow.rules, VIDEOS)
    for _ in range(2):
        names = [grouped.expand_group({"video": video}) for video in reversed(VIDEOS)]
        assert names == ["video-e", "video-c", "video-c", "video-a", "video-a"]
    assert workflow.parent_groupids == dict.fromkeys(names, "video")
    assert single.expand_group({"video": "a"}) is None
    settings.group_components = {}
    assert grouped.expand_group({"video": "b"}) == "video-b"
