"""Files appear whole or not at all, and share bytes."""

import errno
import os
from pathlib import Path

import pytest

from scripts.core.files import link_file, link_media, sha256_of, whole_file, write_json


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a/table"
    write_json(path, {"b": 1, "a": "é"})
    before = path.read_bytes()

    def fail_half_way() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert path.read_bytes() == before == '{\n "a": "é",\n "b": 1\n}\n'.encode()
    assert os.listdir(path.parent) == ["table"]


def test_links_share_bytes_and_replace_what_is_there(tmp_path: Path) -> None:
    source, target = tmp_path / "s", tmp_path / "x/t"
    source.write_bytes(b"1")
    for _ in range(2):
        link_file(source, target)
        assert target.samefile(source)


def test_other_file_systems_get_copies_of_frames_but_never_of_media(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "cross-device link")

    source = tmp_path / "s"
    source.write_bytes(b"1")
    monkeypatch.setattr("scripts.core.files.os.link", refuse)
    link_file(source, tmp_path / "copy")
    link_media(source, tmp_path / "media")
    assert not (tmp_path / "copy").is_symlink() and (tmp_path / "copy").read_bytes() == b"1"
    assert (tmp_path / "media").is_symlink() and (tmp_path / "media").samefile(source)


def test_other_errors_of_linking_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        link_file(tmp_path / "none", tmp_path / "t")


def test_the_digest_of_a_folder_covers_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    first = sha256_of(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = sha256_of(tmp_path)
    (tmp_path / "b").write_bytes(b"2")
    assert len({first, second, sha256_of(tmp_path)}) == 3
    assert sha256_of(tmp_path / "b") == "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
