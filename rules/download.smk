"""Download videos into the store, and link them into results/."""

from scripts.download.store import form_of


rule expand_sources:
    """Append the videos of the configured playlists, channels and searches to the video table (run on demand)."""
    log:
        "logs/expand_sources.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    resources:
        download=1,
    # untracked: sources, videos, store, download: the rule has no output, so it runs each time it is named
    params:
        code=code_hash("expand_sources"),
    script:
        "../scripts/download/expand_sources.py"


rule download_video:
    """Download or link one video; an error becomes its status."""
    input:
        local=local_media,
    output:
        record="results/download/{video}/video.json",
        media=media_folder(directory("results/download/{video}/media")),
    log:
        "logs/download_video/{video}.log",
    localrule: True  # on clusters: a profile that names it under groups has it submitted
    conda:
        "../envs/media.yaml"
    resources:
        download=1,
    # untracked: store, download: another place, limit or number of attempts must not download again, and a video that
    # they refused is retried by the parameter `again`; what chooses the format is in `form`
    params:
        url=video_url,
        form=form_of(DOWNLOAD),
        again=times_retried,
        code=code_hash("download_video"),
    script:
        "../scripts/download/download_video.py"


rule purge_excluded:
    """Delete the media of excluded and removed rows from the store, unless another run uses them (run on demand)."""
    log:
        "logs/purge_excluded.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    # untracked: store, videos, sources, exclude, rehydrate, rehydrate_media, max_removed_share: the rule has no output,
    # so it runs each time it is named
    params:
        code=code_hash("purge_excluded"),
    script:
        "../scripts/download/purge_excluded.py"
