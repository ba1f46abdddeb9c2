"""The configuration of downloads, as a type: the keys under `download` of config.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class SiteLimits:
    """The rate limits of one site, an entry of `download.sites`."""

    jobs: int
    sleep_s: tuple[float, float]
    per_hour: int  # 0: no limit
    pause_s: float


@dataclass(frozen=True)
class DownloadOptions:
    """How videos are downloaded. The fields have the names and meanings of the configuration keys."""

    max_height_px: int
    attempts: int
    wait_s: float
    timeout_s: float
    deadline_s: float
    max_size_mb: float
    min_speed_kb_s: float
    cookies: str
    proxy: str
    allow_private_hosts: bool
    ytdlp: Mapping[str, Any]
    sites: Mapping[str, SiteLimits]

    @classmethod
    def from_config(cls, section: Mapping[str, Any]) -> "DownloadOptions":
        """Return the options in the section `download` of a checked configuration."""
        values = {field.name: section[field.name] for field in fields(cls)}
        sites = {
            name: SiteLimits(**limits | {"sleep_s": tuple(limits["sleep_s"])})
            for name, limits in section["sites"].items()
        }
        return cls(**values | {"sites": sites})
