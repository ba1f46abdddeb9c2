"""Check the source of a video: an http(s) URL or the path of a file."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
NO_VIDEOS = frozenset({"videoseries", "live_stream"})  # embedded lists and channels, as long as an id
YOUTUBE_HOSTS = frozenset({"youtube.com", "youtube-nocookie.com"})
YOUTUBE_FOLDERS = frozenset({"shorts", "live", "embed", "v", "e", "watch"})


def is_local(url: str) -> bool:
    """Return whether a source is a path. File names can have a colon, so only `://` and `http:` make a URL."""
    return not re.match(r"[A-Za-z][A-Za-z0-9+.-]+://|https?:", url, re.IGNORECASE)


def youtube_id(url: str) -> str:
    """Return the id of a video of YouTube, whatever form its address has; empty for others."""
    if is_local(url):
        return ""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    folders = parts.path.strip("/").split("/")
    found = ""
    if host.removeprefix("www.") == "youtu.be":
        found = folders[0]
    elif re.sub(r"^(www|m|music)\.", "", host) in YOUTUBE_HOSTS:
        if len(folders) == 2 and folders[0] in YOUTUBE_FOLDERS:
            found = folders[1]
        elif folders == ["watch"]:
            found = parse_qs(parts.query).get("v", [""])[0]
    return found if YOUTUBE_ID.fullmatch(found) and found not in NO_VIDEOS else ""


def source_of(url: str) -> str:
    """Return what is the same for all addresses of a video: of YouTube's the plain one, else the source itself."""
    video = youtube_id(url)
    return f"https://www.youtube.com/watch?v={video}" if video else url


def url_fault(url: str) -> str | None:
    """Return why a source cannot be used, or None. URLs must be http(s) and have no credentials; files must exist."""
    if not url:
        return "url is empty"
    if is_local(url):
        return _path_fault(Path(url))
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username or parts.password
        parts.port  # noqa: B018 - raises on a bad port
    except ValueError as error:
        return f"url '{url}' is malformed: {error}"
    if parts.scheme.lower() not in ("http", "https") or not host:
        return f"url '{url}' is neither http(s)://host/... nor the path of a file"
    if user:
        return f"url of host {host} contains a user name or password: remove them"
    if "__youtubedl_smuggle" in url or any(c.isspace() or not c.isprintable() for c in url):
        return f"url '{url}' contains characters or markers that no page address has"
    return None


def _path_fault(path: Path) -> str | None:
    if set("{}") & set(str(path)):
        return f"file name '{path}' contains braces, which Snakemake takes for wildcards: rename the file"
    if path.is_file():
        return None
    if SCHEME.match(str(path)):
        return f"url '{path}' is neither http(s)://host/... nor the path of a file"
    if path.is_dir():
        return f"'{path}' is a folder: write a row for each file in it"
    page = " (if it is a page: https:// is missing)" if "." in path.parts[0] and len(path.parts) > 1 else ""
    return f"no such file: '{path}', looked for in {Path.cwd()}{page}"
