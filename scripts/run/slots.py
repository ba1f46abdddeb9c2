"""How many jobs of a stage run at a time, by the cores of the run. A simulation decided, see docs/many_videos.md."""


def threads_per_extraction(cores: int, at_once: int) -> int:
    """Return the threads of an extraction: few, the cheapest, unless fewer run at once than there are cores."""
    return max(1, cores // 16, min(cores // 4, (cores - 1) // max(at_once, 1)))


def extract_slots(cores: int, threads: int) -> int:
    """Return how many extractions run at a time: they leave a core, since Snakemake starts no job without one."""
    return max(2, (cores - 1) // threads)


def download_slots(cores: int) -> int:
    """Return how many downloads run at a time. Besides, each site has its own limit."""
    return max(2, cores // 2)
