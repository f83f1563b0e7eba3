"""Time-stamps (RFC 3161): an authority outside the school signs that a checkpoint existed by then.

Nothing here talks to a network. A token is checked at its own time, so that it holds after the
authority's certificate has expired, and the way from its signer up to a root is kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificates
from cryptography.x509.oid import ObjectIdentifier
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from monitor.errors import EvidenceError

REQUEST_TYPE: Final = "application/timestamp-query"
ANSWER_TYPE: Final = "application/timestamp-reply"
"""The media types of RFC 3161, section 3.4."""
MAX_TOKEN: Final = 64 * 1024
"""Bytes of an authority's answer; one with a long chain has about eight thousand."""

_SHA256: Final = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_GRANTED: Final = 0
_LONGEST_CHAIN: Final = 8


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an authority: the DER to send, and the nonce that its answer must repeat."""

    request: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Token:
    """An answer that was found good.

    `response` is the TimeStampResp as it arrived (DER); `chain` the certificates from the signer to
    a root (PEM); `at` the time that the authority signed; `expires_at` when the first certificate
    of the chain ends. Both times are aware, in UTC.
    """

    response: bytes
    chain: str
    at: datetime
    expires_at: datetime

    @property
    def response_sha256(self) -> str:
        """SHA-256 of the response, hex: what the log says about it."""
        return sha256(self.response).hexdigest()

    @property
    def chain_sha256(self) -> str:
        """SHA-256 of the chain's text, hex."""
        return sha256(self.chain.encode()).hexdigest()


def ask(note: str) -> Question:
    """A question for a time-stamp over a signed note, its signatures and line ends included."""
    built = TimestampRequestBuilder(
        note.encode(), HashAlgorithm.SHA256, nonce=True, cert_req=True
    ).build()
    assert built.nonce is not None
    return Question(built.as_bytes(), built.nonce)


def read_roots(pem: bytes) -> tuple[Certificate, ...]:
    """The certificates in a file of them.

    Raises:
        EvidenceError: there is none, or one is damaged.
    """
    try:
        found = tuple(load_pem_x509_certificates(pem))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EvidenceError("holds no certificate that can be read (PEM)") from error
    if not any(each.issuer == each.subject for each in found):
        raise EvidenceError("holds no root certificate: one that has signed itself")
    return found


def open_token(
    response: bytes, note: str, roots: Sequence[Certificate], *, nonce: int | None = None
) -> Token:
    """Check an authority's answer about a note: signature, chain, purpose, digest, nonce.

    Every certificate must have been good at the token's own time; today's date is not asked for.
    With `nonce`, the answer must repeat it, so that it is new.

    Raises:
        EvidenceError: it is no time-stamp of this note by somebody whom `roots` vouch for.
    """
    if len(response) > MAX_TOKEN:
        raise EvidenceError(f"the time-stamp has more than {MAX_TOKEN} bytes")
    anchors = [each for each in roots if each.issuer == each.subject]
    between = [each for each in roots if each.issuer != each.subject]
    try:
        parsed = decode_timestamp_response(response)
        if parsed.status != _GRANTED:
            said = " ".join(parsed.status_string)
            raise EvidenceError(
                f"the authority refused a time-stamp: status {parsed.status} {said}"
            )
        if parsed.tst_info.message_imprint.hash_algorithm != _SHA256:
            raise EvidenceError("the time-stamp is not over a SHA-256 digest")
        VerifierBuilder(intermediates=between, roots=anchors, nonce=nonce).build().verify_message(
            parsed, note.encode()
        )
        at = parsed.tst_info.gen_time.astimezone(UTC)
        chain = _chain(parsed, roots)
    except VerificationError as error:
        said = str(error).partition(": ErrorStack")[0]  # what follows is OpenSSL's own trail
        raise EvidenceError(f"the time-stamp does not verify: {said}") from error
    except (ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        raise EvidenceError("the time-stamp is damaged: it cannot be read") from error
    for each in chain:
        if not each.not_valid_before_utc <= at <= each.not_valid_after_utc:
            raise EvidenceError("a certificate of the time-stamp was not valid at its time")
    return Token(
        response=response,
        chain="".join(_pem(each) for each in chain),
        at=at,
        expires_at=min(each.not_valid_after_utc for each in chain),
    )


def _chain(parsed: TimeStampResponse, roots: Iterable[Certificate]) -> list[Certificate]:
    """From the certificate that signed up to a root that is trusted."""
    trusted = list(roots)
    given = [load_der_x509_certificate(der) for der in parsed.signed_data.certificates]
    (signer,) = parsed.signed_data.signer_infos
    current = next(
        (
            each
            for each in (*given, *trusted)
            if (each.issuer, each.serial_number) == (signer.issuer, signer.serial_number)
        ),
        None,
    )
    chain: list[Certificate] = []
    while current is not None and len(chain) < _LONGEST_CHAIN:
        chain.append(current)
        if current in trusted and current.issuer == current.subject:
            return chain
        current = _issuer(current, (*trusted, *given))
    raise EvidenceError("the time-stamp's certificates do not lead to a trusted root")


def _issuer(child: Certificate, known: Iterable[Certificate]) -> Certificate | None:
    for each in known:
        if each != child and each.subject == child.issuer:
            try:
                child.verify_directly_issued_by(each)
            except (InvalidSignature, ValueError, TypeError):
                continue
            return each
    return None


def _pem(certificate: Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
