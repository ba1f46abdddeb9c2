"""Texts from the internet are safe to print."""

from scripts.core.text import listed, one_line, printable


def test_a_line_has_no_control_characters_and_a_limit() -> None:
    assert printable("a\x1b[2J\nb\u202ec é") == "a [2J b c é"
    assert one_line("a\n\n  b\tc") == "a b c"
    assert len(one_line("word " * 100)) <= 300 and one_line("word " * 100, 20) == "word word word [...]"


def test_long_lists_end_with_the_number_of_the_others() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde")) == "a, b, c, d, e" and listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
