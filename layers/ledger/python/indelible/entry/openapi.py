# SPDX-License-Identifier: Apache-2.0
"""The REST contract as an OpenAPI 3.1 document, made from the models that validate and the errors that refuse.

Served at GET /openapi.json and checked in as docs/openapi.json (`make openapi` writes it; a test fails when they
differ). Every route, every status and every code that the ledger can answer with is in it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from indelible import __version__
from indelible.entry import models, schemas
from indelible.entry import openapi_examples as examples
from indelible.entry.openapi_routes import ROUTES, Route

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_WHY = {
    304: "You have it already.",
    400: "Not well formed.",
    401: "Who asks is not proven.",
    403: "Header, body and identity name different organisations, or the identity may not act for that one.",
    404: "Nothing of that name in your organisation.",
    409: "At odds with what was recorded.",
    413: "Too large.",
    429: "Too many requests.",
    500: "A fault of the ledger or its deployment.",
    503: "Not now.",
}
_FROM_THE_GATEWAY = (413, 429, 500, 503)
"""What API Gateway says by itself, in its own form, before or instead of a function."""
_FROM_ITS_AUTHORIZERS = (401, 403)
"""The same, where it checks who asks (auth=jwt, auth=iam)."""


def document() -> Json:
    """The whole document."""
    paths: Json = {}
    for route in ROUTES:
        method, path = route.key.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Indelible",
            "version": __version__,
            "summary": "An audit ledger for AI decisions that nobody can erase.",
            "description": examples.DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The ApiUrl of your deployment."}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in ROUTES)],
        "paths": paths,
        "components": {"schemas": _schemas(), "parameters": _PARAMETERS, "headers": _HEADERS},
    }


def encoded() -> bytes:
    """The document as it is served and checked in."""
    return (json.dumps(document(), indent=2, ensure_ascii=False) + "\n").encode()


_PARAMETERS: Json = {
    "OrgHeader": {
        "name": "X-Novus-Org-ID",
        "in": "header",
        "description": "Must equal `org_id`, where it is sent.",
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An ETag that you hold.",
        "schema": {"type": "string"},
    },
}
_HEADERS: Json = {
    "CacheControl": {"description": "Who may keep the answer, and for how long.", "schema": {"type": "string"}},
    "ETag": {"description": "Changes whenever the content does.", "schema": {"type": "string"}},
    "RetryAfter": {
        "description": "Seconds to wait, where `retryable` is true.",
        "schema": {"type": "integer", "minimum": 0},
    },
}


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "security": [],
        "responses": dict(sorted(_responses(route))),
    }
    if route.request is not None:
        operation["parameters"] = [{"$ref": "#/components/parameters/OrgHeader"}]
        media = {"schema": _ref(route.request.__name__), "examples": {"signed": {"value": route.asked}}}
        operation["requestBody"] = {"required": True, "content": {"application/json": media}}
    elif route.cacheable:
        operation["parameters"] = [{"$ref": "#/components/parameters/IfNoneMatch"}]
    return operation


def _responses(route: Route) -> Iterator[tuple[str, Json]]:
    schema: Json = _ref(route.answer.__name__) if route.answer else {"type": "object"}
    media: Json = {"schema": schema} | ({"examples": {"answer": {"value": route.answered}}} if route.answered else {})
    headers = {"Cache-Control": {"$ref": "#/components/headers/CacheControl"}}
    if route.cacheable:
        headers["ETag"] = {"$ref": "#/components/headers/ETag"}
    yield "200", {"description": "Done.", "headers": headers, "content": {"application/json": media}}
    if route.cacheable:
        yield "304", {"description": _WHY[304], "headers": headers}
    if route.also:
        either = {"anyOf": [schema, _ref("GatewayError")]}
        yield str(route.also), {"description": _WHY[route.also], "content": {"application/json": {"schema": either}}}
    for status in sorted({kind.status for kind in route.refusals} | set(_gateway(route))):
        if status != route.also:
            yield str(status), _refused(route, status)


def _refused(route: Route, status: int) -> Json:
    codes = sorted(kind.code for kind in route.refusals if kind.status == status)
    forms = [_ref(f"Error{status}")] if codes else []
    forms += [_ref("GatewayError")] if status in _gateway(route) else []
    response: Json = {
        "description": " ".join([_WHY[status], *(f"`{code}`" for code in codes)]),
        "content": {"application/json": {"schema": forms[0] if len(forms) == 1 else {"anyOf": forms}}},
    }
    if any(kind.retryable for kind in route.refusals if kind.status == status):
        response["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return response


def _gateway(route: Route) -> tuple[int, ...]:
    return _FROM_THE_GATEWAY if route.request is None else _FROM_ITS_AUTHORIZERS + _FROM_THE_GATEWAY


def _schemas() -> Json:
    published = [model for route in ROUTES for model in (route.request, route.answer) if model is not None]
    found = schemas.components([*published, models.ErrorResponse], _REF)
    for status in sorted({kind.status for route in ROUTES for kind in route.refusals}):
        codes = sorted({kind.code for route in ROUTES for kind in route.refusals if kind.status == status})
        found[f"Error{status}"] = {
            "title": f"Error{status}",
            "description": _WHY[status],
            "allOf": [_ref("ErrorResponse")],
            "properties": {"error": {"properties": {"code": {"enum": codes}}}},
        }
    found["GatewayError"] = {
        "title": "GatewayError",
        "description": "API Gateway's own words, when it did not come to the ledger at all.",
        "type": "object",
        "properties": {"message": {"type": ["string", "null"]}},
        "required": ["message"],
        "additionalProperties": False,
    }
    return dict(sorted(found.items()))


def _ref(name: str) -> Json:
    return {"$ref": _REF.format(name=name)}


if __name__ == "__main__":
    sys.stdout.buffer.write(encoded())
