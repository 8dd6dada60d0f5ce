#!/usr/bin/env python3
"""Writes the contract of the calls that charter makes: openapi.json, beside this file.

The source is the OpenAPI document inside Anthropic's public Go SDK (a Go module, so `go` has to be installed).
Only facts are kept: paths, parameters, bounds, fields, statuses and error codes. Descriptions, titles and
examples are left out. A new version is taken by changing VERSION and reading the difference of openapi.json.

    extract.py            write openapi.json again
    extract.py --check    fail if it differs from what would be written
    extract.py FILE       read FILE (plain or gzip) instead of the Go module

What the result holds beyond OpenAPI 3.1:
    x-statuses  every documented status of an operation that is not 2xx; those without a schema of their own
                have the body of `default`
    x-codes     the error codes of an operation, by status
    x-beta      the value of `anthropic-beta` that an operation names, and whether it has to be sent
A path that ends in `?beta=true` is how the document writes an operation that answers differently with its beta
header. It is kept only where it differs from the plain path. The header decides, not the query.
"""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MODULE = "github.com/anthropics/anthropic-sdk-go/v2"
VERSION = "v2.15.0"
SPEC = "scripts/mock-spec.json.gz"
TARGET = Path(__file__).with_name("openapi.json")

BASE = "/v1/organizations/"
# What charter or its sandbox has: `{}` is an id.
PATHS = [
    "me",
    "users",
    "users/{}",
    "users/{}/sign_out",
    "invites",
    "invites/{}",
    "workspaces",
    "workspaces/{}",
    "workspaces/{}/archive",
    "workspaces/{}/members",
    "workspaces/{}/members/{}",
    "api_keys",
    "api_keys/{}",
]

# Words of JSON Schema that are structure. Whatever else a schema says is text for people.
MAPS = {"properties", "patternProperties"}
LISTS = {"anyOf", "oneOf", "allOf", "prefixItems"}
SINGLE = {"items", "additionalProperties", "not", "propertyNames"}
PLAIN = {
    "$ref", "type", "enum", "const", "required", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties",
    "maxProperties", "default", "deprecated",
}


def source():
    """The OpenAPI document of the Go module, unpacked."""
    if len(sys.argv) > 1 and not sys.argv[1].startswith("--"):
        raw = Path(sys.argv[1]).read_bytes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            # Outside of any module, so that nothing else decides the version.
            command = ["go", "mod", "download", "-json", f"{MODULE}@{VERSION}"]
            found = subprocess.run(
                command, cwd=folder, env={**os.environ, "GOFLAGS": "", "GOWORK": "off"}, check=True, stdout=subprocess.PIPE
            )
        raw = (Path(json.loads(found.stdout)["Dir"]) / SPEC).read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def structure(schema):
    """A schema without the words that are text."""
    if isinstance(schema, bool):
        return schema
    out = {}
    for word, value in schema.items():
        if word in MAPS:
            out[word] = {name: structure(inner) for name, inner in value.items()}
        elif word in LISTS:
            out[word] = [structure(inner) for inner in value]
        elif word in SINGLE:
            out[word] = structure(value)
        elif word in PLAIN:
            out[word] = sorted(value, key=str) if word in ("required", "enum") else value
    # A constant that is its own default, or a default of null, says nothing more.
    if "default" in out and (out["default"] is None or out["default"] == out.get("const")):
        del out["default"]
    return out


def references(node):
    """The names of all schemas that a node refers to."""
    if isinstance(node, list):
        return {name for inner in node for name in references(inner)}
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"].rsplit("/", 1)[1]} if isinstance(node.get("$ref"), str) else set()
    return own | references(list(node.values()))


def codes(node, schemas, seen):
    """The error codes that a schema allows."""
    if isinstance(node, list):
        return {code for inner in node for code in codes(inner, schemas, seen)}
    if not isinstance(node, dict):
        return set()
    out = set()
    if isinstance(node.get("$ref"), str):
        name = node["$ref"].rsplit("/", 1)[1]
        if name not in seen:
            seen.add(name)
            out |= codes(schemas[name], schemas, seen)
    code = node.get("properties", {}).get("error_code") if isinstance(node.get("properties"), dict) else None
    if code:
        out |= {code["const"]} if "const" in code else set(code.get("enum", []))
    return out | codes(list(node.values()), schemas, seen)


def content(found):
    return {media: {"schema": structure(body.get("schema", {}))} for media, body in found.get("content", {}).items()}


