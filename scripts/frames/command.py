"""The ffmpeg command that extracts the wanted frames of a video."""

from scripts.frames.sampling import FrameSettings, selection
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream, decoded, jpeg_command


def frames_command(source: MediaStream, clip: Clip, settings: FrameSettings, threads: int) -> list[str]:
    """Return the command that writes the wanted frames to its standard output, as JPEGs in a NUT stream.

    Of frames within one millisecond, the unit of their names, the first is taken.
    """
    steady = decoded(source, clip, threads, "nokey" if settings.mode == "keyframes" else None)
    chosen = steady.filter("select", selection(settings, clip, source.duration_s)).filter("settb", "1/1000")
    chosen = chosen.filter("select", "isnan(prev_selected_pts)+gt(pts,prev_selected_pts)")
    if settings.mode == "budget":
        over = {"key": "lavfi.scene_score", "function": "greater", "value": settings.scene_threshold}
        chosen = chosen.filter("metadata", mode="print", file="pipe:2", direct=1, **over)
    return jpeg_command(chosen, source, (settings.max_side_px, settings.jpeg_qscale), threads)
