"""What is gathered of the videos of several shards is read as one."""

from pathlib import Path
from typing import Any

from scripts.core.layout import RESULTS
from scripts.inputs.gathered import FILES, GATHERING, Shards, gathered_files, read_gathered, write_gathered
from tests._rules import RULES


def test_records_of_all_shards_are_read_back(tmp_path: Path) -> None:
    videos: dict[str, Any] = {v: {"record": {"status": "ok", "url": v}, "note": ""} for v in "abc"}
    write_gathered(tmp_path / "0of2", {"a": videos["a"], "c": videos["c"]})
    write_gathered(tmp_path / "1of2", {"b": videos["b"]})
    assert read_gathered([tmp_path / "0of2", tmp_path / "1of2"]) == videos


def test_folders_are_those_of_the_rules_and_tables_lie_in_them() -> None:
    for rule, folder in zip(GATHERING, FILES, strict=True):
        assert f'directory("{RESULTS / folder}/{{shard}}")' in RULES[rule]
    files = set(gathered_files(RESULTS, ["0of1"]))
    shards = Shards.of(["results/gathered/videos/0of1"], ["results/gathered/detections/0of1"])
    assert len(files) == 4 and {*shards.filter_tables(), *shards.label_tables()} < files
