"""Say in a line what a person can do about a video that failed, or a frame that was lost."""

# By the status of a video; ID stands for the video's.
VIDEO_REMEDIES = {
    "unavailable": "It is gone from its site: replace or exclude the row. If it is back, delete results/download/ID.",
    "needs_auth": "Set download.cookies to those of an account that may see it, and run again. If there were others,"
    " first delete results/download/ID.",
    "geo_blocked": "The site does not offer it where you are. From elsewhere: delete results/download/ID, run again.",
    "forbidden": "The server refuses. If it plays in your browser, download.cookies may help; else replace the row.",
    "unsupported": "No video is there, or a protected one: check the URL, or fetch it by hand and list the file.",
    "rejected": "Live, too large, or on a private host. Set download.max_size_mb or allow_private_hosts, run again.",
    "invalid_media": "ffmpeg cannot read it. Does it play? Fetch or export it again, or drop the row.",
    "later": "It is not there yet (premiere, live, being processed). Run the target retry_failed when it is.",
    "blocked": "The site wanted fewer requests. Wait an hour or more, then run the target retry_failed.",
    "failed": "Network or server failed. Check the address and your connection, then run the target retry_failed.",
}

# By the reason with which a frame was dropped: what it means, and the key of the configuration that decides.
FRAME_REASONS = {
    "small": ("shorter side below the least", "frames.min_side_px"),
    "dark": ("too dark", "frames.min_brightness"),
    "bright": ("too bright", "frames.max_brightness"),
    "blurred": ("too little sharpness", "frames.min_sharpness"),
    "flat": ("too little detail, such as a blank screen", "frames.min_entropy_bits"),
    "similar": ("looks like the frame before", "frames.similar_bits"),
    "over_budget": ("more frames than the budget", "frames.budget"),
    "damaged": ("damaged in the video", ""),
    "unreadable": ("its picture cannot be decoded", ""),
    "too_few_objects": ("shows too few wanted objects", "filter.min_objects, filter.classes, filter.confidence"),
    "duplicate": ("copy of another frame", "dedup.max_distance_bits"),
    "no_objects": ("the final model finds nothing", "detect.confidence, dataset.negatives_share"),
    "surplus_background": ("shows no object, and there are enough such", "dataset.negatives_share"),
}
