"""Messages about unknown names suggest similar ones."""

from scripts.job.suggestions import describe_unknown


def test_only_similar_names_are_suggested() -> None:
    assert describe_unknown(["persn", "cat"], ["Person", "car"]) == "'persn' (did you mean 'Person'?), 'cat'"
    assert describe_unknown([True], ["true_positive"]) == "True"
