"""The same stream on gRPC's C core in Python: decodes each message, answers 28 probabilities.

Needs grpcio and grpcio-tools. Prints its port; ends when its standard input is closed.
"""
import pathlib
import sys
import tempfile
from concurrent import futures

import grpc
import grpc_tools
from grpc_tools import protoc

proto = pathlib.Path(__file__).resolve().parents[2] / "proto"
made = tempfile.TemporaryDirectory()
google = pathlib.Path(grpc_tools.__file__).parent / "_proto"
files = [f"cytostream/v1/{name}.proto" for name in ("frame", "model", "classifier")]
outputs = [f"--python_out={made.name}", f"--grpc_python_out={made.name}"]
if protoc.main(["protoc", f"-I{proto}", f"-I{google}", *outputs, *files]):
    sys.exit("the contract could not be compiled")
sys.path.insert(0, made.name)
from cytostream.v1 import classifier_pb2 as protos, classifier_pb2_grpc as services  # noqa: E402


class Classifier(services.ClassifierServiceServicer):
    def Classify(self, requests, _context):
        for request in requests:
            frame = request.frame
            size = sum(len(plane.pixels) for plane in frame.planes)
            yield protos.ClassifyResponse(
                prediction=protos.Prediction(
                    frame_id=frame.frame_id,
                    outcome=protos.OUTCOME_OK,
                    probabilities=[0.25] * 28,
                    model_version=1 if size else 0,
                )
            )


limits = [("grpc.max_receive_message_length", 64 << 20)]
server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=limits)
services.add_ClassifierServiceServicer_to_server(Classifier(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(0)
