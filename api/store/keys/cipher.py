"""AES-256-GCM: how keys are wrapped, and what is put down beside them is sealed."""

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
"""Random for every message. One key seals less than 2**32 of them: the limit that NIST SP 800-38D sets for that."""


def encrypt(key: bytes, data: bytes, where: str) -> bytes:
    """Nonce and ciphertext, AES-256-GCM; `where` must be said again to read it, so that nothing can be moved."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, where.encode())


def decrypt(key: bytes, sealed: bytes, where: str) -> bytes:
    """What was encrypted, or InvalidTag."""
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], where.encode())
