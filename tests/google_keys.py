"""Key files of Google service accounts that do not exist."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def write(folder: Path, token_uri: str) -> Path:
    """Write an account's key file, which requests tokens at this address; return its path."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "starter@project-of-ours.iam.gserviceaccount.com",
        "private_key": key.decode(),
        "token_uri": token_uri,
    }
    path = folder / "key.json"
    path.write_text(json.dumps(account), encoding="utf-8")
    return path
