"""The closest images of two splits are found exactly, and a naive split leaks what it is known to."""

from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset.leaks import closest_pairs, naive_leak
from scripts.inputs.videos import SPLITS
from tests._planted import LIMIT, SHARES, far_hashes

HASHED = st.dictionaries(
    st.text("abc", min_size=1, max_size=4), st.tuples(st.integers(0, 2**64 - 1), st.sampled_from(SPLITS)), max_size=20
)


@given(HASHED, st.integers(0, 40))
def test_closest_pairs_are_those_of_a_plain_comparison(files: dict[str, tuple[int, str]], limit: int) -> None:
    hashes = {file: value for file, (value, _) in files.items()}
    splits = {file: split for file, (_, split) in files.items()}
    held = [split for split in SPLITS if split in splits.values()]
    found = closest_pairs(hashes, splits, limit)
    assert [pair["splits"] for pair in found] == [[a, b] for i, a in enumerate(held) for b in held[i + 1 :]]
    assert found == closest_pairs(dict(reversed(hashes.items())), splits, limit)
    for pair in found:
        one, other = ([file for file in files if splits[file] == split] for split in pair["splits"])
        bits = {(a, b): (hashes[a] ^ hashes[b]).bit_count() for a in one for b in other}
        assert pair["distance_bits"] == min(bits.values()) == bits[pair["files"][0], pair["files"][1]]
        assert pair["pairs_within"] == sum(value <= limit for value in bits.values())


def test_a_naive_split_leaks_all_of_equal_frames_and_none_of_distant_ones() -> None:
    equal = naive_leak({f"v/{i}": 7 for i in range(50)}, SHARES, 0, LIMIT)
    assert equal == {"frames": 50, "test_frames": 10, "leaked": 10, "share": 1.0}
    distant = dict(zip((f"v/{i}" for i in range(50)), far_hashes(50, 5), strict=True))
    assert naive_leak(distant, SHARES, 0, LIMIT)["share"] == 0.0
    assert naive_leak(distant, {"train": 1.0, "val": 0.0, "test": 0.0}, 0, LIMIT)["share"] is None
