"""Who may speak with scheduler and workers: whoever holds the key of the run, and nobody else.

Dask's ports run whatever they are sent. Without TLS every user of the machine, or of its network, may send.
"""

from __future__ import annotations

import datetime
import ssl
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed.security import Security

from flatpipe.config.sections.cluster import ClusterSection, SecuritySection
from flatpipe.errors import ConfigError

_NAME = "flatpipe"
_ROLES, _KINDS = ("client", "scheduler", "worker"), ("cert", "key")
_LIFETIME = datetime.timedelta(days=365)
_CLOCKS = datetime.timedelta(days=1)
# ^ that clocks of machines may differ by


def temporary_credentials() -> Security:
    """A key of this run alone, and the certificate by which all its processes know each other; in memory only.

    As Dask's `Security.temporary`, but on the curve P-256: an RSA key takes 10 to 120 ms to find, this one takes 1.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    certificate = _self_signed(key).public_bytes(serialization.Encoding.PEM).decode()
    return _for_all_roles(certificate, certificate, private)


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + _LIFETIME)
        .sign(key, hashes.SHA256())
    )


def credentials_in_files(section: SecuritySection) -> Security:
    """The credentials that the section names by path; raises ConfigError when they cannot be used."""
    security = _for_all_roles(str(section.ca_file), str(section.cert), str(section.key))
    try:
        security.get_connection_args("client")
    except (OSError, ValueError) as error:
        # ^ an SSLError is an OSError
        words = f"{section.ca_file}, {section.cert} and {section.key} cannot be used: {_reason(error)}"
        raise ConfigError(f"execution.cluster.security: {words}") from error
    return security


def credentials_for(section: ClusterSection) -> Security | None:
    """What a client of the section's scheduler shows; None for Dask's own settings, which may name some too."""
    return credentials_in_files(section.security) if section.security.is_given else None


def check_credentials(section: ClusterSection, address: str) -> None:
    """Raise ConfigError, with what to do, when a scheduler's address and the credentials do not go together."""
    if address.startswith("tls://"):
        if not section.security.is_given and not Security().get_tls_config_for_role("client")["cert"]:
            raise ConfigError(f"execution.cluster.security: {address} needs ca_file, cert and key, each a path")
    elif section.security.is_given:
        raise ConfigError(f"execution.cluster.security: {address} does not use them; start the scheduler with TLS")


def certificates(security: Security) -> tuple[str, str]:
    """Certificate and private key of temporary credentials, in PEM."""
    return str(security.tls_worker_cert), str(security.tls_worker_key)


def in_files(path: str) -> Security:
    """Temporary credentials of which certificate and key are in one file, wherever it is."""
    return _for_all_roles(path, path, path)


def as_options(security: Security) -> dict[str, Any]:
    """Credentials in files, as Dask's processes take them among their options."""
    roles = {f"tls_{role}_{kind}": getattr(security, f"tls_{role}_{kind}") for role in _ROLES for kind in _KINDS}
    return {"require_encryption": True, "tls_ca_file": security.tls_ca_file, **roles}


def _for_all_roles(authority: str, certificate: str, key: str) -> Security:
    roles = {f"tls_{role}_{kind}": value for role in _ROLES for kind, value in (("cert", certificate), ("key", key))}
    return Security(require_encryption=True, tls_ca_file=authority, **roles)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return (isinstance(error, OSError) and error.strerror) or str(error)
