"""Qdrant's REST interface, as far as the adapter uses it, over the client's own local engine; it stores nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from qdrant_client import AsyncQdrantClient
from qdrant_client.models import (
    ChangeAliasesOperation,
    CreateCollection,
    PointIdsList,
    PointsList,
    QueryRequest,
    QueryRequestBatch,
    ScrollRequest,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class QdrantPeer:
    """`faults` of the requests to come: HTTP statuses; `paths` what was asked, `keys` with which key."""

    faults: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    base_url: str = ""
    engine: AsyncQdrantClient = field(default_factory=lambda: AsyncQdrantClient(":memory:"))

    def app(self) -> Starlette:
        one = "/collections/{name}"
        return Starlette(
            routes=[
                self._route("GET", "/collections", self._listed),
                self._route("GET", "/aliases", self._aliases),
                self._route("POST", "/collections/aliases", self._switched),
                self._route("GET", f"{one}/exists", self._exists),
                self._route("PUT", one, self._created),
                self._route("DELETE", one, self._dropped),
                self._route("PUT", f"{one}/points", self._upserted),
                self._route("POST", f"{one}/points/delete", self._deleted),
                self._route("POST", f"{one}/points/scroll", self._scrolled),
                self._route("POST", f"{one}/points/query", self._queried),
                self._route("POST", f"{one}/points/query/batch", self._queried_batch),
            ]
        )

    def _route(self, method: str, path: str, answer: Callable[[Request], Awaitable[Any]]) -> Route:
        async def answered(request: Request) -> Response:
            self.paths.append(f"{method} {request.url.path}")
            self.keys.add(request.headers.get("api-key", ""))
            if self.faults:
                return JSONResponse({"status": {"error": "as asked"}}, status_code=self.faults.pop(0))
            try:
                found = await answer(request)
            except ValueError as error:
                return JSONResponse({"status": {"error": str(error)}}, status_code=404)
            return JSONResponse({"result": _json(found), "status": "ok", "time": 0.0})

        return Route(path, answered, methods=[method])

    async def _listed(self, _: Request) -> Any:
        return await self.engine.get_collections()

    async def _aliases(self, _: Request) -> Any:
        return await self.engine.get_aliases()

    async def _switched(self, request: Request) -> Any:
        asked = ChangeAliasesOperation.model_validate_json(await request.body())
        return await self.engine.update_collection_aliases(asked.actions)

    async def _exists(self, request: Request) -> Any:
        return {"exists": await self.engine.collection_exists(_name(request))}

    async def _created(self, request: Request) -> Any:
        asked = CreateCollection.model_validate_json(await request.body())
        return await self.engine.create_collection(
            _name(request), vectors_config=asked.vectors, sparse_vectors_config=asked.sparse_vectors
        )

    async def _dropped(self, request: Request) -> Any:
        return await self.engine.delete_collection(_name(request))

    async def _upserted(self, request: Request) -> Any:
        asked = PointsList.model_validate_json(await request.body())
        return await self.engine.upsert(_name(request), asked.points)

    async def _deleted(self, request: Request) -> Any:
        return await self.engine.delete(_name(request), PointIdsList.model_validate_json(await request.body()))

    async def _scrolled(self, request: Request) -> Any:
        asked = ScrollRequest.model_validate_json(await request.body())
        records, after = await self.engine.scroll(
            _name(request), limit=asked.limit or 10, offset=asked.offset, with_payload=False
        )
        return {"points": [_json(one) for one in records], "next_page_offset": after}

    async def _queried(self, request: Request) -> Any:
        asked = QueryRequest.model_validate_json(await request.body())
        return (await self.engine.query_batch_points(_name(request), [asked]))[0]

    async def _queried_batch(self, request: Request) -> Any:
        asked = QueryRequestBatch.model_validate_json(await request.body())
        return [_json(one) for one in await self.engine.query_batch_points(_name(request), asked.searches)]


def _name(request: Request) -> str:
    return str(request.path_params["name"])


def _json(found: object) -> object:
    return found.model_dump(mode="json") if isinstance(found, BaseModel) else found
