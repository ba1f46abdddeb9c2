"""Of 15 videos twelve fail: the dataset is made of the others, each failure has its message, and a retry mends some."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.core.tsv import read_tsv
from scripts.inputs.gathered import GATHERING
from tests._acts import reset, stall
from tests._run import LayOut, Outcome, Run
from tests._server import FaultServer, cut_short, refuse
from tests.conftest import DEMO, DOWNLOAD, H264, MakeClip

SECRETS = ("s3cret-query", "s3cret-media-token", "s3cret-session", "s3cret-given")
GONE = {
    "gone": "unavailable", "removed": "unavailable", "closed": "forbidden", "page_for_video": "invalid_media",
    "login": "unsupported", "two": "rejected", "huge": "rejected", "half": "invalid_media",
}  # fmt: skip
PASSING = {"busy": "failed", "limited": "blocked", "resets": "failed", "stalls": "failed"}
GOOD = 3
# Four that may come later are no outage.
DOWNLOADS = DOWNLOAD | {"attempts": 2, "timeout_s": 2, "cookies": "cookies.txt", "max_failed_share": 0.3}


def huge(handler: Any) -> None:
    handler.start(200, "video/mp4", Content_Length=str(50 * 10**12))
    handler.write(b"x" * 1000)


def serve_all(server: FaultServer, blank: Path) -> None:
    """Serve good videos with objects and twelve bad ones, each behind a page with a signed link."""
    scenes = [DEMO / f"clips/{name}.mp4" for name in ("avenue", "park", "crossing", "night")]
    server.cookie = "given=s3cret-given; Path=/"
    for number in range(GOOD):
        server.add(f"/media/good{number}.mp4", scenes[number])
        server.page(f"/good{number}", f"/media/good{number}.mp4?token=s3cret-media-token")
    for name in (*GONE, *PASSING):
        server.add(f"/media/{name}.mp4", scenes[3] if name == "busy" else blank)
        server.page(f"/{name}", f"/media/{name}.mp4?token=s3cret-media-token")
    server.page("/two", "/media/two.mp4", "/media/half.mp4")
    server.add("/login", "<html>log in</html>", "text/html")
    server.add("/media/page_for_video.mp4", "<html>log in</html>")
    server.acts |= {
        "/gone": [refuse(404)], "/removed": [refuse(410)], "/closed": [refuse(403)], "/media/huge.mp4": [huge],
        "/media/half.mp4": [cut_short(0.5)], "/busy": [refuse(503)], "/limited": [refuse(429)],
        "/media/resets.mp4": [reset], "/media/stalls.mp4": [stall(before_headers=True)],
    }  # fmt: skip


@pytest.fixture(scope="module")
def server(make_clip: MakeClip) -> Iterator[FaultServer]:
    with FaultServer() as running:
        serve_all(running, make_clip("blank.mp4", "-f", "lavfi", "-i", "color=black:size=320x180:duration=2", *H264))
        yield running


@pytest.fixture(scope="module")
def ran(server: FaultServer, demo: LayOut, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Outcome]:
    run = demo(tmp_path_factory.mktemp("failures") / "run")
    names = [f"good{number}" for number in range(GOOD)] + [*GONE, *PASSING]
    run.write_table(*[f"{name}\t{server.url(f'/{name}')}?sig=s3cret-query\t\t\t\tcity" for name in names])
    (run.folder / "cookies.txt").write_text("127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\ts3cret-session\n")
    run.write_config(run.read_config() | {"download": DOWNLOADS})
    return run, run.snakemake("--resources", "gpu=1", "download=4")


def registry(run: Run) -> dict[str, dict[str, str]]:
    with (run.folder / "results/registry.tsv").open(newline="") as file:
        return {row["video"]: row for row in csv.DictReader(file, delimiter="\t")}


@pytest.mark.public_report(
    "iejMac/video2dataset 255", saw="the dataset holds metadata and captions of videos whose download failed",
    here="the dataset's tables list only videos that it has images of",
)  # fmt: skip
@pytest.mark.public_report(
    "tubearchivist 924", saw="a failed download shows no reason outside the log",
    here="the registry and the summary name each failed video with its status and message",
)  # fmt: skip
@pytest.mark.public_report(
    "yt-dlp 8656", saw="no list of the videos that were not downloaded",
    here="the registry lists each failed video with its status and message",
)  # fmt: skip
@pytest.mark.public_report(
    "DjManager 152", saw="one unavailable video fails the whole playlist",
    here="the dataset is made of the other videos",
)  # fmt: skip
def test_the_dataset_is_made_of_the_rest_and_every_failure_is_named(ran: tuple[Run, Outcome]) -> None:
    run, outcome = ran
    assert outcome.code == 0, outcome.text[-3000:]
    rows = registry(run)
    assert {name: row["status"] for name, row in rows.items() if row["status"] != "ok"} == GONE | PASSING
    assert all(rows[name]["message"] for name in (*GONE, *PASSING))
    assert "3 of 15 videos ok" in outcome.text
    assert "a retry may fetch 4 of them: snakemake retry_failed, with the options" in outcome.text
    assert {row["video"] for row in rows.values() if int(row["exported"] or 0)} <= {f"good{i}" for i in range(GOOD)}
    dataset = run.folder / "results/dataset"
    assert list((dataset / "images").rglob("*.jpg"))
    exported = {row["video"] for row in rows.values() if int(row["exported"] or 0)}
    for name in ("videos.tsv", "ATTRIBUTION.tsv"):
        assert {row["video"] for row in read_tsv(dataset / name)} == exported != set()
    assert run.snakemake("-n").nothing_to_do


def test_nothing_published_holds_a_secret(ran: tuple[Run, Outcome], server: FaultServer) -> None:
    run, outcome = ran
    asked = "".join(f"{request.path} {request.cookie}" for request in server.log)
    assert all(secret in asked for secret in SECRETS), "the run used them all"
    checked = 0
    for path in [*(run.folder / "results").rglob("*"), *(run.folder / "logs").rglob("*")]:
        if path.is_file():
            checked += 1
            body = path.read_bytes()
            assert not [secret for secret in SECRETS if secret.encode() in body], path
    assert checked > 120 and not [secret for secret in SECRETS if secret in outcome.text]


def test_attribution_names_the_address_without_its_query(ran: tuple[Run, Outcome], server: FaultServer) -> None:
    text = (ran[0].folder / "results/dataset/ATTRIBUTION.tsv").read_text()
    assert server.url("/good0") in text and "license" in text.splitlines()[0]


@pytest.mark.public_report(
    "img2dataset 452", saw="failed samples cannot be downloaded again without the others",
    here="retry_failed downloads only videos that failed for a temporary reason",
)  # fmt: skip
@pytest.mark.public_report(
    "img2dataset 333", saw="no way to retry after the network was gone for a while",
    here="retry_failed downloads only videos that failed for a temporary reason",
)  # fmt: skip
def test_trying_again_fetches_only_what_may_come(ran: tuple[Run, Outcome], server: FaultServer, tmp_path: Path) -> None:
    run = ran[0].copy(tmp_path / "run")
    before = {name: (run.folder / f"results/download/{name}/video.json").read_bytes() for name in registry(run)}
    server.acts.clear()
    server.log.clear()
    planned = run.snakemake("retry_failed", "-n")
    assert planned.jobs["download_video"] == 4 and not (run.folder / "results/retries.json").exists()
    outcome = run.snakemake("retry_failed")
    assert outcome.code == 0, outcome.text[-3000:]
    touched = {request.path.split("?")[0].removeprefix("/media").strip("/") for request in server.log}
    assert {name.removesuffix(".mp4") for name in touched} == set(PASSING)
    chain = dict.fromkeys(("download_video", "extract_frames", "filter_frames", "hash_frames"), 4)
    together = (*GATHERING, "deduplicate", "detect_objects", "export_dataset", "report", "record_provenance")
    once = dict.fromkeys(together, 1)  # one shows something new
    assert outcome.jobs == chain | once
    rows = registry(run)
    assert {name for name, row in rows.items() if row["status"] != "ok"} == set(GONE)
    for name, record in before.items():
        same = (run.folder / f"results/download/{name}/video.json").read_bytes() == record
        assert same is (name not in PASSING), name
    retries = (run.folder / "results/retries.json").read_bytes()
    assert run.snakemake("-n").nothing_to_do and run.snakemake("retry_failed").nothing_to_do
    assert (run.folder / "results/retries.json").read_bytes() == retries, "nothing was retried, so nothing is counted"


def test_another_limit_fetches_only_what_the_old_one_rejected(
    ran: tuple[Run, Outcome], server: FaultServer, tmp_path: Path
) -> None:
    run = ran[0].copy(tmp_path / "run")
    run.write_config(run.read_config() | {"download": DOWNLOADS | {"max_size_mb": 100, "attempts": 3}})
    server.acts["/media/huge.mp4"] = [huge]
    assert run.snakemake("-n").jobs["download_video"] == len([name for name in GONE if GONE[name] == "rejected"])
    assert run.snakemake().code == 0
    assert registry(run)["huge"]["message"].startswith("larger than max_size_mb = 100")
    assert run.snakemake("-n").nothing_to_do


def test_an_outage_stops_the_dataset_and_trying_again_makes_it(
    server: FaultServer, demo: LayOut, tmp_path: Path
) -> None:
    run = demo(tmp_path / "run")
    run.write_table(*[f"v{i}\t{server.url(f'/out{i}')}\t\t\t\tcity" for i in range(2)])
    run.write_config(
        run.read_config() | {"download": DOWNLOADS | {"cookies": "", "attempts": 1, "max_failed_share": 0.2}}
    )
    for number in range(2):
        server.add(f"/out{number}", DEMO / "clips/night.mp4")
    server.acts |= {"/out1": [refuse(503)]}
    outcome = run.snakemake()
    assert outcome.code == 1 and not (run.folder / "results/dataset").exists()
    assert "1 of 2 videos failed or were blocked, more than download.max_failed_share = 0.2" in outcome.text
    assert outcome.jobs["filter_frames"] == 2, "what came is worked on as far as it goes"
    server.acts.clear()
    outcome = run.snakemake("retry_failed")
    assert outcome.code == 0 and outcome.jobs["download_video"] == 1, outcome.text[-3000:]
    assert "2 of 2 videos ok" in outcome.text
    assert json.loads((run.folder / "results/retries.json").read_text()) == {"v1": 1}
