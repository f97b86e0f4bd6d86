"""A server that takes what OTLP exporters send over gRPC, and throws it away; see `sink`."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc


class Handler(grpc.GenericRpcHandler):
    """Answers every call with an empty message."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Return what answers the call."""
        del handler_call_details
        return grpc.unary_unary_rpc_method_handler(lambda _, __: b"")


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"port": port}), flush=True)
    server.wait_for_termination()
