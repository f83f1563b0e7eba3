"""A real RFC 3161 authority for tests: `openssl ts` with a root, and an HTTP server on loopback."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.programs import needs

DAY: Final = timedelta(days=1)

_CONFIG: Final = """\
[tsa]
default_tsa = it
[it]
serial = {place}/serial
crypto_device = builtin
signer_cert = {place}/signer.pem
certs = {place}/root.pem
signer_key = {place}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""


@dataclass(slots=True)
class Authority:
    """One authority: its files in `place`, how it behaves now, and how often it was asked."""

    place: Path
    name: str
    url: str = ""
    asked: int = 0
    status: int = 200
    spoil: list[bytes] = field(default_factory=list)
    """Answers given instead of its own, the first first."""
    customer: str = ""
    """`name:password` of the one customer it serves; where empty, it serves anybody."""
    moved_to: str = ""
    """Where it sends those whom it would serve."""
    told: list[str] = field(default_factory=list)
    """The Authorization header of each question, empty where there was none."""

    @property
    def root(self) -> Path:
        return self.place / "root.pem"

    def certify(self, *, until: datetime, since: datetime | None = None) -> None:
        """A new signing certificate under the same root, good until then."""
        key, root_key = _key(), _load(self.place / "root.key")
        root = x509.load_pem_x509_certificate(self.root.read_bytes())
        called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        signer = _certificate(called, key, root.subject, root_key, since or _begin(), until)
        _write(self.place / "signer.key", _key_pem(key))
        _write(self.place / "signer.pem", signer.public_bytes(serialization.Encoding.PEM))

    def answer(self, request: bytes) -> bytes:
        """The answer of `openssl ts -reply`."""
        asked = self.place / "asked.tsq"
        asked.write_bytes(request)
        done = subprocess.run(
            [
                needs("openssl"),
                "ts",
                "-reply",
                "-config",
                str(self.place / "ts.cnf"),
                "-queryfile",
                asked,
            ],
            capture_output=True,
            check=True,
        )
        return done.stdout


def make_authority(place: Path, name: str = "Invented Stamps", *, years: int = 10) -> Authority:
    """Keys, a root, a signing certificate and the config of `openssl ts`, in `place`."""
    place.mkdir(parents=True)
    key = _key()
    begin = _begin()
    # The set of certificates in a token must be in the order of DER, where the shorter comes first:
    # openssl writes the signer before the root, so the root has the longer name.
    called = f"{name}, the root of certificates that are invented for tests and for nothing else"
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, called[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, called[:64]),
        ]
    )
    root = _certificate(subject, key, subject, key, begin, begin + 365 * years * DAY, ca=True)
    _write(place / "root.key", _key_pem(key))
    _write(place / "root.pem", root.public_bytes(serialization.Encoding.PEM))
    (place / "serial").write_text("01\n", encoding="ascii")
    (place / "ts.cnf").write_text(_CONFIG.format(place=place), encoding="utf-8")
    made = Authority(place, name)
    made.certify(until=begin + 365 * (years - 1) * DAY)
    return made


@contextmanager
def served(authority: Authority) -> Iterator[Authority]:
    """The authority behind HTTP on a free port of loopback."""

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            authority.asked += 1
            request = self.rfile.read(int(self.headers["Content-Length"]))
            status = self.status()
            given = authority.spoil.pop(0) if authority.spoil else b""
            body = given or (authority.answer(request) if status == 200 else b"")
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="stamps", charset="UTF-8"')
            if status == 307:
                self.send_header("Location", authority.moved_to)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def status(self) -> int:
            told = self.headers.get("Authorization", "")
            authority.told.append(told)
            wanted = base64.b64encode(authority.customer.encode()).decode()
            if authority.customer and told != f"Basic {wanted}":
                return 401
            return 307 if authority.moved_to else authority.status

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_port}/tsa"
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _begin() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - DAY


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _load(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def _certificate(
    name: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    since: datetime,
    until: datetime,
    *,
    ca: bool = False,
) -> x509.Certificate:
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=ca,
                crl_sign=ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if not ca:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        built = built.add_extension(purpose, critical=True)
    return built.sign(issuer_key, hashes.SHA256())
