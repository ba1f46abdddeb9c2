"""The ffmpeg command that extracts the wanted frames of a video."""

from scripts.frames.sampling import FrameSettings, selection
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream, decoded_stream, jpeg_command


def frames_command(source: MediaStream, clip: Clip, settings: FrameSettings, threads: int) -> list[str]:
    """Return the command that writes the wanted frames to standard output, as JPEGs in a NUT stream.

    It writes only the first frame of each millisecond, the unit of their names.
    """
    stream = decoded_stream(source, clip, threads, "nokey" if settings.mode == "keyframes" else None)
    chosen = stream.filter("select", selection(settings, clip, source.duration_s)).filter("settb", "1/1000")
    chosen = chosen.filter("select", "isnan(prev_selected_pts)+gt(pts,prev_selected_pts)")
    if settings.mode == "budget":
        above = {"key": "lavfi.scene_score", "function": "greater", "value": settings.scene_threshold}
        chosen = chosen.filter("metadata", mode="print", file="pipe:2", direct=1, **above)
    return jpeg_command(chosen, source, (settings.max_side_px, settings.jpeg_qscale), threads)
