"""Which addresses are public, and that lookups and downloads reach no others."""

import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest

from scripts.download.private_hosts import PrivateHost, is_public, only_public_hosts
from tests._acts import redirect
from tests._download import download
from tests._server import FaultServer


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("0.0.0.0", False), ("10.0.0.1", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("168.63.129.16", False),
        ("100.64.0.1", False), ("224.0.0.1", False), ("240.0.0.1", False), ("255.255.255.255", False),
        ("192.0.2.1", False), ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fc00::1", False),
        ("ff02::1", False), ("::ffff:127.0.0.1", False), ("::ffff:93.184.216.34", True), ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True), ("2002:7f00:1::", False), ("2001:db8::1", False),
        ("64:ff9b:1::7f00:1", False), ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False), ("fec0::1", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


# The blocks of IANA's special-purpose registries for IPv4 and IPv6, multicast, and the unassigned rest of IPv6.
SPECIAL = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
    "::1/128", "::/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
    "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48",
    "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "4000::/3", "8000::/1",
)  # fmt: skip


@pytest.mark.public_report(
    "python/cpython 113171",
    saw="ipaddress calls addresses global that no router forwards, others in each version of Python",
    here="all blocks of IANA's special registries are refused, by a table that does not depend on Python's version",
)
@pytest.mark.parametrize("block", SPECIAL)
def test_no_special_block_is_public(block: str) -> None:
    network = ipaddress.ip_network(block)
    size = network.num_addresses
    inside = {network[0], network[-1], *(network[size * part // 7] for part in range(7))}
    assert not [address for address in inside if is_public(str(address))]
    if network.version == 4:
        assert not [a for a in inside for way in ("::ffff:", "64:ff9b::", "64:ff9b:1::") if is_public(f"{way}{a}")]


def test_the_neighbours_of_special_blocks_are_public() -> None:
    for address in (
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "2000::", "2001:200::", "2001:db7::1", "2001:db9::1",
        "2003::1", "2620:4f:8001::1", "3ffe::1", "64:ff9b:1::5db8:d822",
    ):  # fmt: skip
        assert is_public(address), address


def found(*addresses: str) -> Any:
    return lambda host, *args, **kwargs: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in addresses]


def test_a_name_of_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", found("192.168.0.7"))
    with only_public_hosts(""), pytest.raises(PrivateHost, match="rebound.example is 192.168.0.7"):
        socket.create_connection(("rebound.example", 80))


def test_private_addresses_of_a_name_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", found("127.0.0.1", "93.184.216.34"))
    with only_public_hosts(""):
        assert [entry[4][0] for entry in socket.getaddrinfo("mixed.example", 80)] == ["93.184.216.34"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "::1"])
def test_this_machine_is_refused_in_any_spelling(host: str) -> None:
    with only_public_hosts(""), pytest.raises(socket.gaierror):
        socket.getaddrinfo(host, 80)
    assert socket.getaddrinfo("127.0.0.1", 80), "and outside of the guard it is found again"


def test_proxies_may_be_private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://10.1.2.3:3128")
    monkeypatch.setenv("no_proxy", "169.254.169.254")
    with only_public_hosts("socks5h://user:word@127.0.0.1:1080"):
        assert socket.getaddrinfo("127.0.0.1", 1080) and socket.getaddrinfo("10.1.2.3", "3128")
        for host, port in (("127.0.0.2", 80), ("127.0.0.1", 6379), ("169.254.169.254", 80)):
            with pytest.raises(PrivateHost):
                socket.getaddrinfo(host, port)


def test_private_hosts_are_refused_unless_allowed(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    for url in (server.add("/clip.mp4", clip), server.url("/clip.mp4").replace("127.0.0.1", "localhost")):
        record = download(url, tmp_path, allow_private_hosts=False)
        assert (record["status"], record["attempts"]) == ("rejected", 1)
        assert "allow_private_hosts" in record["message"] and not server.requests


@pytest.mark.parametrize("way", ["redirect", "page", "playlist", "key", "redirected media"])
def test_a_public_host_cannot_lead_to_a_private_one(
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
