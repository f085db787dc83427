"""Calendars by address, from a server on loopback with a certificate of its own: what is taken, and what is refused."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from oncall_bot.calendars.lines import BYTES_MAX
from oncall_bot.calendars.sources import SourceError, content_of
from oncall_bot.core.config import Calendar
from tests.shared import missing

ICS = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/shop.ics")
            self.end_headers()
        elif self.path.startswith("/shop.ics"):
            self._body(ICS)
        elif self.path == "/large":
            self._body(b"x" * (BYTES_MAX * 3))
        else:
            self.send_error(404)

    def _body(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/calendar")
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return  # the other side had enough

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        missing("openssl, which makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key)]
        + ["-out", str(cert), "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    return key, cert


@pytest.fixture(scope="module")
def server(certificate: tuple[Path, Path]) -> Iterator[str]:
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    serving = threading.Thread(target=httpd.serve_forever)
    serving.start()
    yield f"https://localhost:{httpd.server_port}"
    httpd.shutdown()
    serving.join()
    httpd.server_close()


@pytest.fixture
def trusting(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[1]))


def at(url: str) -> Calendar:
    return Calendar("shop", "leave", "UTC", url=url)


HOSTS = ("localhost",)


def test_a_calendar_on_an_allowed_host_is_taken(
    server: str, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    assert content_of(at(f"{server}/shop.ics?key=1"), tmp_path, HOSTS, trusting) == ICS
    (tmp_path / "address").write_text(f"{server}/shop.ics\n")
    secret = Calendar("shop", "leave", "UTC", url_file="address")
    assert content_of(secret, tmp_path, HOSTS, trusting) == ICS


def test_no_more_is_read_than_a_calendar_may_have(
    server: str, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    found = content_of(at(f"{server}/large"), tmp_path, HOSTS, trusting)
    assert BYTES_MAX < len(found) <= BYTES_MAX + 65_536


@pytest.mark.parametrize(
    ("path", "says"),
    [("/moved", "localhost answered 302"), ("/gone", "localhost answered 404")],
)
def test_what_is_elsewhere_or_gone_is_told_without_its_address(
    server: str, trusting: ssl.SSLContext, tmp_path: Path, path: str, says: str
) -> None:
    with pytest.raises(SourceError) as told:
        content_of(at(f"{server}{path}?key=secret"), tmp_path, HOSTS, trusting)
    assert str(told.value) == says


def test_a_certificate_nobody_vouches_for_and_a_host_that_is_not_listed_are_refused(
    server: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="does not answer"):
        content_of(at(f"{server}/shop.ics"), tmp_path, HOSTS)
    with pytest.raises(SourceError, match=r"not in calendars\.hosts"):
        content_of(at(f"{server}/shop.ics"), tmp_path, ("calendar.example.com",))
    with pytest.raises(SourceError, match="no https address"):
        content_of(at("http://localhost/shop.ics"), tmp_path, HOSTS)
