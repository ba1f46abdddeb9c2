"""The options of a download hold what the configuration says."""

from typing import Any

import pytest
import yaml

from scripts.download.options import DownloadOptions, SiteLimits
from scripts.inputs.config import check_config
from tests.conftest import DOWNLOAD, REPO


def test_options_and_site_limits_have_the_values_of_the_configuration() -> None:
    sites = {"*": {"jobs": 4, "sleep_s": [1, 2], "per_hour": 9, "pause_s": 30}}
    options = DownloadOptions.from_config(DOWNLOAD | {"sites": sites, "cookies": "c.txt", "ytdlp": {"format": "b"}})
    assert options.sites == {"*": SiteLimits(jobs=4, sleep_s=(1, 2), per_hour=9, pause_s=30)}
    assert vars(options) == {
        **{key: value for key, value in DOWNLOAD.items() if key != "max_failed_share"},
        "cookies": "c.txt",
        "ytdlp": {"format": "b"},
        "sites": options.sites,
    }


def test_the_defaults_of_the_schema_are_complete() -> None:
    config: dict[str, Any] = yaml.safe_load((REPO / "config/config.yaml").read_text()) | {"download": {}}
    check_config(config, yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text()))
    options = DownloadOptions.from_config(config["download"])
    assert options.max_height_px == 720 and options.sites["youtube.com"].sleep_s == (5, 10)


@pytest.mark.parametrize("key", ["attempts", "sites"])
def test_a_missing_key_is_an_error(key: str) -> None:
    with pytest.raises(KeyError, match=key):
        DownloadOptions.from_config({name: value for name, value in DOWNLOAD.items() if name != key})
