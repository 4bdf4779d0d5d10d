"""Plays the real cloud inside a network namespace: every name leads here, and
whatever a client sends is written down. It answers as the real one would to a
stranger: tokens for whoever asks, so that a client goes on to use them.

  real_cloud.py LOG CERTIFICATE KEY        prints "ready" when it listens
"""
import http.server
import json
import socketserver
import ssl
import sys
import threading

LOG, CERTIFICATE, KEY = sys.argv[1:4]
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode("utf-8", "replace")
        with lock, open(LOG, "a") as log:
            log.write(json.dumps({"server": f"{self.server.server_address[0]}:{self.server.server_address[1]}",
                                  "line": self.requestline, "headers": self.headers.items(), "body": body}) + "\n")
        reply, flavor = {}, False
        if "/token" in self.path:
            reply = {"access_token": "ya29.of-the-real-cloud", "expires_in": 3599, "token_type": "Bearer",
                     "id_token": "e30.e30.e30"}
        if self.server.server_address[0] == "169.254.169.254":
            flavor = True
        text = json.dumps(reply).encode()
        if flavor and self.path.endswith("/email"):
            text = b"PLANTED-metadata@real.iam.gserviceaccount.com"
        if flavor and self.path.endswith("universe-domain"):
            text = b"googleapis.com"
        if flavor and self.path.endswith("project-id"):
            text = b"123456789012" if "numeric" in self.path else b"planted-project"
        if flavor and self.path.split("?")[0].endswith("service-accounts/"):
            text = b"default/\nPLANTED-metadata@real.iam.gserviceaccount.com/\n"
        if flavor and "recursive=true" in self.path:
            text = json.dumps({"aliases": ["default"], "email": "PLANTED-metadata@real.iam.gserviceaccount.com",
                               "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}).encode()
        if flavor and "/token" in self.path:
            text = json.dumps({"access_token": "ya29.PLANTED-metadata-token", "expires_in": 3599,
                               "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if flavor:
            self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_CONNECT = answer

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)


def serve(address, port, tls):
    server = Server((address, port), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        context.set_alpn_protocols(["http/1.1"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


serve("127.0.0.1", 443, True)
serve("127.0.0.1", 80, False)
serve("169.254.169.254", 80, False)
print("ready", flush=True)
sys.stdin.read()
