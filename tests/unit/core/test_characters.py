"""Texts from elsewhere are short and do nothing to a terminal."""

import json

import pytest

from scripts.core.characters import MOST_CHARACTERS, MOST_ITEMS, as_recorded, one_line, printable, printable_lines


def test_a_line_has_no_control_characters_and_a_limit() -> None:
    assert printable("a\x1b[2J\nb\u202ec é") == "a [2J b c é"
    assert printable_lines("a\x1b[2J\r\nb\u2028c") == "a [2J \nb c"
    assert one_line("a\n\n  b\tc") == "a b c"
    assert len(one_line("word " * 100)) <= 300 and one_line("word " * 100, 20) == "word word word [...]"
    assert one_line("一" * 1000, 20) == "一" * 14 + " [...]", "a language without spaces"


@pytest.mark.parametrize(
    "code", [0, 7, 8, 9, 10, 13, 27, 127, 0x85, 0x9B, 0x200B, 0x202E, 0x2028, 0x2066, 0xFEFF, 0xD800]
)
def test_what_terminals_obey_is_replaced(code: int) -> None:
    assert printable(f"a{chr(code)}b") == "a b"


def test_letters_marks_and_signs_of_all_languages_stay() -> None:
    text = "日本語 עברית ไทย हिन्दी e\u0301 👩\u200d👩 -_=+@ \U0001f1e9\U0001f1ea"
    assert printable(text) == text


def test_what_a_site_says_is_recorded_short_and_as_json_of_all_programs() -> None:
    said = {
        "title": "x" * 1_000_000,
        "tags": ["a\x1b"] * 1000,
        "duration": float("nan"),
        "fps": 25.0,
        "age_limit": 10**400,
        "live": True,
        "none": None,
        "a\nkey": b"bytes",
    }
    kept = as_recorded(said)
    assert len(kept["title"]) == MOST_CHARACTERS and kept["tags"] == ["a"] * MOST_ITEMS
    assert (kept["duration"], kept["fps"], kept["age_limit"], kept["live"], kept["none"]) == (
        None,
        25.0,
        None,
        True,
        None,
    )
    assert kept["a key"] == "b'bytes'" and as_recorded(kept) == kept
    json.dumps(kept, allow_nan=False)
