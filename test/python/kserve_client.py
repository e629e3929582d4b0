"""What KServe's own gRPC client sees of a server. Prints one JSON object.

Usage: kserve_client.py HOST:PORT MODEL ROWS_HEX
ROWS_HEX: uint8 rows of [4, 8, 8], hexadecimal. Written against kserve 0.21.0.
"""

import asyncio
import json
import sys

import grpc
import numpy
from kserve import InferenceGRPCClient, InferInput, InferRequest

address, model, rows_hex = sys.argv[1:]
rows = numpy.frombuffer(bytes.fromhex(rows_hex), dtype=numpy.uint8).reshape(-1, 4, 8, 8)


def request(tensor, is_binary, name=model):
    given = InferInput("pixels", list(tensor.shape), "UINT8")
    given.set_data_from_numpy(tensor, binary_data=is_binary)
    return InferRequest(name, [given])


async def refusal(client, *what):
    try:
        await client.infer(request(*what))
        return None
    except grpc.aio.AioRpcError as error:
        return [str(error.code()), error.details()]


async def main():
    client = InferenceGRPCClient(url=address, retries=0)
    answers = {}
    for how, is_binary in (("typed", False), ("raw", True)):
        [output] = (await client.infer(request(rows, is_binary))).outputs
        answers[how] = [output.name, output.as_numpy().tolist()]
    # 40 frames of 64 KiB are beyond what typed contents may be.
    large = numpy.zeros((40, 4, 128, 128), dtype=numpy.uint8)
    print(
        json.dumps(
            {
                "live": await client.is_server_live(),
                "ready": await client.is_server_ready(),
                "modelReady": await client.is_model_ready(model),
                "answers": answers,
                "refusals": {
                    "model": await refusal(client, rows, True, "nothing"),
                    "large": await refusal(client, large, False),
                },
            }
        )
    )
    await client.close()


asyncio.run(main())
