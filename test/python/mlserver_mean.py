"""A model for MLServer 1.7.1 that answers as the tests' tiny ONNX model: one probability a
channel, the sigmoid of the channel's mean / 255."""

import numpy
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Mean(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        pixels = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        if pixels[0].min() == 255:
            raise ValueError("a white frame is refused by /srv/models/mean.py")
        means = pixels.astype(numpy.float32).mean(axis=(2, 3)) / 255
        probabilities = (1 / (1 + numpy.exp(-means))).astype(numpy.float32)
        output = NumpyCodec.encode_output("probabilities", probabilities)
        return InferenceResponse(
            model_name=self.name, model_version=self.version, outputs=[output]
        )
