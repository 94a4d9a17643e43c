"""A daemon of later: passes everything on to the one of today, and adds to its answers what may come within v1: a field in every
object but `user`, a type of event, and a kind of blocker. What is generated today must read it.

    later.py http://localhost:8888      says its own address
"""

import http.client
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATER = b'{"cursor":0,"type":"later","time":"2036-11-25T10:00:00.000000Z"}\n'
TODAY = sys.argv[1].removeprefix("http://")


def grown(value):
    if isinstance(value, list):
        return [grown(one) for one in value]
    if isinstance(value, dict):
        return {key: one if key == "user" else grown(one) for key, one in value.items()} | {"addedLater": 1}
    return value


class Later(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        today = http.client.HTTPConnection(TODAY)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name != "Accept-Encoding"}
        today.request(self.command, self.path, body, headers)
        answer = today.getresponse()
        kind = answer.headers.get("Content-Type", "")
        self.send_response(answer.status)
        if kind:
            self.send_header("Content-Type", kind)
        if answer.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if self.path.startswith("/events"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(LATER), LATER))
            while line := answer.readline():
                line = self.later(kind, line)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.write(b"0\r\n\r\n")
        else:
            body = answer.read()
            body = self.later(kind, body) if body else body
            if answer.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    @staticmethod
    def later(kind, text):
        if "json" not in kind:
            return text
        value = grown(json.loads(text))
        if "problem" in kind:
            value["blockers"] = [dict(kind="later", pid=1, process="init", what="something", remedy="nothing")]
        return json.dumps(value).encode() + b"\n"

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = pass_on

    def log_message(self, *_):
        pass


later = ThreadingHTTPServer(("127.0.0.1", 0), Later)
print(f"http://127.0.0.1:{later.server_port}", flush=True)
later.serve_forever()
