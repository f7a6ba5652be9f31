"""A certificate authority of one's own, so that a small clinic's broker speaks TLS without anybody knowing openssl."""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kiosk.errors import KioskError

AUTHORITY_LASTS = timedelta(days=3650)
"""Every kiosk has a copy of it: to change it means to visit them all."""
SERVER_LASTS = timedelta(days=825)
"""Renewed by the same command long before; the most that common clients take of any authority."""
RENEW_BEFORE = timedelta(days=180)
SKEW = timedelta(hours=24)
"""A kiosk's clock may be behind."""


class BadCertificate(KioskError):
    """A certificate or key that cannot be read, made or used."""


@dataclass(frozen=True, slots=True)
class Made:
    """What there is now, and until when."""

    authority: Path
    certificate: Path
    key: Path
    until: datetime
    renewed: bool
    """False where everything was there and good still."""


def ensure(authority: Path, broker: Path, hosts: Sequence[str], now: datetime) -> Made:
    """An authority in one folder, and in another what the broker needs: ca.pem, server.pem, server.key.

    What is there stays as long as it is good: the authority always, the server's certificate until it runs out soon,
    is for other hosts or of another authority.
    """
    if not hosts:
        raise BadCertificate("a certificate is for at least one host")
    try:
        for folder in (authority, broker):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        issuer, issuer_key = _authority(authority, now)
        certificate, key = broker / "server.pem", broker / "server.key"
        _write(broker / "ca.pem", _pem(issuer), 0o644)
        known = _good(certificate, key, issuer, hosts, now)
        if known is not None:
            return Made(broker / "ca.pem", certificate, key, known.not_valid_after_utc, renewed=False)
        server, server_key = _server(issuer, issuer_key, hosts, now)
        _write(key, _private(server_key), 0o600)
        _write(certificate, _pem(server), 0o644)
        return Made(broker / "ca.pem", certificate, key, server.not_valid_after_utc, renewed=True)
    except OSError as error:
        raise BadCertificate(f"{error.filename}: {error.strerror}") from None


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate, key = folder / "ca.pem", folder / "ca.key"
    if key.exists() or certificate.exists():
        try:
            made = x509.load_pem_x509_certificate(certificate.read_bytes())
            private = serialization.load_pem_private_key(key.read_bytes(), None)
        except ValueError:
            raise BadCertificate(f"{folder}: ca.pem or ca.key is damaged") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or made.public_key() != private.public_key():
            raise BadCertificate(f"{folder}: ca.key is not the key of ca.pem")
        if made.not_valid_after_utc < now + RENEW_BEFORE:
            raise BadCertificate(
                f"{folder}: the authority runs out on {made.not_valid_after_utc:%Y-%m-%d}; make another"
            )
        return made, private
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"health-kiosk broker authority {now:%Y-%m-%d}")])
    made = (
        _begun(name, name, private.public_key(), now, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )
    _write(key, _private(private), 0o600)
    _write(certificate, _pem(made), 0o644)
    return made, private


def _server(
    issuer: x509.Certificate, issuer_key: ec.EllipticCurvePrivateKey, hosts: Sequence[str], now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    private = ec.generate_private_key(ec.SECP256R1())
    # a common name holds 64 characters, and nobody reads it: the alternative names count
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "health-kiosk broker")])
    made = (
        _begun(name, issuer.subject, private.public_key(), now, SERVER_LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return made, private


def _begun(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        if not host or len(host) > 253 or any(character.isspace() or character in "/:*@" for character in host):
            raise ValueError
        return x509.DNSName(host)
    except ValueError:
        raise BadCertificate(f"{host[:80]!r} is neither a host's name nor an address") from None


def _good(
    certificate: Path, key: Path, issuer: x509.Certificate, hosts: Sequence[str], now: datetime
) -> x509.Certificate | None:
    """The server's certificate, if it will do for a while."""
    try:
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        made.verify_directly_issued_by(issuer)
        named = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return None
    same = private.public_key() == made.public_key() and list(named) == [_alternative(host) for host in hosts]
    return made if same and made.not_valid_after_utc > now + RENEW_BEFORE else None


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    """Replace a file; a key is never readable by others, not even for a moment."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
