"""The report of a run."""


rule report:
    """Write the report page, the registry of all videos, and the page of times."""
    input:
        shards=all_shards,
        detections=DETECTIONS,
        copies="results/dedup/copies.parquet",
        distances="results/dedup/distances.json",
        dataset="results/dataset",
        provenance="results/provenance.json",
    output:
        page=report("results/report.html", caption="captions/page.rst", category="Dataset"),
        registry=report("results/registry.tsv", caption="captions/registry.rst", category="Videos"),
        # Outside results/, because times differ between runs.
        times=report("benchmarks/times.html", caption="captions/times.rst", category="Times"),
    log:
        "logs/report.log",
    conda:
        "../envs/data.yaml"
    params:
        videos={name: {"split": video.split, "extra": video.extra} for name, video in VIDEOS.items()},
        settings=published_settings(config),
        code=code_hash("report"),
    script:
        "../scripts/report/report.py"
