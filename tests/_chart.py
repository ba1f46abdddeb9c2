"""A chart of flat patches with known colours, coded as a video of any matrix, range and transfer."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np

# Red, green and blue of each patch, 0 to 255.
PATCHES = np.array(
    [[255, 255, 255], [128, 128, 128], [16, 16, 16], [200, 30, 30], [30, 180, 40], [40, 60, 200], [224, 172, 140],
     [240, 220, 40]]
)  # fmt: skip
GREY_NITS = np.array([1, 5, 26, 50, 100, 203, 400, 1000])
SDR_WHITE_NITS = 100  # of the coloured patches in HDR: within the part that the curve does not change
WHITE_NITS, PEAK_NITS, KNEE = 203, 1000, 0.5
KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
TO_LMS = np.array([[1688, 2146, 262], [683, 2951, 462], [99, 309, 3688]]) / 4096  # and from there to ICtCp:
OF_PQ = np.array([[2048, 2048, 0], [6610, -13613, 7003], [17933, -17390, -543]]) / 4096
OF_HLG = np.array([[2048, 2048, 0], [3625, -7465, 3840], [9500, -9212, -288]]) / 4096
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


@dataclass(frozen=True)
class Chart:
    """How a chart is coded: the matrix, the tags (of ffmpeg's setparams), the format and the encoder."""

    size: tuple[int, int]
    matrix: str
    tags: str = ""
    pixels: str = "yuv420p"
    full: bool = False
    transfer: str = ""  # pq or hlg
    greys: bool = False
    encoder: str = "-c:v libx264 -qp 0"
    suffix: str = ".mp4"


def write_chart(chart: Chart, path: Path) -> Path:
    """Write three pictures of the chart."""
    (width, height), bits = chart.size, 10 if "10" in chart.pixels else 8
    chroma = (1, 1) if "444" in chart.pixels or chart.pixels == "gbrp" else (2, 2)
    planes = gbr(chart) if chart.pixels == "gbrp" else quantised(components(chart), bits, chart.full)
    picture = b""
    for i, plane in enumerate(planes.T):
        across, down = (1, 1) if i == 0 else chroma
        columns = np.arange(-(-width // across)) * across * len(plane) // width
        rows = np.tile(plane[columns], (-(-height // down), 1))
        picture += rows.astype("<u2" if bits > 8 else np.uint8).tobytes()
    tags = ("-vf", f"setparams={chart.tags}") if chart.tags else ()
    raw = ("-f", "rawvideo", "-pix_fmt", chart.pixels, "-s", f"{width}x{height}", "-r", "5", "-i", "-")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *raw, *tags, *chart.encoder.split(), str(path)]
    subprocess.run(command, input=3 * picture, check=True)
    return path


def gbr(chart: Chart) -> np.ndarray:
    """Return green, blue and red of each patch."""
    return PATCHES[:, [1, 2, 0]]


def signal(chart: Chart) -> np.ndarray:
    """Return the coded red, green and blue of each patch, 0 to 1."""
    if not chart.transfer:
        return PATCHES / 255
    nits = nits_of(chart) @ TO_2020.T
    return pq(nits) if chart.transfer == "pq" else hlg(nits)


def nits_of(chart: Chart) -> np.ndarray:
    """Return the light that an HDR chart stands for, with the primaries of BT.709."""
    if chart.greys:
        return np.repeat(GREY_NITS[:, None], 3, axis=1)
    return SDR_WHITE_NITS * (PATCHES / 255) ** 2.4


def expected(chart: Chart) -> np.ndarray:
    """Return the red, green and blue that each patch must have in a JPEG."""
    if not chart.transfer:
        return PATCHES
    light = nits_of(chart) / WHITE_NITS
    peak, knee = PEAK_NITS / WHITE_NITS, KNEE
    a = -(knee**2) * (peak - 1) / (knee**2 - 2 * knee + peak)
    b = (knee**2 - 2 * knee * peak + peak) / (peak - 1)
    above = (b**2 + 2 * b * knee + knee**2) / (b - a) * (light + a) / (light + b)  # the curve of mobius
    shown: np.ndarray = 255 * np.where(light <= knee, light, above) ** (1 / 2.4)
    return shown


def components(chart: Chart) -> np.ndarray:
    """Return luma, 0 to 1, and both chromas, -0.5 to 0.5, as ITU-T H.273 defines them."""
    rgb = signal(chart)
    if chart.matrix == "ycgco":
        span = 1 if chart.full else 219 / 224  # they are differences of coded colours
        parts: np.ndarray = rgb @ np.array([[0.25, 0.5, 0.25], [-0.25, 0.5, -0.25], [0.5, 0, -0.5]]).T
        return parts * [1, span, span]
    if chart.matrix == "ictcp":
        light = nits_of(chart) @ TO_2020.T
        if chart.transfer == "pq":
            return pq(light @ TO_LMS.T) @ OF_PQ.T
        return hlg_of_scene(scene_light(light) @ TO_LMS.T) @ OF_HLG.T
    kr, kb = KR_KB[chart.matrix]
    luma = rgb @ [kr, 1 - kr - kb, kb]
    return np.stack([luma, (rgb[:, 2] - luma) / (2 - 2 * kb), (rgb[:, 0] - luma) / (2 - 2 * kr)], axis=1)


def quantised(parts: np.ndarray, bits: int, full: bool) -> np.ndarray:
    """Return luma and both chromas as whole numbers."""
    scale, peak = 2 ** (bits - 8), 2**bits - 1
    zero, y_span, c_span = (0, peak, peak) if full else (16 * scale, 219 * scale, 224 * scale)
    whole: np.ndarray = np.rint(parts * [y_span, c_span, c_span] + [zero, 128 * scale, 128 * scale])
    return whole


def pq(nits: np.ndarray) -> np.ndarray:
    """Return light as coded by SMPTE ST 2084."""
    light = (nits / 10_000) ** (2610 / 16384)
    signals: np.ndarray = ((3424 / 4096 + 2413 / 128 * light) / (1 + 2392 / 128 * light)) ** (2523 / 32)
    return signals


def hlg(nits: np.ndarray) -> np.ndarray:
    """Return light as coded by ARIB STD-B67, of a screen that peaks at 1000 cd/m2."""
    return hlg_of_scene(scene_light(nits))


def scene_light(nits: np.ndarray) -> np.ndarray:
    """Return the light before the camera, 0 to 1, that such a screen shows as this."""
    kr, kb = KR_KB["bt2020"]
    shown = nits / 1000
    scene: np.ndarray = shown * ((shown @ [kr, 1 - kr - kb, kb]) ** (1 / 1.2 - 1))[:, None]
    return scene


def hlg_of_scene(scene: np.ndarray) -> np.ndarray:
    """Return the light before the camera as coded by ARIB STD-B67."""
    upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    signals: np.ndarray = np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)
    return signals