def operation(found, schemas):
    out = {"responses": {}, "x-statuses": []}
    parameters = []
    for parameter in found.get("parameters", []):
        name, text = parameter["name"], parameter.get("description") or ""
        if name == "anthropic-beta":
            value = re.search(r"`([a-z0-9-]+-\d{4}-\d\d-\d\d)`", text)
            if value:
                needed = bool(parameter.get("required")) or "must send" in text
                out["x-beta"] = {"value": value[1], "required": needed}
            continue
        kept = {"name": name, "in": parameter["in"], "schema": structure(parameter["schema"])}
        if parameter.get("required"):
            kept["required"] = True
        parameters.append(kept)
    if parameters:
        out["parameters"] = sorted(parameters, key=lambda kept: (kept["in"], kept["name"]))
    if "requestBody" in found:
        out["requestBody"] = {"content": content(found["requestBody"])}
        if found["requestBody"].get("required"):
            out["requestBody"]["required"] = True
    for status, response in sorted(found["responses"].items()):
        kept = content(response)
        if status.startswith("2"):
            out["responses"][status] = {"description": "", "content": kept} if kept else {"description": ""}
            continue
        out["x-statuses"].append(status)
        schema = kept.get("application/json", {}).get("schema", {})
        common = schema.get("$ref", "").endswith(("/ErrorResponse", "/BetaErrorResponse"))
        out["responses"]["default" if common else status] = {"description": "", "content": kept}
        own = sorted(codes(response.get("content", {}), schemas, set()))
        if own and not common:
            out.setdefault("x-codes", {})[status] = own
    return out


def contract(raw):
    """The contract as text: one operation or schema a line."""
    document = json.loads(raw)
    schemas = document["components"]["schemas"]
    shapes = {re.sub(r"\{\w+\}", "{}", BASE + path) for path in PATHS}
    paths, found = {}, set()
    for path, item in document["paths"].items():
        shape = re.sub(r"\{\w+\}", "{}", path.removesuffix("?beta=true"))
        if shape in shapes:
            found.add(shape)
            operations = {method: value for method, value in item.items() if method in ("get", "post", "put", "patch", "delete")}
            paths[path] = {method: operation(value, schemas) for method, value in operations.items()}
    if found != shapes:
        sys.exit(f"the document lacks {sorted(shapes - found)}")
    for path in [path for path in paths if path.endswith("?beta=true")]:
        plain = path.removesuffix("?beta=true")
        if plain not in paths:
            paths[plain] = paths.pop(path)
            continue
        for method in list(paths[path]):
            if whole(paths[path][method], schemas) == whole(paths[plain].get(method), schemas):
                del paths[path][method]
        if not paths[path]:
            del paths[path]
    kept, todo = {}, references(paths)
    while todo:
        name = todo.pop()
        kept[name] = structure(schemas[name])
        todo |= references(kept[name]) - set(kept)
    return lines(raw, paths, kept)


def whole(node, schemas):
    """A node with every schema in its place, so that an operation and its beta form can be compared."""
    if isinstance(node, list):
        return [whole(inner, schemas) for inner in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return whole(structure(schemas[node["$ref"].rsplit("/", 1)[1]]), schemas)
    return {word: whole(inner, schemas) for word, inner in node.items()}


def lines(raw, paths, schemas):
    def line(value):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)

    origin = {"module": MODULE, "version": VERSION, "file": SPEC, "sha256": hashlib.sha256(raw).hexdigest()}
    items = [
        f"{line(path)}: {{\n" + ",\n".join(f"{line(method)}: {line(value)}" for method, value in sorted(item.items())) + "\n}"
        for path, item in sorted(paths.items())
    ]
    parts = [f"{line(name)}: {line(schema)}" for name, schema in sorted(schemas.items())]
    return (
        '{\n"openapi": "3.1.0",\n'
        f'"info": {line({"title": "Admin API: the calls of charter, structure only", "version": VERSION})},\n'
        f'"x-source": {line(origin)},\n'
        '"paths": {\n' + ",\n".join(items) + '\n},\n"components": {"schemas": {\n' + ",\n".join(parts) + "\n}}\n}\n"
    )


def main():
    text = contract(source())
    if "--check" in sys.argv:
        if TARGET.read_text(encoding="utf-8") != text:
            sys.exit(f"{TARGET.name} differs from {MODULE} {VERSION}: run {Path(__file__).name}, then read the difference")
        print(f"{TARGET.name} is what {MODULE} {VERSION} says")
        return
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.name}: written from {MODULE} {VERSION}")


main()
