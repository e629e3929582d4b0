"""Streams frames to a Cytostream server and prints the labels of each.

python classify.py localhost:50051 cells FRAME...   (reads FRAME_red.png, FRAME_green.png, ...)
"""
import logging
import sys

import grpc
from cytostream.v1 import classifier_pb2 as pb
from cytostream.v1 import classifier_pb2_grpc, frame_pb2

# gRPC logs what goes wrong in requests(), such as a file that is not there.
logging.basicConfig()
if len(sys.argv) < 4:
    sys.exit("usage: python classify.py HOST:PORT MODEL FRAME...")
server, model, *frames = sys.argv[1:]


def requests():
    yield pb.ClassifyRequest(options=pb.StreamOptions(model=model))
    for frame in frames:
        planes = [
            frame_pb2.Plane(channel=channel, pixels=open(f"{frame}_{channel}.png", "rb").read())
            for channel in ("red", "green", "blue", "yellow")
        ]
        yield pb.ClassifyRequest(
            frame=frame_pb2.Frame(frame_id=frame, encoding=frame_pb2.ENCODING_PNG, planes=planes)
        )


# The window of what the server sends may stay small; the sizes are those that the server takes.
limits = [("grpc.max_send_message_length", 64 << 20), ("grpc.max_receive_message_length", 64 << 20)]
with grpc.insecure_channel(server, limits) as channel:
    labels = []
    try:
        for reply in classifier_pb2_grpc.ClassifierServiceStub(channel).Classify(requests()):
            if reply.HasField("model"):
                labels = list(reply.model.labels)
                continue
            answer = reply.prediction
            if answer.outcome != pb.OUTCOME_OK:
                print(f"{answer.frame_id}: {pb.Outcome.Name(answer.outcome)} {answer.message}")
                continue
            named = [f"{labels[i]} {answer.probabilities[i]:.3f}" for i in answer.label_indices]
            milliseconds = answer.timings.total_us / 1000
            print(f"{answer.frame_id}: {', '.join(named) or 'no label'} ({milliseconds:.1f} ms)")
    except grpc.RpcError as error:
        # What went wrong with the whole call; what a program should ask for is cytostream-code.
        trailers = dict(error.trailing_metadata() or ())
        sys.exit(f"{error.details()} ({trailers.get('cytostream-code', error.code().name)})")
