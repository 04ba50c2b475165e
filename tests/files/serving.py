"""A local HTTP server that stalls, truncates, corrupts and redirects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.waiting import PATIENCE_S


@dataclass
class Server:
    """A server whose answers are bad, one manner for each request; good when the list is used up."""

    address: str = ""
    manners: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    etag: str = '"one"'
    content: bytes = b""
    # By name, in place of `content`.
    files: dict[str, bytes] = field(default_factory=dict)
    # Whether a client waited as long as the server stalled.
    outlasted: bool = False


@contextmanager
def serve() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            manner = state.manners.pop(0) if state.manners else "good"
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            state.paths.append(self.path)
            if manner.isdigit():
                self.send_error(int(manner))
                return
            if manner.startswith("redirect-to "):
                self.send_response(302)
                self.send_header("Location", manner.removeprefix("redirect-to "))
                self.end_headers()
                return
            start = 0
            whole = state.files.get(self.path.rpartition("/")[2], state.content)
            if asked and manner != "no-ranges" and self.headers.get("If-Range", state.etag) == state.etag:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start and start >= len(whole):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(whole)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = whole[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
            if manner != "no-length":
                self.send_header("Content-Length", str(len(body)))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            if manner == "corrupt":
                body = body[:1000] + bytes([body[1000] ^ 1]) + body[1001:]
            if manner in ("truncate", "stall"):
                body = body[: len(body) // 3]
            self.wfile.write(body)
            self.wfile.flush()
            if manner == "stall":
                self.connection.settimeout(PATIENCE_S)
                try:
                    self.connection.recv(1)  # nothing comes, until the client hangs up
                except TimeoutError:
                    state.outlasted = True
                except OSError:
                    pass

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.block_on_close = False
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{httpd.server_port}/a/data.bin"
    try:
        yield state
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
