"""Rules expand_sources, download_video, purge_excluded: yt-dlp, retries, rate limits, the store."""
