"""Which hosts a download reaches, by which way, and what it sends them."""

from pathlib import Path

import pytest

from tests._acts import redirect
from tests._downloads import download
from tests._server import FaultServer, serve


def test_private_hosts_are_refused_unless_allowed(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    for url in (server.add("/clip.mp4", clip), server.url("/clip.mp4").replace("127.0.0.1", "localhost")):
        record = download(url, tmp_path, allow_private_hosts=False)
        assert (record["status"], record["attempts"]) == ("rejected", 1)
        assert "allow_private_hosts" in record["message"] and not server.requests


@pytest.mark.parametrize("way", ["redirect", "page", "playlist", "key", "redirected media"])
def test_no_way_leads_from_a_public_host_to_a_private_one(
    server: FaultServer, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr("scripts.download.private_hosts.is_public", lambda address: address == "127.0.0.2")
    inside = server.add("/inside.mp4", clip)
    with FaultServer("127.0.0.2") as outside:
        outside.add("/clip.mp4", clip)
        key = f'#EXT-X-KEY:METHOD=AES-128,URI="{inside}"\n' if way == "key" else ""
        segment = outside.url("/clip.mp4") if way == "key" else inside
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{key}#EXTINF:6,\n{segment}\n#EXT-X-ENDLIST\n"
        outside.acts["/away.mp4"] = [redirect(inside)]
        outside.add("/away.mp4", clip)
        url = {
            "redirect": outside.url("/away.mp4"),
            "page": outside.page("/page", inside),
            "playlist": outside.add("/list.m3u8", playlist, "application/vnd.apple.mpegurl"),
            "key": outside.add("/list.m3u8", playlist, "application/vnd.apple.mpegurl"),
            "redirected media": outside.page("/page", "/away.mp4"),
        }[way]
        record = download(url, tmp_path / "a", allow_private_hosts=False)
        assert (record["status"], record["attempts"]) == ("rejected", 1) and "127.0.0.1" in record["message"]
        assert not server.requests and outside.requests
        assert download(outside.url("/clip.mp4"), tmp_path / "b", allow_private_hosts=False)["status"] == "ok"


def test_cookies_are_sent_and_never_written(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\ts3cret-1\n")
    jar.chmod(0o400)
    before = jar.stat()
    server.cookie = "given=s3cret-2"
    record = download(server.add("/clip.mp4", clip), tmp_path, cookies=str(jar))
    assert record["status"] == "ok" and all("session=s3cret-1" in asked.cookie for asked in server.log)
    after = jar.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p != jar and b"s3cret" in p.read_bytes()]


def test_a_proxy_is_used(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    server.add("/clip.mp4", clip)
    server.acts["http://video.example/clip.mp4"] = [serve]
    server.files["http://video.example/clip.mp4"] = server.files["/clip.mp4"]
    record = download("http://video.example/clip.mp4", tmp_path, proxy=server.url(""), allow_private_hosts=False)
    assert record["status"] == "ok" and set(server.requests) == {"http://video.example/clip.mp4"}
