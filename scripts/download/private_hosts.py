"""Keep a process that follows addresses from the internet out of private networks."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from scripts.download.options import DownloadOptions

# Networks whose addresses carry an IPv4 address inside, which a gateway would unwrap (RFC 6052, 4291, 2765).
WRAPPED = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/96", "::/96", "::ffff:0:0:0/96")]
PROXIES = re.compile(r"(all|https?|socks\w*)", re.IGNORECASE)  # and not `no`, which names who needs none


class PrivateHost(socket.gaierror):
    """A name that resolves to this machine or a private network; for every library a failed look-up."""


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet, whatever it is wrapped in."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if any(ip in net for net in WRAPPED):
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(v4 is not None and not is_public(str(v4)) for v4 in inner):
            return False
    return ip.is_global and not ip.is_multicast and not getattr(ip, "is_site_local", False)


def allowed_hosts(options: DownloadOptions) -> AbstractContextManager[None]:
    """Return the context in which this process reaches only hosts that the download's options allow."""
    return nullcontext() if options.allow_private_hosts else only_public_hosts(options.proxy)


@contextmanager
def only_public_hosts(proxy: str) -> Iterator[None]:
    """Let look-ups in this process find public addresses only.

    Connections use the very addresses that were looked up, so a name cannot be rebound in between. The configured
    proxy and those of the environment may be private; what lies behind one is the proxy's to refuse.
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
                " config key download.allow_private_hosts: true lets such hosts in",
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
