"""Which rows a run works on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UserError
from scripts.inputs.rows import check_removed, no_dataset, parts_of, rows_of

PARTS = (
    "a\thttps://a.example/1\t0\t5\ttrain\n"
    "b\thttps://a.example/1\t5\t9\n"
    "c\thttps://a.example/12\n"
)  # fmt: skip


@pytest.fixture
def config(write_table: Callable[..., Path]) -> dict[str, Any]:
    table = write_table(PARTS)
    return {"videos": str(table), "sources": [], "exclude": [], "rehydrate": "", "rehydrate_media": ""}


def test_parts_of_a_url_share_its_split_also_if_one_is_excluded(config: dict[str, Any]) -> None:
    assert {video: row.split for video, row in rows_of(config).items()} == {"a": "train", "b": "train", "c": ""}
    assert {video: row.split for video, row in rows_of(config | {"exclude": ["a"]}).items()} == {"b": "train", "c": ""}


def test_parts_of_a_source_are_the_rows_with_its_url(config: dict[str, Any]) -> None:
    assert parts_of(config, "b") == dict.fromkeys(("a", "b"), "https://a.example/1")
    assert parts_of(config | {"exclude": ["a"]}, "b") == {"b": "https://a.example/1"}
    assert parts_of(config | {"exclude": ["b"]}, "b") == {} == parts_of(config, "gone")


def test_an_unknown_excluded_id_is_refused_with_similar_ones(config: dict[str, Any], tmp_path: Path) -> None:
    Path(config["videos"]).write_text("video\turl\nnight_1\thttps://a.example\n")
    with pytest.raises(UserError, match="exclude: 'night' is not in .*videos.tsv; allowed: .*night_1"):
        rows_of(config | {"exclude": ["night"]})
    assert rows_of(config | {"exclude": ["night_1"]}) == {}
    assert rows_of(config | {"videos": str(tmp_path / "none.tsv"), "sources": ["https://a.example"]}) == {}


def test_no_dataset_is_made_without_rows(config: dict[str, Any]) -> None:
    assert no_dataset(config, rows_of(config)) == ""
    assert "add rows" in no_dataset(config, {})
    assert "all rows" in no_dataset(config | {"exclude": ["a"]}, {})
    assert "only with the target rehydrate" in no_dataset(config | {"rehydrate": "folder"}, rows_of(config))


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))
def test_one_video_may_always_leave_and_more_only_up_to_the_share(removed: int, rest: int, share: float) -> None:
    def check() -> None:
        check_removed({f"v{i}" for i in range(removed)}, removed + rest, share)

    if removed <= 1 or removed <= share * (removed + rest):
        check()
    else:
        with pytest.raises(UserError):
            check()


def test_rows_with_other_addresses_of_one_video_share_split_and_media(config: dict[str, Any]) -> None:
    short, long = "https://youtu.be/aaaaaaaaaaa?si=x", "https://www.youtube.com/watch?v=aaaaaaaaaaa&t=3"
    Path(config["videos"]).write_text(f"video\turl\tsplit\na\t{short}\tval\nb\t{long}\nc\thttps://youtu.be/b\n")
    assert {video: row.split for video, row in rows_of(config).items()} == {"a": "val", "b": "val", "c": ""}
    assert parts_of(config, "a") == parts_of(config, "b") == {"a": short, "b": long}
