"""What NVIDIA's own Triton client sees of a server. Prints one JSON object.

Usage: triton_client.py HOST:PORT MODEL ROWS_HEX
ROWS_HEX: uint8 rows of [4, 8, 8], hexadecimal. Written against tritonclient 2.73.0.
"""

import json
import sys

import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

address, model, rows_hex = sys.argv[1:]
client = triton.InferenceServerClient(address)
rows = numpy.frombuffer(bytes.fromhex(rows_hex), dtype=numpy.uint8).reshape(-1, 4, 8, 8)


def infer(tensor=rows, name="pixels", datatype="UINT8", model_name=model, **more):
    given = triton.InferInput(name, tensor.shape, datatype)
    given.set_data_from_numpy(tensor)
    return client.infer(model_name, [given], **more)


def refusal(call, *args, **more):
    try:
        call(*args, **more)
        return None
    except InferenceServerException as error:
        return [error.status(), error.message()]


metadata = client.get_model_metadata(model, as_json=True)
config = client.get_model_config(model, as_json=True)["config"]
answer = infer(request_id="request-7", outputs=[triton.InferRequestedOutput("probabilities")])
response = answer.get_response()
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "modelReady": [
                client.is_model_ready(model),
                client.is_model_ready(model, "1"),
                client.is_model_ready("nothing"),
            ],
            "server": client.get_server_metadata(as_json=True)["name"],
            "metadata": metadata,
            "config": config,
            "index": client.get_model_repository_index(as_json=True),
            "answer": {
                "id": response.id,
                "version": response.model_version,
                "probabilities": answer.as_numpy("probabilities").tolist(),
            },
            "urgent": infer(priority=1, timeout=60_000_000).as_numpy("probabilities").tolist(),
            "refusals": {
                "model": refusal(infer, model_name="nothing"),
                "version": refusal(infer, model_version="9"),
                "name": refusal(infer, name="input"),
                "shape": refusal(infer, tensor=rows[:, :3].copy()),
                "type": refusal(infer, tensor=rows.astype(numpy.float32), datatype="FP32"),
                "output": refusal(infer, outputs=[triton.InferRequestedOutput("logits")]),
                "classification": refusal(
                    infer, outputs=[triton.InferRequestedOutput("probabilities", class_count=2)]
                ),
                "deadline": refusal(infer, timeout=1),
            },
        }
    )
)
