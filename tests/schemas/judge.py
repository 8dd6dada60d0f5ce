"""Writes files as JSON for the other validators, and judges them and the schemas with Python's jsonschema.

Each file is `right-NAME.json` or `wrong-NAME.json`, with the schema's name before it: `charter.right-acme.json`.
"""

import json
import pathlib
import shutil
import sys

import yaml
from jsonschema import Draft202012Validator

ID = "3f0c1b1e-0000-4000-8000-000000000000"
FLEET = {"version": 1, "organizations": {ID: {"folder": "acme", "credential": "ACME_KEY"}}}


class Loader(yaml.SafeLoader):
    """Leaves dates as text, as the files mean them."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def charter(**more):
    return {"version": 1, "organization": {"id": ID}, **more}


def fleet(folder):
    return {"version": 1, "organizations": {ID: {"folder": folder, "credential": "ACME_KEY"}}}


def cases():
    for path in sorted(pathlib.Path("examples").glob("*.yaml")):
        if not path.name.endswith(".live.yaml") and "fleet" not in path.name:
            yield "charter", "right", path.stem, yaml.load(path.read_text(), Loader)
    tags = {"workspaces": {"Prod": {"tags": {"team": "ml"}}}}
    yield "charter", "right", "tags", charter(**tags)
    yield "charter", "right", "idn", charter(members={"kim@müller.example": "user"})
    yield "charter", "wrong", "reserved-tag", charter(workspaces={"Prod": {"tags": {"anthropic_x": "y"}}})
    yield "charter", "wrong", "control", charter(workspaces={"Pr\u0001od": {}})
    yield "charter", "wrong", "role", charter(members={"ada@acme.com": "emperor"})
    yield "charter", "wrong", "email", charter(members={"“ada@acme.com”": "user"})
    yield "charter", "wrong", "key", charter(memberz={})
    yield "charter", "wrong", "date", charter(members={"ada@acme.com": {"role": "user", "until": "31-12-2026"}})
    for number, folder in enumerate(["acme", "./acme/", "a/b..c", "..a"]):
        yield "fleet", "right", f"folder-{number}", fleet(folder)
    for number, folder in enumerate(["/acme", "../acme", "acme/..", "a/../b", ".."]):
        yield "fleet", "wrong", f"folder-{number}", fleet(folder)


def main(place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    schemas = {}
    for name in ["charter", "fleet", "plan", "journal"]:
        schemas[name] = json.loads(pathlib.Path(f"schema/{name}.schema.json").read_text())
        Draft202012Validator.check_schema(schemas[name])
    count = 0
    for schema, verdict, name, value in cases():
        (place / f"{schema}.{verdict}-{name}.json").write_text(json.dumps(value))
        errors = [error.message for error in Draft202012Validator(schemas[schema]).iter_errors(value)]
        assert (not errors) == (verdict == "right"), (schema, verdict, name, errors)
        count += 1
    print(f"jsonschema of Python: 4 schemas, {count} files")


main(pathlib.Path(sys.argv[1]))
