"""Drop frames that show the same."""


checkpoint deduplicate:
    """Keep one frame of each group of copies, over all videos."""
    input:
        records=collect("results/download/{video}/video.json", video=VIDEOS),
        filtered=collect("results/filtered/{video}", video=VIDEOS),
    output:
        # The file that detect_objects reads comes first: Snakemake looks for no other in a checkpoint's users.
        kept="results/dedup/kept.json",
        manifest="results/dedup/manifest.parquet",
    log:
        "logs/deduplicate.log",
    benchmark:
        "benchmarks/deduplicate.tsv"
    conda:
        "../envs/data.yaml"
    params:
        videos=list(VIDEOS),
        max_distance_bits=config["dedup"]["max_distance_bits"],
        code=code_hash("deduplicate"),
    script:
        "../scripts/deduplicate.py"
