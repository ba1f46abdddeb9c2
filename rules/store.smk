"""Give the store's space back."""


rule purge_excluded:
    """Delete the media of excluded and removed rows from the store, unless another run uses them (run on demand)."""
    log:
        "logs/purge_excluded.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    params:
        code=code_hash("purge_excluded"),
    script:
        "../scripts/purge_excluded.py"
