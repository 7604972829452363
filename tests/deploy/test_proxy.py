"""The proxies of deploy/proxy, real ones, in front of a server that tells what reached it."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.ports import free_ports
from tests.stack import PROJECT

# bcrypt is what both take; of "right".
HASH = "$2b$05$lvvbrSZsjbowVg8N4Ry6TuO3Oz4nslsVsIrnzNJNmr7aK6N4wBTPC"
OPERATORS, PUBLIC = "stats.example.org", "public-stats.example.org"
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"operator:right").decode()}
OURS = {"Origin": f"https://{OPERATORS}"}
MUTATION = json.dumps({"query": "mutation { launchRun { __typename } }"})


class _Webserver(BaseHTTPRequestHandler):
    """Stands in for Dagster's: answers everything, and tells which request it was."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _host, port = self.connection.getsockname()
        told = f"{port} {self.command} {self.path} {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def webserver() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Webserver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def nginx_config(folder: Path, port: int, private: int, public: int) -> str:
    """The file as it is, with plain HTTP on a port of the test."""
    text = (PROJECT / "deploy/proxy/nginx.conf").read_text()
    text = re.sub(r"listen 443 ssl( default_server)?", rf"listen 127.0.0.1:{port}\1", text)
    text = re.sub(r"^ *ssl_certificate.*$", "", text, flags=re.MULTILINE)
    text = text.replace("127.0.0.1:3000", f"127.0.0.1:{private}").replace("127.0.0.1:3010", f"127.0.0.1:{public}")
    text = text.replace("/etc/nginx/stats.htpasswd", str(folder / "htpasswd"))
    (folder / "htpasswd").write_text(f"operator:{HASH}\n")
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{}}"
    return f"{head} http {{ access_log off; {places}\n{text}\n}}"


def caddy_config(_folder: Path, port: int, private: int, public: int) -> str:
    text = (PROJECT / "deploy/proxy/Caddyfile").read_text()
    text = text.replace(f"\n{OPERATORS} {{", f"\nhttp://{OPERATORS}:{port} {{")
    text = text.replace(f"\n{PUBLIC} {{", f"\nhttp://{PUBLIC}:{port} {{").replace(":443 {", f"http://:{port} {{")
    text = text.replace("127.0.0.1:3000", f"127.0.0.1:{private}").replace("127.0.0.1:3010", f"127.0.0.1:{public}")
    text = text.replace("$2a$14$replace.this.hash.by.your.own", HASH)
    return "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}\n" + text


class Proxy:
    def __init__(self, port: int, private: int, public: int) -> None:
        self.port, self.private, self.public = port, private, public

    def ask(
        self, host: str, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {"Host": host, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    program: Path = request.getfixturevalue(request.param)
    folder, port = tmp_path_factory.mktemp(request.param), free_ports()
    config = folder / "config"
    with webserver() as private, webserver() as public:
        if request.param == "nginx":
            config.write_text(nginx_config(folder, port, private, public))
            command = [program, "-e", "stderr", "-p", folder, "-c", config]
        else:
            config.write_text(caddy_config(folder, port, private, public))
            command = [program, "run", "--config", config, "--adapter", "caddyfile"]
        log = (folder / "log").open("wb")
        running = subprocess.Popen(command, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"})
        try:
            _wait_for(port, running, folder / "log")
            yield Proxy(port, private, public)
        finally:
            running.terminate()
            running.wait()
            log.close()


def _wait_for(port: int, running: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert running.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def test_operators_read_and_start_runs_and_the_webserver_sees_their_name_of_the_host(proxy: Proxy):
    assert proxy.ask(OPERATORS, "GET", "/runs?q=x", LOGIN) == (200, f"{proxy.private} GET /runs?q=x {OPERATORS}")
    assert proxy.ask(OPERATORS, "POST", "/graphql", LOGIN | OURS, MUTATION)[0] == 200
    assert proxy.ask(OPERATORS, "POST", "/graphql", LOGIN, MUTATION)[0] == 200  # a program, which sends no Origin
    assert proxy.ask(OPERATORS, "GET", "/graphql", LOGIN | OURS | _socket())[0] == 200  # the opening of a WebSocket


@pytest.mark.parametrize("path", ["/", "/graphql", "/runs"])
def test_nobody_comes_in_without_a_login(proxy: Proxy, path: str):
    wrong = {"Authorization": "Basic " + base64.b64encode(b"operator:wrong").decode()}
    for headers in ({}, wrong):
        assert proxy.ask(OPERATORS, "POST" if path == "/graphql" else "GET", path, headers)[0] == 401


@pytest.mark.parametrize(
    "path",
    [
        "/graphql?query=mutation{startSensor{__typename}}",
        "/graphql?%71uery=mutation{a}",
        "/graphql/?query=mutation{a}",
        "//graphql?query=mutation{a}",
        "/%67raphql?query=mutation{a}",
        "/x/../graphql?query=mutation{a}",
        "/graphql",
    ],
)
@pytest.mark.parametrize("host", [OPERATORS, PUBLIC])
def test_a_document_in_an_address_reaches_nobody(proxy: Proxy, host: str, path: str):
    assert proxy.ask(host, "GET", path, LOGIN)[0] in (400, 405)
    if "?" in path:
        assert proxy.ask(host, "POST", path, LOGIN | OURS, "{}")[0] in (400, 405)
        assert proxy.ask(host, "GET", path, LOGIN | OURS | _socket())[0] in (400, 405)


@pytest.mark.parametrize("origin", ["http://evil.example", "https://stats.example.org.evil.example", "null"])
def test_pages_of_others_start_nothing_and_open_no_socket(proxy: Proxy, origin: str):
    foreign = LOGIN | {"Origin": origin}
    assert proxy.ask(OPERATORS, "POST", "/graphql", foreign, MUTATION)[0] == 403
    assert proxy.ask(OPERATORS, "GET", "/graphql", foreign | _socket())[0] == 403


def test_another_name_of_the_host_is_refused(proxy: Proxy):
    for host in ("127.0.0.1", "rebound.evil.example", "localhost"):
        assert proxy.ask(host, "GET", "/", LOGIN)[0] == 421


def test_only_graphql_takes_what_is_posted(proxy: Proxy):
    for method, path in (("POST", "/report_asset_materialization/a"), ("PUT", "/"), ("DELETE", "/runs")):
        assert proxy.ask(OPERATORS, method, path, LOGIN | OURS, "{}")[0] == 405
        assert proxy.ask(PUBLIC, method, path, {}, "{}")[0] == 405


def test_everybody_reads_from_the_read_only_webserver(proxy: Proxy):
    assert proxy.ask(PUBLIC, "GET", "/runs", {}) == (200, f"{proxy.public} GET /runs {PUBLIC}")
    assert proxy.ask(PUBLIC, "POST", "/graphql", {}, "{}")[1].startswith(f"{proxy.public} POST")


def _socket() -> dict[str, str]:
    return {"Upgrade": "websocket", "Connection": "Upgrade"}
