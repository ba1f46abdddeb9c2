"""What is published of a source holds no secret, and is not spoilt by looking for one."""

import json

import pytest

from scripts.inputs.redact import provenance, public_url, redact

SOURCE = "https://a.example/v_(1).mp4?sig=s3cret-1&v=12"


@pytest.mark.parametrize(
    "text",
    [
        "Unsupported URL: https://a.example/v_(1).html?sig=s3cret-1",
        "Unable to open 'https://cdn.example/x?token=s3cret-1', sorry",
        'see "https://a.example/y?a=1&sig=s3cret-1".',
        "url: /v.mp4?sig=s3cret-1&v=12 is gone",
        "https://user:s3cret-1@a.example/x",
    ],
)
def test_no_text_keeps_a_secret_of_an_address(text: str) -> None:
    assert "s3cret" not in redact(text, SOURCE)


def test_what_looks_like_no_secret_stays() -> None:
    info = {"extractor_key": "Facebook", "id": "10153231379946729", "title": "Funny video of news", "tags": ["news"]}
    said = provenance(info, "https://facebook.example/watch/?v=10153231379946729&type=video&topic=news")
    assert (said["id"], said["title"], said["tags"]) == ("10153231379946729", "Funny video of news", ["news"])


def test_lists_are_searched_too_and_half_characters_replaced() -> None:
    info = {"extractor_key": "X", "title": "bad \ud83d title", "tags": ["https://a.example/b?token=s3cret-1"]}
    said = provenance(info, SOURCE)
    assert said["tags"] == ["https://a.example/b"] and said["title"] == "bad ? title"
    json.dumps(said, ensure_ascii=False).encode()


def test_of_a_query_only_what_names_a_page_stays() -> None:
    assert public_url("https://www.youtube.com/watch?v=abc&pp=x") == "https://www.youtube.com/watch?v=abc"
    assert public_url("https://www.youtube.com/playlist?list=PL1&si=x") == "https://www.youtube.com/playlist?list=PL1"
    assert public_url("https://a.example:8080/x?v=abc#t=5") == "https://a.example:8080/x"
    assert public_url("/home/me/clip.mp4") == "clip.mp4"
