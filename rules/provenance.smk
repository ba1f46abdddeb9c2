"""Tell what the results were made with, and whether they are the same as others'."""

from scripts._settings import asked_weights, deciding_rules, deciding_settings


rule record_provenance:
    """Write the versions, code, settings and models that the dataset was made with."""
    input:
        dataset="results/dataset",
        models=[f"results/models/{model_name(role)}" for role in roles_in(config)],
    output:
        provenance="results/provenance.json",
    log:
        "logs/record_provenance.log",
    benchmark:
        "benchmarks/record_provenance.tsv"
    localrule: True
    conda:
        "../envs/media.yaml"
    params:
        settings=deciding_settings(config),
        asked=asked_weights(config),
        rules={rule: code_hash(rule) for rule in deciding_rules(config)},
        code=code_hash("record_provenance"),
    script:
        "../scripts/record_provenance.py"


rule verify:
    """Print a digest of the dataset and one of all results, to compare with others' (run on demand)."""
    log:
        "logs/verify.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    params:
        code=code_hash("verify"),
    script:
        "../scripts/verify.py"
