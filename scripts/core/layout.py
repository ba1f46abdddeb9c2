"""Names and places of what a run writes."""

DROPPED = "dropped"  # their folder, beside the frames that passed
