"""ffmpeg is found on any machine, and an old one is passed over."""

import os
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from scripts._media import MIN_FFMPEG, _version, ffmpeg_exe


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    ffmpeg_exe.cache_clear()
    yield
    ffmpeg_exe.cache_clear()


def fake_ffmpeg(folder: Path, version: str) -> Path:
    exe = folder / "ffmpeg"
    exe.write_text(f"#!/bin/sh\necho 'ffmpeg version {version} Copyright'\n")
    exe.chmod(0o755)
    return exe


@pytest.mark.parametrize(
    ("version", "taken"),
    [("4.4.2-0ubuntu0.22.04.1", False), ("5.1.6-0+deb12u1", True), ("n7.1", True), ("N-12345-gabcdef", False)],
)
def test_the_systems_ffmpeg_is_taken_if_it_is_recent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    system = fake_ffmpeg(tmp_path, version)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert (ffmpeg_exe() == str(system)) is taken


def test_without_one_the_packaged_ffmpeg_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg_exe() == imageio_ffmpeg.get_ffmpeg_exe()
    assert _version(ffmpeg_exe()) >= MIN_FFMPEG
