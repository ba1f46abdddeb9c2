"""The values of config key frames.hdr."""

TONEMAP = "tonemap"  # HDR is made to look as on an SDR screen
AS_IS = "as_is"
