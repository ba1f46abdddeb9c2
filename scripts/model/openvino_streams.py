"""Run an OpenVINO model on a CPU in several streams of one thread each."""

from pathlib import Path
from typing import Any


def compile_streams(model: Path, count: int) -> Any:
    """Return the compiled model of a folder. Its input is a batch of decoded images, N x H x W x 3 in BGR.

    Each of `count` requests runs on one core. So sums have the same order on any number of cores, and no core waits for
    another.
    """
    import openvino as ov

    core = ov.Core()
    steps = ov.preprocess.PrePostProcessor(core.read_model(next(model.glob("*.xml"))))
    tensor = steps.input().tensor()
    tensor.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ov.preprocess.ColorFormat.BGR)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).convert_color(ov.preprocess.ColorFormat.RGB).scale(255)
    # Some CPUs default to bf16, which changes confidences by up to 0.05 and is no faster with INT8.
    config = {"NUM_STREAMS": count, "INFERENCE_NUM_THREADS": count, "INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(steps.build(), "CPU", config)


def stream_predictor(base: Any, compiled: Any) -> Any:
    """Return a subclass of an ultralytics predictor that runs a compiled model; each thread has its own instance."""
    import numpy as np
    import torch

    class StreamPredictor(base):  # type: ignore[misc]
        def preprocess(self, im: Any) -> Any:
            images = np.stack(self.pre_transform(im))
            return torch.from_numpy(images).permute(0, 3, 1, 2)  # a view: ultralytics expects N x 3 x H x W

        def inference(self, im: Any, *args: Any, **kwargs: Any) -> Any:
            if not hasattr(self, "request"):
                self.request = compiled.create_infer_request()
            found = [torch.from_numpy(array) for array in self.request.infer([im.permute(0, 2, 3, 1).numpy()]).values()]
            return found[0] if len(found) == 1 else found

    return StreamPredictor
