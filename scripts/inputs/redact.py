"""What of a source may be published: no credentials, tokens, signed addresses or local folders."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from scripts.inputs.videos import CREDITS, is_local

# Fields of yt-dlp's answer that may be published; everything else can carry cookies, tokens or signed addresses.
PROVENANCE = (
    "id", "title", "extractor_key", "uploader", "uploader_id", "channel", "channel_id", "license", "upload_date",
    "duration", "language", "age_limit", "availability", "categories", "tags", "format_id", "vcodec", "width", "height",
    "fps",
)  # fmt: skip

MADE_UP = frozenset({"Generic", "HTML5MediaEmbed"})  # extractors whose ids and titles are parts of the address
SECRET = re.compile(r"token|sig|key|auth|pass|secret|session|cred", re.IGNORECASE)  # names of queries that hold one
YOUTUBE_KEYS = frozenset({"v", "list", "search_query"})  # queries that name a video, a playlist or a search


def public_url(url: str) -> str:
    """Return what may be published of a source: no credentials, no tokens, no local folder."""
    if is_local(url):
        return Path(url).name
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    youtube = host == "youtube.com" or host.endswith(".youtube.com")
    kept = [(key, value) for key, value in parse_qsl(parts.query) if youtube and key in YOUTUBE_KEYS]
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, host + port, parts.path, urlencode(kept), ""))


def redact(text: str, url: str) -> str:
    """Return a text without the secrets that addresses carry: those of the source, and of any URL that it quotes."""
    text = text.encode("utf-8", "replace").decode()  # sites send halves of characters, which no file takes
    text = re.sub(r"https?://\S+", lambda found: _public_or_nothing(found[0]), text)
    if is_local(url):
        return text
    parts = urlsplit(url)
    kept = urlsplit(public_url(url)).query
    secrets = {value for key, value in parse_qsl(parts.query) if len(value) >= 12 or (SECRET.search(key) and value)}
    for secret in sorted(secrets | ({parts.query} - {""}), key=len, reverse=True):
        if len(secret) >= 4 and secret not in kept:
            text = text.replace(f"?{secret}", "").replace(secret, "...")
    return text


def _public_or_nothing(url: str) -> str:
    bare = url.rstrip(")'\",.;:>]")
    try:
        return public_url(bare) + url[len(bare) :]
    except ValueError:
        return "(malformed URL)"


def provenance(info: dict[str, Any], url: str) -> dict[str, Any]:
    """Return what may be published of yt-dlp's description of a video."""
    said = {name: info[name] for name in PROVENANCE if info.get(name) is not None}
    if info.get("extractor_key") in MADE_UP:  # they make id and title up from the address
        said |= {name: str(said[name]).split("?")[0] for name in ("id", "title") if name in said}
    known_id = said.get("id") if info.get("extractor_key") not in MADE_UP else None  # often a query's value
    said = {name: _redacted(value, url) for name, value in said.items()} | ({"id": known_id} if known_id else {})
    return said | {"webpage_url": public_url(str(info.get("webpage_url") or url))}


def _redacted(value: Any, url: str) -> Any:
    if isinstance(value, list):
        return [_redacted(item, url) for item in value]
    return redact(value, url) if isinstance(value, str) else value


def credits_of(record: Mapping[str, Any], extra: Mapping[str, str]) -> dict[str, str]:
    """Return who made a video and under which licence: what the table says, else what the site said."""
    said = {name: extra.get(name) or record["source"].get(name) or "" for name in sorted(CREDITS)}
    return {name: " ".join(str(value).split()) for name, value in said.items()}
