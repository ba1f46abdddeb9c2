"""Files appear completely or not at all, and share bytes."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.core.files import (
    clear_parts,
    delete_folder,
    link_file,
    sha256_of,
    unfinished,
    whole_file,
    write_json,
)
from tests._seccomp import HARD
from tests.conftest import REPO


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


def link_where_the_kernel_refuses(error: str, also_symbolic: bool, kind: str, source: Path, target: Path) -> None:
    """Link a file in a process whose system calls for links fail, as on file systems without links."""
    command = [sys.executable, "-m", "tests._seccomp", error, str(also_symbolic), kind, str(source), str(target)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("this kernel lets no process filter its system calls")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(platform.machine() not in HARD, reason="the numbers of the system calls are unknown")
@pytest.mark.public_report(
    "rclone 4980",
    saw="ln: failed to create hard link: Function not implemented",
    here="frames are copied there, and media get symbolic links",
)
@pytest.mark.public_report(
    "docker/for-mac 5036",
    saw="a hard link on FAT fails with EIO instead of ENOTSUP, and the program exits",
    here="whatever the error, frames are copied and media get symbolic links",
)
@pytest.mark.parametrize("error", ["ENOSYS", "EXDEV", "EPERM", "EMLINK", "EACCES", "ENOTSUP", "EINVAL", "EIO"])
def test_without_hard_links_frames_are_copied_and_media_get_symbolic_links(tmp_path: Path, error: str) -> None:
    source = tmp_path / "s"
    source.write_bytes(b"1")
    link_where_the_kernel_refuses(error, False, "link_file", source, tmp_path / "copy")
    link_where_the_kernel_refuses(error, False, "link_media", source, tmp_path / "media")
    assert not (tmp_path / "copy").samefile(source) and (tmp_path / "copy").read_bytes() == b"1"
    assert (tmp_path / "media").is_symlink() and (tmp_path / "media").samefile(source)


@pytest.mark.skipif(platform.machine() not in HARD, reason="the numbers of the system calls are unknown")
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_without_any_links_media_are_copied(tmp_path: Path, error: str) -> None:
    source = tmp_path / "s"
    source.write_bytes(b"1")
    link_where_the_kernel_refuses(error, True, "link_media", source, tmp_path / "media")
    assert not (tmp_path / "media").is_symlink() and (tmp_path / "media").read_bytes() == b"1"


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


def test_only_parts_of_the_named_file_are_deleted(tmp_path: Path) -> None:
    names = {name: tmp_path / name for name in (".a.json.7.part", ".b.json.7.part", "a.json")}
    for path in names.values():
        path.touch()
    clear_parts(tmp_path / "a.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.json.7.part", "a.json"]


def test_a_half_deleted_folder_has_lost_its_name(tmp_path: Path) -> None:
    code = (
        "import os, shutil, sys; from pathlib import Path; from scripts.core.files import delete_folder;"
        "shutil.rmtree = lambda path: os._exit(9); delete_folder(Path(sys.argv[1]))"
    )
    (tmp_path / "night").mkdir()
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "night")], cwd=REPO, check=False).returncode == 9
    assert not (tmp_path / "night").exists()
    (tmp_path / "avenue").mkdir()
    delete_folder(tmp_path / "avenue")
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]


def test_folders_of_killed_jobs_are_deleted_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from scripts.core.files import unfinished\n"
        "with unfinished(Path(sys.argv[1])) as folder: os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=REPO, check=False)
    [left] = tmp_path.iterdir()
    with unfinished(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder] != [left]
    assert not list(tmp_path.iterdir())
