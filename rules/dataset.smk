"""Export the dataset and record how it was made."""

from scripts.inputs.settings import required_weights, result_rules, result_settings


rule gather_detections:
    """Gather the labels of a shard's videos."""
    input:
        detections_of_shard,
    output:
        shard=directory("results/gathered/detections/{shard}"),
    log:
        "logs/gather_detections/{shard}.log",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        videos=lambda wildcards: SHARDS[wildcards.shard],
        code=code_hash("gather_detections"),
    script:
        "../scripts/dataset/gather_detections.py"


rule export_dataset:
    """Write images, labels in each format, ledger, card and attribution."""
    input:
        shards=all_shards,
        detections=DETECTIONS,
        copies="results/dedup/copies.parquet",
        filter_model=f"results/models/{model_name('filter')}",
        detect_model=f"results/models/{model_name('detect')}",
    output:
        dataset=directory("results/dataset"),
    log:
        "logs/export_dataset.log",
    conda:
        "../envs/data.yaml"
    params:
        videos={name: published_row(config, video) for name, video in VIDEOS.items()},
        settings=published_settings(config),
        code=code_hash("export_dataset"),
    script:
        "../scripts/dataset/export_dataset.py"


rule record_provenance:
    """Write the versions, code, settings and models of the dataset."""
    input:
        dataset="results/dataset",
        models=[f"results/models/{model_name(role)}" for role in roles_in(config)],
    output:
        provenance="results/provenance.json",
    log:
        "logs/record_provenance.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    # untracked: config: the settings that change no result go into the log only
    params:
        settings=result_settings(config),
        required=required_weights(config),
        rules={rule: code_hash(rule) for rule in result_rules(config)},
        code=code_hash("record_provenance"),
    script:
        "../scripts/dataset/record_provenance.py"


rule verify:
    """Print a digest of the dataset and one of all results, to compare them with those of others (run on demand)."""
    log:
        "logs/verify.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    params:
        code=code_hash("verify"),
    script:
        "../scripts/dataset/verify.py"
