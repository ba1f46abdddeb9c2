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

# Networks whose addresses contain an IPv4 address that a gateway would unwrap (RFC 6052, 4291, 2765).
WRAPPED = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/96", "::/96", "::ffff:0:0:0/96")]
PROXIES = re.compile(r"(all|https?|socks\w*)", re.IGNORECASE)  # not `no`, which lists hosts without a proxy


class PrivateHost(socket.gaierror):
    """A name resolves to this machine or a private network; libraries see a failed lookup."""


def is_public(address: str) -> bool:
    """Return whether an IP address, and any IPv4 address in it, belongs to the public internet."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if any(ip in net for net in WRAPPED):
            embedded.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(v4 is not None and not is_public(str(v4)) for v4 in embedded):
            return False
    return ip.is_global and not ip.is_multicast and not getattr(ip, "is_site_local", False)


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
