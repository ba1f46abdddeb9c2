"""Published texts about a source contain no secret, and keep everything else."""

import json

import pytest

from scripts.core.row_types import VideoRecord
from scripts.inputs.redact import credits_of, provenance, public_url, redact

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
def test_no_text_keeps_a_secret_of_a_url(text: str) -> None:
    assert "s3cret" not in redact(text, SOURCE)


def test_ids_and_words_that_are_part_of_a_query_stay() -> None:
    info = {"extractor_key": "Facebook", "id": "10153231379946729", "title": "Funny video of news", "tags": ["news"]}
    fields = provenance(info, "https://facebook.example/watch/?v=10153231379946729&type=video&topic=news")
    assert (fields["id"], fields["title"], fields["tags"]) == ("10153231379946729", "Funny video of news", ["news"])


def test_lists_are_redacted_and_half_characters_replaced() -> None:
    info = {"extractor_key": "X", "title": "bad \ud83d title", "tags": ["https://a.example/b?token=s3cret-1"]}
    fields = provenance(info, SOURCE)
    assert fields["tags"] == ["https://a.example/b"] and fields["title"] == "bad ? title"
    json.dumps(fields, ensure_ascii=False).encode()


def test_made_up_ids_and_titles_lose_their_query() -> None:
    info = {"extractor_key": "Generic", "id": "v?sig=1", "title": "v?sig=1"}
    fields = provenance(info, "https://a.example/v?sig=1")
    assert (fields["id"], fields["title"], fields["webpage_url"]) == ("v", "v", "https://a.example/v")


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://cdn.example/v.mp4?token=s3cret#t", "https://cdn.example/v.mp4"),
        ("https://u:p@cdn.example:81/v", "https://cdn.example:81/v"),
        ("https://www.youtube.com/watch?v=abc&pp=x", "https://www.youtube.com/watch?v=abc"),
        ("https://www.youtube.com/playlist?list=PL1&si=x", "https://www.youtube.com/playlist?list=PL1"),
        ("https://a.example:8080/x?v=abc#t=5", "https://a.example:8080/x"),
        ("https://notyoutube.com/watch?v=abc", "https://notyoutube.com/watch"),
        ("/home/me/clip.mp4", "clip.mp4"),
    ],
)
def test_public_urls_keep_only_query_parameters_that_name_a_page(url: str, public: str) -> None:
    assert public_url(url) == public


def test_credits_in_the_table_replace_those_of_the_site() -> None:
    source = {"license": "standard", "title": "A\ttitle"}
    record: VideoRecord = {
        "status": "ok", "message": "", "http_status": None, "attempts": 1, "media": None, "source": source
    }  # fmt: skip
    credits = credits_of(record, {"license": "CC BY 4.0", "title": ""})
    assert (credits["license"], credits["title"]) == ("CC BY 4.0", "A title")


def test_messages_lose_the_secrets_of_addresses() -> None:
    url = "https://cdn.example/v.mp4?token=aaa.s3cret.bbb&n=1"
    text = f"Unsupported URL: {url}. 'https://u:pw@b.example/x?sig=abcd', v?token=aaa.s3cret.bbb&n=1 aaa.s3cret.bbb"
    redacted = redact(text, url)
    assert not [secret for secret in ("s3cret", "sig=", "pw@", "token") if secret in redacted], redacted
    assert redacted.startswith("Unsupported URL: https://cdn.example/v.mp4")
    page = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert redact(f"[youtube] dQw4w9WgXcQ: gone, see {page}", page) == f"[youtube] dQw4w9WgXcQ: gone, see {page}"
    assert redact("http://[::1/x is odd", "clip.mp4") == "(malformed URL) is odd"


def test_long_query_values_are_secrets_and_short_queries_are_words() -> None:
    assert redact("bad abcdefghijkl", "https://a.example/v?x=abcdefghijkl") == "bad ..."
    assert redact("not absent", "https://a.example/v?ab") == "not absent"
