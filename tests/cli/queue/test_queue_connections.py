"""How `brushwork queue` reaches a server: certificates, https and http, IPv6, what comes on the wire."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from stand_in_comfyui import OBJECT_INFO, StandInServer

from brushwork.cli.queue import server
from brushwork.cli.queue.answers import describe_failure

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Makes a certificate that signs itself, for a name; its two files."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name, subject):
        pem, key = folder / f"{name}.pem", folder / f"{name}.key"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-keyout", key, "-out", pem, "-subj", "/CN=test", "-addext", f"subjectAltName={subject}"]
        subprocess.run(command, check=True, capture_output=True)
        return pem, key

    return make


@pytest.fixture
def fresh_certificates():
    """Certificates are read once in the life of a process."""
    server._certificates.cache_clear()
    yield
    server._certificates.cache_clear()


def served(pem=None, key=None, host="127.0.0.1"):
    context = None
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
    return StandInServer({}, host, context)


@needs_openssl
def test_a_certificate_that_is_not_trusted_and_the_remedy(
    certificate, queue, monkeypatch, fresh_certificates
):
    pem, key = certificate("own", "IP:127.0.0.1")
    with served(pem, key) as secure:
        assert secure.url("good").startswith("https://")
        result = queue(secure.url("good"))
        assert result.code == 2
        assert (
            "(this machine does not trust its certificate: self-signed certificate; if you do" in result.err
        )
        assert "in the environment variable SSL_CERT_FILE); start it, or" in result.err
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        server._certificates.cache_clear()
        result = queue(secure.url("good"))
        assert (result.code, len(result.files)) == (0, 3)


@needs_openssl
def test_a_certificate_of_another_server(certificate, queue, monkeypatch, fresh_certificates):
    pem, key = certificate("other", "DNS:example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with served(pem, key) as secure:
        result = queue(secure.url("good"))
    assert result.code == 2
    assert (
        "does not trust its certificate: IP address mismatch, certificate is not valid for '127" in result.err
    )


@needs_openssl
def test_http_where_https_is_spoken(certificate, queue, fresh_certificates):
    with served(*certificate("own", "IP:127.0.0.1")) as secure:
        result = queue(secure.url("good").replace("https", "http"))
    assert result.code == 2
    assert "perhaps its address begins with https://" in result.err


def test_https_where_http_is_spoken(comfy, queue, fresh_certificates):
    result = queue(comfy.url("good").replace("http", "https"))
    assert result.code == 2
    assert "(it does not speak https there: [SSL" in result.err
    assert "; perhaps its address begins with http://); start it, or" in result.err


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read(comfy, queue, tmp_path, monkeypatch, fresh_certificates, content):
    path = tmp_path / "named.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    result = queue(comfy.url("good"))
    assert result.code == 2
    assert "The certificates that the environment variable SSL_CERT_FILE or SSL_CERT_DIR names" in result.err
    assert result.err.endswith("; mend it, or unset it.\n")


def test_ipv6(queue):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with served(host="::1") as there:
        assert "[::1]" in there.url("good")
        result = queue(there.url("good", "me:hunter2secret"))
    assert (result.code, len(result.files)) == (0, 3)
    assert "hunter2secret" not in result.err + result.out


@contextmanager
def answering(*pieces: bytes) -> Iterator[str]:
    """The address of a server that sends these bytes to everybody, whatever they ask."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(b"".join(pieces))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WIRES = {
    "a chunk that ends early": [OK, b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"],
    "a chunk of no size": [OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"],
    "an endless chunk": [OK, b"Transfer-Encoding: chunked\r\n\r\n", b"f" * 18, b"\r\n{}\r\n"],
    "a length that is too long": [OK, b"Content-Length: 50\r\n\r\n{}"],
    "a length that is too short": [OK, b"Content-Length: 1\r\n\r\n{}"],
    "a length below 0": [OK, b"Content-Length: -5\r\n\r\n{}"],
    "two lengths": [OK, b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}   "],
    "a length of no number": [OK, b"Content-Length: many\r\n\r\n{}"],
    "a header of 200 kB": [OK, b"X: ", b"a" * 200_000, b"\r\n\r\n{}"],
    "20,000 headers": [OK, b"X-1: a\r\n" * 20_000, b"\r\n{}"],
    "a null in a header": [OK, b"X: a\0b" + b"c" * 60_000 + b"\r\n\r\n{}"],
    "endless 100s": [b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000],
    "an upgrade": [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
    "no status": [b"<html>hello</html>"],
    "another protocol": [b"SSH-2.0-OpenSSH_9.6\r\n"],
    "nothing": [],
}  # fmt: skip


@pytest.mark.parametrize("pieces", WIRES.values(), ids=WIRES)
def test_what_comes_on_the_wire_is_told_in_one_sentence(queue, pieces):
    with answering(*pieces) as url:
        result = queue(url)
    assert result.code == 2
    (sentence,) = result.err.splitlines()
    assert sentence.startswith("brushwork queue: There is no ComfyUI server at http://127.0.0.1:")
    assert sentence.endswith("); start it, or name it with --server.")
    assert sentence.isprintable()
    assert len(sentence) < 400
    assert "..)" not in sentence


def test_expired():
    said = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)"
    assert describe_failure(said, True).startswith(
        "this machine does not trust its certificate: certificate has expired; if you do, name"
    )


def test_an_answer_of_the_good_server_may_be_compressed(queue):
    """ComfyUI does that with --enable-compress-response-body."""
    body = gzip.compress(json.dumps(OBJECT_INFO).encode())
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with answering(head, body) as url:
        result = queue(url)
    # The list of nodes is understood; as a queue it is none.
    assert "no server has answered for 1 s, last: it does not answer as a ComfyUI server does." in result.err
