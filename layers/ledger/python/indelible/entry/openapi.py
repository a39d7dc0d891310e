# SPDX-License-Identifier: Apache-2.0
"""The REST API as an OpenAPI 3.1 document, generated from the models and the error classes.

It is served at GET /openapi.json and checked in as docs/openapi.json (`make openapi` writes it; a test compares them).

Invariant: it contains every route, and every status and error code that a route can answer with.
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
_STATUS_DESCRIPTIONS = {
    304: "Not modified.",
    400: "The request is not well formed.",
    401: "The caller is not authenticated.",
    403: "Header, body and identity name different organisations, or the identity may not act for that one.",
    404: "Not found in your organisation.",
    409: "The request conflicts with what was recorded, or the record with its evidence.",
    413: "Too large.",
    429: "Too many requests.",
    500: "A fault of the ledger or its deployment.",
    503: "Unavailable at the moment.",
}
_GATEWAY_STATUSES = (413, 429, 500, 503)
"""Statuses that API Gateway answers with itself, in its own form, before or instead of a function."""
_AUTHORIZER_STATUSES = (401, 403)
"""The same for its authorizers (auth=jwt, auth=iam), which only signed routes have."""


def document() -> Json:
    """The document as a JSON value."""
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


def encode() -> bytes:
    """The document as served and checked in: UTF-8 JSON with a final newline."""
    return (json.dumps(document(), indent=2, ensure_ascii=False) + "\n").encode()


_PARAMETERS: Json = {
    "OrgHeader": {
        "name": "X-Novus-Org-ID",
        "in": "header",
        "description": "Must equal `org_id`, if sent.",
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An ETag from an earlier response.",
        "schema": {"type": "string"},
    },
}
_HEADERS: Json = {
    "CacheControl": {
        "description": "Whether and for how long to cache the response.",
        "schema": {"type": "string"},
    },
    "ETag": {"description": "Changes whenever the content changes.", "schema": {"type": "string"}},
    "RetryAfter": {
        "description": "Seconds to wait before a retry, if `retryable` is true.",
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
        media = {"schema": _ref(route.request.__name__), "examples": {"signed": {"value": route.request_example}}}
        operation["requestBody"] = {"required": True, "content": {"application/json": media}}
    elif route.cacheable:
        operation["parameters"] = [{"$ref": "#/components/parameters/IfNoneMatch"}]
    return operation


def _responses(route: Route) -> Iterator[tuple[str, Json]]:
    schema: Json = _ref(route.response.__name__) if route.response else {"type": "object"}
    media: Json = {"schema": schema}
    if route.response_example:
        media["examples"] = {"answer": {"value": route.response_example}}
    headers = {"Cache-Control": {"$ref": "#/components/headers/CacheControl"}}
    if route.cacheable:
        headers["ETag"] = {"$ref": "#/components/headers/ETag"}
    yield "200", {"description": "Done.", "headers": headers, "content": {"application/json": media}}
    if route.cacheable:
        yield "304", {"description": _STATUS_DESCRIPTIONS[304], "headers": headers}
    if route.other_status:
        yield (
            str(route.other_status),
            {
                "description": _STATUS_DESCRIPTIONS[route.other_status],
                "content": {"application/json": {"schema": {"anyOf": [schema, _ref("GatewayError")]}}},
            },
        )
    for status in sorted({kind.status for kind in route.errors} | set(_gateway_statuses(route))):
        if status != route.other_status:
            yield str(status), _error_response(route, status)


def _error_response(route: Route, status: int) -> Json:
    codes = sorted(kind.code for kind in route.errors if kind.status == status)
    forms = [_ref(f"Error{status}")] if codes else []
    forms += [_ref("GatewayError")] if status in _gateway_statuses(route) else []
    response: Json = {
        "description": " ".join([_STATUS_DESCRIPTIONS[status], *(f"`{code}`" for code in codes)]),
        "content": {"application/json": {"schema": forms[0] if len(forms) == 1 else {"anyOf": forms}}},
    }
    if any(kind.retryable for kind in route.errors if kind.status == status):
        response["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return response


def _gateway_statuses(route: Route) -> tuple[int, ...]:
    return _GATEWAY_STATUSES if route.request is None else _AUTHORIZER_STATUSES + _GATEWAY_STATUSES


def _schemas() -> Json:
    published = [model for route in ROUTES for model in (route.request, route.response) if model is not None]
    found = schemas.components([*published, models.ErrorResponse], _REF)
    for status in sorted({kind.status for route in ROUTES for kind in route.errors}):
        codes = sorted({kind.code for route in ROUTES for kind in route.errors if kind.status == status})
        found[f"Error{status}"] = {
            "title": f"Error{status}",
            "description": _STATUS_DESCRIPTIONS[status],
            "allOf": [_ref("ErrorResponse")],
            "properties": {"error": {"properties": {"code": {"enum": codes}}}},
        }
    found["GatewayError"] = {
        "title": "GatewayError",
        "description": "An error of API Gateway itself, when the request did not reach the ledger.",
        "type": "object",
        "properties": {"message": {"type": ["string", "null"]}},
        "required": ["message"],
        "additionalProperties": False,
    }
    return dict(sorted(found.items()))


def _ref(name: str) -> Json:
    return {"$ref": _REF.format(name=name)}


if __name__ == "__main__":
    sys.stdout.buffer.write(encode())
