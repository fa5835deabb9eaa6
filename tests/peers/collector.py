"""A collector of OTLP spans over HTTP that keeps every byte it was sent, and can be away; it draws nothing."""

import gzip
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class Collector:
    """`away` answers 400, which an exporter does not repeat by itself."""

    away: bool = False
    refused: int = 0
    bodies: list[bytes] = field(default_factory=list)
    base_url: str = ""

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/traces", self._taken, methods=["POST"])])

    async def _taken(self, request: Request) -> Response:
        body = await request.body()
        if self.away:
            self.refused += 1
            return Response(status_code=400)
        self.bodies.append(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)
        return Response(ExportTraceServiceRequest().SerializeToString(), media_type="application/x-protobuf")

    def spans(self) -> list[Any]:
        """Every span, in the order of arrival."""
        return [
            span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
