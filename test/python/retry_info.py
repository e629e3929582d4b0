"""Makes a call that is refused, and prints as JSON what grpcio-status reads of the refusal.

python retry_info.py HOST:PORT REQUEST   (a ClassifyFrameRequest in base64)
"""
import base64
import json
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

address, request = sys.argv[1:]
with grpc.insecure_channel(address) as channel:
    call = channel.unary_unary("/cytostream.v1.ClassifierService/ClassifyFrame")
    try:
        call(base64.b64decode(request), timeout=30)
        sys.exit("the call was not refused")
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
info = error_details_pb2.RetryInfo()
if not status.details[0].Unpack(info):
    sys.exit(f"expected a RetryInfo, got {status.details[0].type_url}")
print(json.dumps({
    "code": status.code,
    "message": status.message,
    "retryMs": info.retry_delay.ToMilliseconds(),
}))
