"""Lists that people read are short."""

from scripts.core.text import listed


def test_long_lists_end_with_the_number_of_the_others() -> None:
    assert listed(list("abcde")) == "a, b, c, d, e" and listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
