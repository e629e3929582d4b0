"""A KServe model server that answers as the tests' tiny ONNX model: one probability a channel,
the sigmoid of the channel's mean / 255.

Usage: kserve_mean.py GRPC_PORT HTTP_PORT typed|raw
The last is how its answers carry their numbers. Written against kserve 0.21.0.
"""

import sys

import numpy
from kserve import InferOutput, InferResponse, Model, ModelServer

grpc_port, http_port, contents = sys.argv[1:]
del sys.argv[1:]  # the server reads them too


class Mean(Model):
    def load(self):
        self.ready = True
        return True

    def predict(self, payload, headers=None, response_headers=None):
        pixels = payload.inputs[0].as_numpy()
        means = pixels.astype(numpy.float32).mean(axis=(2, 3)) / 255
        probabilities = (1 / (1 + numpy.exp(-means))).astype(numpy.float32)
        output = InferOutput("probabilities", list(probabilities.shape), "FP32")
        output.set_data_from_numpy(probabilities, binary_data=contents == "raw")
        return InferResponse(
            response_id=payload.id or "1", model_name=self.name, infer_outputs=[output]
        )


if __name__ == "__main__":
    model = Mean("cells")
    model.load()
    ModelServer(http_port=int(http_port), grpc_port=int(grpc_port), workers=1).start([model])
