"""Let yt-dlp use HTTP only. For other protocols it runs programs, such as rtmpdump, or opens unlimited connections."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from scripts.download.faults import Unsupported

PROTOCOLS = frozenset({"http", "https", "m3u8", "m3u8_native", "http_dash_segments"})  # yt-dlp's names
SCHEMES = frozenset({"http", "https", "data"})  # a `data:` URL holds its data


def check_protocol(media: Mapping[str, Any]) -> None:
    """Raise Unsupported if yt-dlp would download a format by other means than HTTP."""
    from yt_dlp.utils import determine_protocol

    url = str(media.get("url") or "")
    used = str(media.get("protocol") or (url and determine_protocol({"url": url})))
    other = set(used.split("+")) - PROTOCOLS or {urlsplit(url).scheme} - SCHEMES - {""}
    if other:
        name = min(other) or "an unknown protocol"
        raise Unsupported(f"the video is offered over {name}; only http, https, HLS and DASH are supported")


def check_scheme(url: str) -> None:
    """Raise Unsupported if a request is not for HTTP. A page or playlist may lead to any URL."""
    if (scheme := urlsplit(url).scheme.lower()) not in SCHEMES:
        raise Unsupported(f"the video leads to a URL of the protocol {scheme}; only http and https are supported")


def http_only(base: Any) -> Any:
    """Return a subclass of YoutubeDL that downloads and requests by HTTP only."""

    class HttpOnly(base):  # type: ignore[misc]
        def dl(self, name: str, info: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            check_protocol(info)
            return super().dl(name, info, *args, **kwargs)

        def urlopen(self, request: Any) -> Any:
            check_scheme(request if isinstance(request, str) else request.url)
            return super().urlopen(request)

    return HttpOnly


def keep_http_formats(info: dict[str, Any]) -> None:
    """Leave the formats of a video that check_protocol accepts. Raise Unsupported if there are only others."""
    kept, fault = [], None
    for media in info.get("formats") or []:
        try:
            check_protocol(media)
            kept.append(media)
        except Unsupported as error:
            fault = error
    if fault and not kept:
        raise fault
    if fault:
        info["formats"] = kept
