"""Fill the video table."""


rule expand_sources:
    """Append the videos of the configured playlists, channels and searches to the video table (run on demand)."""
    log:
        "logs/expand_sources.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    resources:
        download=1,
    params:
        code=code_hash("expand_sources"),
    script:
        "../scripts/expand_sources.py"
