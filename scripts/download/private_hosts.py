"""Block connections to private networks while a process follows URLs from the internet."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from scripts.download.options import DownloadOptions


def _networks(*names: str) -> tuple[Any, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


# The special-purpose registries of IANA (RFC 6890) and multicast. Python's own table is shorter, and differs between
# its versions. Some of these are reachable from anywhere, such as 192.0.0.9, but lead to a gateway nearby.
SPECIAL_V4 = _networks(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",  # the host of a virtual machine in Microsoft's cloud
)  # fmt: skip
GLOBAL_V6 = ipaddress.ip_network("2000::/3")  # all that is assigned to hosts
SPECIAL_V6 = _networks("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
TRANSLATED = _networks("64:ff9b::/96", "64:ff9b:1::/96")  # a gateway (NAT64) takes the IPv4 address at their end
PROXIES = re.compile(r"(all|https?|socks\w*)", re.IGNORECASE)  # not `no`, which lists hosts without a proxy


class PrivateHost(socket.gaierror):
    """A name resolves to this machine or a private network; libraries see a failed lookup."""


def is_public(address: str) -> bool:
    """Return whether an IP address, and any IPv4 address in it, belongs to the public internet."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in SPECIAL_V4)
    if any(ip in network for network in TRANSLATED):
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if ip.ipv4_mapped:
        return is_public(str(ip.ipv4_mapped))
    return ip.is_global and ip in GLOBAL_V6 and not any(ip in network for network in SPECIAL_V6)


def allowed_hosts(options: DownloadOptions) -> AbstractContextManager[None]:
    """Return a context in which this process reaches only hosts that the options allow."""
    return nullcontext() if options.allow_private_hosts else only_public_hosts(options.proxy)


@contextmanager
def only_public_hosts(proxy: str) -> Iterator[None]:
    """Let lookups in this process find public addresses only.

    Connections use the addresses of the lookup, so a name cannot change in between. The configured proxy and those of
    the environment may be private. A proxy itself must refuse private hosts behind it.
    """
    environment = [url for name, url in getproxies().items() if PROXIES.fullmatch(name)]
    exempt, look_up = _endpoints([proxy, *environment]), socket.getaddrinfo

    def guarded(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        found = look_up(host, port, *args, **kwargs)
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if (name.lower(), str(port)) in exempt:
            return list(found)
        public = [entry for entry in found if is_public(str(entry[4][0]))]
        if not public:
            raise PrivateHost(
                socket.EAI_NONAME,
                f"{name} is {found[0][4][0]}, an address of this machine or a private network;"
                " to allow such hosts, set config key download.allow_private_hosts to true",
            )
        return public

    socket.getaddrinfo = guarded
    try:
        yield
    finally:
        socket.getaddrinfo = look_up


def _endpoints(urls: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return host and port of each proxy."""
    parts = [urlsplit(url if "://" in url else f"http://{url}") for url in urls if url]
    usual = {"http": 80, "https": 443}
    return frozenset(((p.hostname or "").lower(), str(p.port or usual.get(p.scheme, 1080))) for p in parts)
