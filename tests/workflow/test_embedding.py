"""Copies are found by a detector's vectors in a whole run."""

import json

import numpy as np

from scripts.core.files import sha256_of
from scripts.core.tables import read_rows
from scripts.dedup.vector_space import VECTOR_ROLES
from tests._run import Run


def test_a_run_by_vectors_drops_the_copy_and_does_nothing_twice(fresh: Run) -> None:
    fresh.write_table(
        "avenue\tclips/avenue.mp4\t\t4\ttrain\tcity", "avenue_copy\tclips/avenue_copy.mp4\t\t4\ttrain\tcity"
    )
    config = fresh.read_config() | {"dedup": {"method": "embedding", "max_distance_bits": 2}}
    fresh.write_config(config)
    outcome = fresh.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    assert outcome.jobs["embed_frames"] == outcome.jobs["compile_model"] == 2, "OpenVINO for the filter, weights for it"
    results = fresh.folder / "results"
    kept = json.loads((results / "dedup/kept.json").read_text())
    copied = [row for row in read_rows(results / "dedup/copies.parquet") if row["video"] == "avenue_copy"]
    assert kept["avenue"]["frames"] and not kept["avenue_copy"]["frames"]
    assert copied and all(row["representative"].startswith("avenue/") and row["hash"] for row in copied)
    vectors = np.load(results / "vectors/avenue.npy")
    assert vectors.dtype == np.float16 and vectors.shape[1] == len(VECTOR_ROLES)
    assert np.abs(np.linalg.norm(vectors.astype(float), axis=2) - 1).max() < 0.01
    assert fresh.snakemake("-n").nothing_to_do

    fresh.write_config(config | {"dedup": config["dedup"] | {"weights_sha256": "0" * 64}})
    refused = fresh.snakemake()
    assert refused.code != 0 and "dedup.weights_sha256: detector.pt has" in refused.text and not refused.jobs

    before = [sha256_of(path) for path in sorted((results / "vectors").iterdir())]
    config["dedup"] |= {"match_mirrored": True}
    fresh.write_config(config)
    jobs = fresh.snakemake("--forcerun", "embed_frames", "--cores", "1").jobs
    assert jobs["embed_frames"] == 2 and jobs["hash_frames"] == jobs["filter_frames"] == 0
    assert before == [sha256_of(path) for path in sorted((results / "vectors").iterdir())], "on one core as on two"
