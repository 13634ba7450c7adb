"""Certificates are checked, and a file of trusted ones can be given, over real TLS."""

import datetime
import ipaddress
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kaltura_provider.api.async_client import AsyncKalturaClient
from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.errors import KalturaTransportError, TransportFault
from kaltura_provider.api.retry import NO_RETRY


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def url(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ntrue")
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_an_unknown_certificate_is_refused(url, credentials):
    with (
        KalturaClient(url, credentials, retry=NO_RETRY) as client,
        pytest.raises(KalturaTransportError, match=r"cannot connect securely to 127\.0\.0\.1:.*self.signed") as caught,
    ):
        client.call("system", "ping")
    assert caught.value.fault is TransportFault.TLS
    assert not caught.value.ambiguous


async def test_an_unknown_certificate_is_refused_by_the_asynchronous_client(url, credentials):
    async with AsyncKalturaClient(url, credentials, retry=NO_RETRY) as client:
        with pytest.raises(KalturaTransportError, match=r"self.signed") as caught:
            await client.call("system", "ping")
    assert caught.value.fault is TransportFault.TLS


def test_a_given_certificate_is_trusted(url, credentials, certificate):
    with KalturaClient(url, credentials, verify=str(certificate)) as client:
        assert client.call("system", "ping") is True


async def test_a_given_certificate_is_trusted_by_the_asynchronous_client(url, credentials, certificate):
    async with AsyncKalturaClient(url, credentials, verify=str(certificate)) as client:
        assert await client.call("system", "ping") is True


async def test_the_environment_is_heard_by_both(url, credentials, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with KalturaClient(url, credentials) as client:
        assert client.call("system", "ping") is True
    async with AsyncKalturaClient(url, credentials) as client:
        assert await client.call("system", "ping") is True
