"""Fails unless every operation of the contract that charter uses was answered with success by the sandbox at this URL,
and nothing with a status of 500 or more but what a fault made up.

    covered.py URL
"""

import json
import re
import sys
import urllib.request
from pathlib import Path

CONTRACT = Path(__file__).parent.parent / "contract" / "openapi.json"
# An action, not a state: charter never signs anybody out.
UNUSED = {"POST /v1/organizations/users/{}/sign_out"}


def shape(method, path):
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"


paths = json.loads(CONTRACT.read_text(encoding="utf-8"))["paths"]
wanted = {shape(method, path) for path, item in paths.items() if "?" not in path for method in item} - UNUSED
with urllib.request.urlopen(sys.argv[1] + "/_sandbox/log", timeout=30) as answer:
    entries = json.load(answer)["entries"]
done = {shape(entry["method"], entry["route"]) for entry in entries if entry["status"] == 200 and entry["route"]}
broken = [entry for entry in entries if entry["status"] >= 500 and "fault" not in entry]
if wanted - done or broken:
    sys.exit(f"never answered: {sorted(wanted - done)}\nbroken: {broken}")
print(f"{len(entries)} requests, all {len(wanted)} operations")
