#!/usr/bin/env python3
"""Plays a forge on loopback, over https: repositories for Git, the API of GitHub, identity tokens, and downloads.

usage: forge.py FOLDER CERTIFICATE KEY

FOLDER holds `git/OWNER/NAME.git`, `files/` for downloads, and `state.json`: comments, issues and runs of workflows. The
port is written to FOLDER/port. Tokens: `reads` may fetch and read, `writes` may also comment; none may push, since only
a deploy key may, and that one comes over ssh.
"""
import base64
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse

FOLDER = pathlib.Path(sys.argv[1])
LOCK = threading.Lock()
TOKENS = {"reads", "writes"}


class Forge(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="application/json", headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def token(self):
        """The token of the request, and the user of a basic login."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            _, _, value = base64.b64decode(value).decode().partition(":")
        return value

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else self.chunks()
        url = urllib.parse.urlsplit(self.path)
        with LOCK, open(FOLDER / "requests", "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path} {self.token()}\n")
        if url.path.startswith("/api/v3/"):
            return self.api(url, json.loads(body or b"{}"))
        if url.path == "/identity":
            return self.identity()
        if url.path.startswith("/files/"):
            return self.answer(200, (FOLDER / url.path[1:]).read_bytes(), "application/octet-stream")
        return self.git(url, body)

    do_GET = do_POST = do_PATCH = handle_any

    def chunks(self):
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        return body

    def identity(self):
        if self.token() != "bearer-of-the-job":
            return self.answer(401, {})
        with LOCK:
            path = FOLDER / "identities"
            number = int(path.read_text()) + 1 if path.exists() else 1
            path.write_text(str(number))
        return self.answer(200, {"count": 1, "value": f"identity.token.{number}"})

    def git(self, url, body):
        if self.token() not in TOKENS:
            return self.answer(401, b"", headers=[("WWW-Authenticate", "Basic")])
        if "git-receive-pack" in self.path:
            return self.answer(403)
        owner, name, rest = url.path.lstrip("/").split("/", 2)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(FOLDER / "git"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": f"/{owner}/{name.removesuffix('.git')}.git/{rest}",
            "QUERY_STRING": url.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        run = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=True)
        head, _, body = run.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        kind = headers.pop("Content-Type", "text/plain")
        headers.pop("Content-Length", None)
        return self.answer(status, body, kind, headers.items())

    def api(self, url, body):
        if self.token() not in TOKENS:
            return self.answer(401, {"message": "Bad credentials"})
        if self.command != "GET" and self.token() != "writes":
            return self.answer(403, {"message": "Resource not accessible by integration"})
        path = url.path.removeprefix("/api/v3/repos/acme/access/")
        query = dict(urllib.parse.parse_qsl(url.query))
        author = {"user": {"login": "github-actions[bot]"}}
        with LOCK:
            state = json.loads((FOLDER / "state.json").read_text())
            status, result = 200, None
            if found := re.fullmatch(r"issues/([0-9]+)/comments", path):
                comments = state["comments"].setdefault(found[1], [])
                if self.command == "POST":
                    comments.append({"id": 1000 + len(comments), **author, **body})
                status, result = (201, comments[-1]) if self.command == "POST" else (200, comments)
            elif found := re.fullmatch(r"issues/comments/([0-9]+)", path):
                result = next(one for every in state["comments"].values() for one in every if one["id"] == int(found[1]))
                result.update(body)
            elif path == "issues" and self.command == "POST":
                result = {"number": 20 + len(state["issues"]), "state": "open", **author, **body}
                state["issues"].append(result)
                status = 201
            elif path == "issues":
                result = [one for one in state["issues"] if one["state"] == query["state"]]
            elif found := re.fullmatch(r"issues/([0-9]+)", path):
                result = next(one for one in state["issues"] if one["number"] == int(found[1]))
                result.update(body)
            elif found := re.fullmatch(r"actions/workflows/([^/]+)/runs", path):
                runs = [run for run in state["runs"] if run["workflow"] == found[1] and run["status"] == query["status"]]
                result = {"total_count": len(runs), "workflow_runs": runs}
                # A run ends once it has been seen often enough.
                for run in runs:
                    run["seen"] = run.get("seen", 0) + 1
                    if run["seen"] >= run.get("ends_after", 1 << 30):
                        run["status"] = "completed"
            elif found := re.fullmatch(r"actions/runs/([0-9]+)/jobs", path):
                result = {"jobs": next(run for run in state["runs"] if run["id"] == int(found[1]))["jobs"]}
            if result is None:
                return self.answer(404, {"message": "Not Found"})
            (FOLDER / "state.json").write_text(json.dumps(state))
        return self.answer(status, result)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
(FOLDER / "port").write_text(str(server.server_port))
server.serve_forever()
