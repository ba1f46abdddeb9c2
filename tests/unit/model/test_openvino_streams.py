"""Several streams give the numbers of one."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import REPO

# In a process of its own: see tests/_infer.py.
JOB = """
import sys
from pathlib import Path
import numpy as np
from scripts.model.openvino_streams import compile_streams
image = np.random.default_rng(0).integers(0, 255, (1, 96, 160, 3), np.uint8)
found = []
for count in (1, 2):
    compiled = compile_streams(Path(sys.argv[1]), count)
    assert compiled.get_property("NUM_STREAMS") == count
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
    found.append(compiled.create_infer_request().infer([image]).to_tuple())
assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))
print(found[0][0].dtype)
"""


def test_the_number_of_streams_changes_no_number(model: Path) -> None:
    command = [sys.executable, "-c", JOB, str(model / "model_openvino_model")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "float32", done.stderr
