"""Files that other users may have written are read with limits, and links are refused."""

import os
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.core.files import write_json
from scripts.core.shared_files import MOST_JSON_BYTES, is_own_file, read_shared_json, refuse_link


def test_a_link_is_refused_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="link is a symbolic link.*delete it"):
        refuse_link(tmp_path / "link")
    refuse_link(tmp_path)
    refuse_link(tmp_path / "missing")


def test_only_a_json_file_of_limited_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    assert read_shared_json(path) == {"a": 1}
    (tmp_path / "link.json").symlink_to(path)
    os.mkfifo(tmp_path / "pipe.json")  # a plain open() would wait for a writer
    for name in ("link.json", "missing.json"):
        with pytest.raises(OSError, match=name):
            read_shared_json(tmp_path / name)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "text.json").write_bytes(b"\xff\xfe")
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(MOST_JSON_BYTES + 1)
    for name in ("pipe.json", "deep.json", "text.json", "huge.json"):
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own message
            read_shared_json(tmp_path / name)


def test_a_file_with_another_name_is_not_ones_own(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.write_text("a")
    assert is_own_file(own) and not is_own_file(tmp_path)
    os.link(own, other)
    (tmp_path / "link").symlink_to(own)
    assert not is_own_file(own) and not is_own_file(other) and not is_own_file(tmp_path / "link")


def test_a_planted_link_under_a_temporary_name_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".a.json.{os.getpid()}.part").symlink_to(victim)
    write_json(tmp_path / "a.json", 1)
    assert victim.read_text() == "mine" and not (tmp_path / "a.json").is_symlink()
