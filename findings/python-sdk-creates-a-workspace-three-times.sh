#!/usr/bin/env bash
# What a careful user would guess: the SDK that has a class for the error code `workspace_created_incomplete` ("the
# workspace exists, do not send the create again") does not send the create again. It does: it looks at the status only.
#
# Run with: anthropic 2.14.0 (PyPI), default settings, against a server on loopback that answers a workspace create as the
# API documents it: 503 with that code and the id of the workspace that it made.
# Seen on 2026-12-01:
#     1 call of client.organization.workspaces.create, 3 workspaces: wrkspc_1 wrkspc_2 wrkspc_3
#     the error names wrkspc_3; a workspace can only be archived, never deleted
# With max_retries=0 there is 1. The Go SDK v2.15.0 sends the same create once by default (tests/sdk/go).
# Fails if the SDK behaves otherwise by now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: 'anthropic==2.14.0'

cat >"$folder/try.py" <<'PYTHON'
import http.server
import json
import threading

import anthropic

made = []


class Api(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        made.append(f"wrkspc_{len(made) + 1}")
        details = {"error_code": "workspace_created_incomplete", "workspace_id": made[-1]}
        error = {"type": "overloaded_error", "message": "The workspace was created, but not everything took effect.", "details": details}
        body = json.dumps({"type": "error", "error": error, "request_id": "req_1"}).encode()
        self.send_response(503)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"


def create(**settings):
    made.clear()
    with anthropic.Anthropic(api_key="sk-ant-admin01-example", base_url=address, **settings) as client:
        try:
            client.organization.workspaces.create(name="Lab")
        except anthropic.APIStatusError as error:
            return list(made), error.body["error"]["details"]["workspace_id"]
    raise AssertionError("no error")


by_default, named = create()
print(f"1 call of client.organization.workspaces.create, {len(by_default)} workspaces:", *by_default)
print(f"the error names {named}; a workspace can only be archived, never deleted")
once, _ = create(max_retries=0)
assert anthropic.__version__ == "2.14.0"
assert by_default == ["wrkspc_1", "wrkspc_2", "wrkspc_3"] and named == "wrkspc_3", by_default
assert once == ["wrkspc_1"], once
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
