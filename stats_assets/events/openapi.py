"""The collector's interface as an OpenAPI 3.1 document. Pure."""

from __future__ import annotations

from typing import Any

from stats_assets.events.config import EventLimits
from stats_assets.events.values import LONGEST_EVENT_ID

_UUID = {"type": "string", "format": "uuid"}
_TEXT_OR_NULL = {"type": ["string", "null"]}


def document(limits: EventLimits) -> dict[str, Any]:
    """The document for a collector with these limits."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Event collector of stats-assets", "version": "1", "description": "See docs/events.md."},
        "paths": {
            "/apps/{app_id}/events": {
                "parameters": [
                    {"name": "app_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
                ],
                "post": _post(limits),
                "options": _preflight(),
            },
            "/health": {"get": _health()},
            "/metrics": {"get": _get("Counters for Prometheus.", "text/plain", {"type": "string"})},
            "/openapi.json": {"get": _get("This document.", "application/json", {"type": "object"})},
        },
        "components": {
            "schemas": {"Body": _body(limits), "Verdicts": _verdicts(), "Refusal": _refusal()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The secret, instead of secret_key."},
                "signature": {"type": "apiKey", "in": "header", "name": "X-Signature"},
            },
        },
    }


def _post(limits: EventLimits) -> dict[str, Any]:
    verdicts, refusal = _json_of("#/components/schemas/Verdicts"), _json_of("#/components/schemas/Refusal")
    later = {"headers": {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "required": True}}}
    return {
        "summary": "Events of an app; answered when they are kept.",
        "security": [{}, {"token": []}, {"signature": []}],
        "parameters": [
            {"name": "Content-Encoding", "in": "header", "schema": {"enum": ["gzip", "zstd", "identity"]}},
        ],
        "requestBody": {"required": True, "content": _json_of("#/components/schemas/Body")},
        "responses": {
            "200": {"description": "All are in PostgreSQL.", "content": verdicts},
            "202": {"description": "All are on disk and come into PostgreSQL later.", "content": verdicts},
            "207": {"description": "Some were refused.", "content": verdicts},
            "400": {"description": "No JSON, or not UTF-8, or too deep.", "content": refusal},
            "403": {"description": "Another secret, or an origin that is not allowed.", "content": refusal},
            "404": {"description": "No such app.", "content": refusal},
            "408": {"description": "The request took too long to arrive."},
            "413": {"description": f"More than {limits.max_body_bytes} bytes, or too much of it.", "content": refusal},
            "415": {"description": "Not application/json, or another encoding.", "content": refusal},
            "422": {"description": "Another shape, or all events were refused.", "content": refusal},
            "429": {"description": "More events than the app may send.", "content": refusal, **later},
            "503": {"description": "No room at the moment.", "content": refusal, **later},
        },
    }


def _preflight() -> dict[str, Any]:
    refusal = _json_of("#/components/schemas/Refusal")
    return {
        "summary": "What a browser asks before it posts.",
        "parameters": [
            {"name": "Origin", "in": "header", "required": True, "schema": {"type": "string"}},
            {
                "name": "Access-Control-Request-Method",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "enum": ["POST"]},
            },
        ],
        "responses": {
            "204": {"description": "Go ahead."},
            "400": {"description": "No preflight.", "content": refusal},
            "403": {"description": "Another origin or method.", "content": refusal},
            "404": {"description": "No such app.", "content": refusal},
        },
    }


def _health() -> dict[str, Any]:
    answer = {"application/json": {"schema": {"type": "object", "required": ["status"]}}}
    return {
        "summary": "ok; degraded: events go to the spool; full: they are refused.",
        "responses": {
            "200": {"description": "Events are kept.", "content": answer},
            "503": {"description": "They are not.", "content": answer},
        },
    }


def _get(summary: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {kind: {"schema": schema}}}},
    }


def _json_of(reference: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": reference}}}


def _body(limits: EventLimits) -> dict[str, Any]:
    event = {
        "type": "object",
        "required": ["_t"],
        "maxProperties": limits.max_columns,
        "properties": {
            "_t": {"type": "string", "description": "The table."},
            "event_id": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_EVENT_ID,
                "description": "The client's name for the event: sent again with it, it counts once.",
            },
        },
    }
    return {
        "type": "object",
        "required": ["events"],
        "properties": {
            "secret_key": {"type": "string"},
            "events": {"type": "array", "maxItems": limits.max_events, "items": event},
        },
    }


def _verdicts() -> dict[str, Any]:
    refused = {
        "type": "object",
        "required": ["position", "reason", "column", "detail"],
        "properties": {
            "position": {"type": "integer", "minimum": 0},
            "table": _TEXT_OR_NULL,
            "event_id": _TEXT_OR_NULL,
            "reason": {"type": "string"},
            "column": _TEXT_OR_NULL,
            "detail": {"type": "string"},
        },
    }
    return {
        "type": "object",
        "required": ["request_id", "kept", "accepted", "refused"],
        "properties": {
            "request_id": _UUID,
            "kept": {"enum": ["stored", "spooled"]},
            "accepted": {"type": "integer", "minimum": 0},
            "quarantined": {"type": "integer", "minimum": 0},
            "refused": {"type": "array", "items": refused},
            "unknown_columns": {"type": "array", "items": {"type": "string"}},
        },
    }


def _refusal() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["reason", "detail"],
        "properties": {"reason": {"type": "string"}, "column": _TEXT_OR_NULL, "detail": {"type": "string"}},
    }
