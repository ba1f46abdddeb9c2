"""Remove credentials, tokens, signed addresses and local folders from what is published about a source."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from scripts.core.characters import MOST_CHARACTERS, one_line
from scripts.inputs.columns import CREDITS
from scripts.inputs.urls import is_local

if TYPE_CHECKING:
    from scripts.core.row_types import VideoRecord

# Fields of yt-dlp's answer that may be published. All others can contain cookies, tokens or signed addresses.
PROVENANCE = (
    "id", "title", "extractor_key", "uploader", "uploader_id", "channel", "channel_id", "license", "upload_date",
    "duration", "language", "age_limit", "availability", "categories", "tags", "format_id", "vcodec", "width", "height",
    "fps",
)  # fmt: skip

MADE_UP = frozenset({"Generic", "HTML5MediaEmbed"})  # their ids and titles are parts of the address
SECRET = re.compile(r"token|sig|key|auth|pass|secret|session|cred", re.IGNORECASE)  # parameters of a query
YOUTUBE_KEYS = frozenset({"v", "list", "search_query"})  # parameters that name a video, a playlist or a search


def public_url(url: str) -> str:
    """Return a source without credentials, tokens and local folders."""
    if is_local(url):
        return Path(url).name
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    youtube = host == "youtube.com" or host.endswith(".youtube.com")
    kept = [(key, value) for key, value in parse_qsl(parts.query) if youtube and key in YOUTUBE_KEYS]
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, host + port, parts.path, urlencode(kept), ""))


def redact(text: str, url: str) -> str:
    """Return a text without the secrets of the source's URL and of all URLs in the text."""
    text = text.encode("utf-8", "replace").decode()  # sites send half surrogate pairs, which UTF-8 cannot encode
    text = re.sub(r"https?://\S+", lambda match: _public_or_malformed(match[0]), text)
    if is_local(url):
        return text
    parts = urlsplit(url)
    kept = urlsplit(public_url(url)).query
    secrets = {value for key, value in parse_qsl(parts.query) if len(value) >= 12 or (SECRET.search(key) and value)}
    for secret in sorted(secrets | ({parts.query} - {""}), key=len, reverse=True):
        if len(secret) >= 4 and secret not in kept:
            text = text.replace(f"?{secret}", "").replace(secret, "...")
    return text


def _public_or_malformed(url: str) -> str:
    bare = url.rstrip(")'\",.;:>]")
    try:
        return public_url(bare) + url[len(bare) :]
    except ValueError:
        return "(malformed URL)"


def provenance(info: dict[str, Any], url: str) -> dict[str, Any]:
    """Return the publishable part of yt-dlp's description of a video."""
    fields = {name: info[name] for name in PROVENANCE if info.get(name) is not None}
    if info.get("extractor_key") in MADE_UP:
        fields |= {name: str(fields[name]).split("?")[0] for name in ("id", "title") if name in fields}
    site_id = fields.get("id") if info.get("extractor_key") not in MADE_UP else None
    fields = {name: _redacted(value, url) for name, value in fields.items()}
    fields |= {"id": site_id} if site_id else {}  # it is often a query's value, which redact() would remove
    return fields | {"webpage_url": public_url(str(info.get("webpage_url") or url))}


def _redacted(value: Any, url: str) -> Any:
    if isinstance(value, list):
        return [_redacted(item, url) for item in value]
    return redact(value, url) if isinstance(value, str) else value


def credits_of(record: "VideoRecord", extra: Mapping[str, str]) -> dict[str, str]:
    """Return the maker, title and licence of a video, from the table or else from the site."""
    found = {name: extra.get(name) or record["source"].get(name) or "" for name in sorted(CREDITS)}
    return {name: one_line(str(value), MOST_CHARACTERS) for name, value in found.items()}
