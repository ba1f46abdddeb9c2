"""More cores let more jobs run at a time, and never leave a stage without a slot or the run without a core."""

import pytest

from scripts.run.slots import download_slots, extract_slots, threads_per_extraction


@pytest.mark.parametrize(
    ("cores", "videos", "extractions", "threads", "downloads"),
    [(1, 9, 2, 1, 2), (2, 9, 2, 1, 2), (4, 9, 3, 1, 2), (16, 200, 15, 1, 8), (16, 3, 3, 4, 8), (32, 200, 15, 2, 16)],
)
def test_slots_follow_from_the_cores_and_few_videos_get_more_threads_each(
    cores: int, videos: int, extractions: int, threads: int, downloads: int
) -> None:
    assert threads_per_extraction(cores, videos) == threads
    assert extract_slots(cores, threads) == extractions
    assert download_slots(cores) == downloads


def test_extractions_always_leave_a_core_for_the_next_inference_job() -> None:
    for cores in range(3, 200):
        for videos in (0, 1, 2, 5, 50, 5000):
            threads = threads_per_extraction(cores, videos)
            assert (
                threads >= 1 and extract_slots(cores, threads) * threads < cores or extract_slots(cores, threads) == 2
            )
            assert threads <= max(1, cores // 4)
