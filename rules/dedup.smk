"""Drop copies of frames."""


rule hash_frames:
    """Hash the frames of one video that passed the filter."""
    input:
        filtered="results/filtered/{video}",
    output:
        hashes=directory("results/hashes/{video}"),
    log:
        "logs/hash_frames/{video}.log",
    priority: 25
    conda:
        "../envs/data.yaml"
    params:
        method=hash_method(config),
        code=code_hash("hash_frames"),
    script:
        "../scripts/dedup/hash_frames.py"


rule embed_frames:
    """Compute feature vectors of the frames of one video that passed the filter; only with dedup.method embedding."""
    input:
        filtered="results/filtered/{video}",
        hashes="results/hashes/{video}",
        model=f"results/models/{model_name('dedup')}",
    output:
        vectors="results/vectors/{video}.npy",
    log:
        "logs/embed_frames/{video}.log",
    priority: 26
    conda:
        "../envs/vision.yaml"
    resources:
        gpu=1,
    params:
        work=ULTRALYTICS_FOLDER,
        code=code_hash("embed_frames"),
    script:
        "../scripts/dedup/embed_frames.py"


rule gather_videos:
    """Gather what was made of a shard's videos."""
    input:
        outputs_of_shard,
    output:
        # A folder, because Snakemake compares the bytes of a file: an image can change while the tables stay the same.
        shard=directory("results/gathered/videos/{shard}"),
    log:
        "logs/gather_videos/{shard}.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        videos=lambda wildcards: SHARDS[wildcards.shard],
        code=code_hash("gather_videos"),
    script:
        "../scripts/dedup/gather_videos.py"


checkpoint deduplicate:
    """Keep one frame of each group of copies, over all videos."""
    input:
        shards=all_shards,
    output:
        # The file that detect_objects reads comes first: of a checkpoint's outputs, Snakemake looks only for this one.
        kept="results/dedup/kept.json",
        copies="results/dedup/copies.parquet",
        distances="results/dedup/distances.json",
    log:
        "logs/deduplicate.log",
    conda:
        "../envs/data.yaml"
    # untracked: download.max_failed_share: another limit decides whether a run may go on and changes no result
    params:
        videos=list(VIDEOS),
        vectors=lambda wildcards: VECTORS,  # a pattern
        rules={key: config["dedup"][key] for key in DEDUP_RULES},
        code=code_hash("deduplicate"),
    script:
        "../scripts/dedup/deduplicate.py"
