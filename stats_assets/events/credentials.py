"""Whether a request comes from whom it says: a secret in the body or a header, or a signature over the body. Pure.

Secrets are compared as SHA-256 digests in constant time, so that neither their length nor a first difference shows.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from stats_assets.events.schema_file import App

# A signature is good so long before and after the time it names: clocks differ, and requests may be tried again.
SIGNATURE_SECONDS = 300
_SIGNATURE = re.compile(r"t=(?P<seconds>[0-9]{1,12}),v1=(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True)
class Doorkeeper:
    """What opens one app."""

    app: App

    def knows(self, secret: str) -> bool:
        """Whether this is one of the app's secrets. Every one of them is compared, whatever the outcome."""
        digest = sha256(secret.encode()).digest()
        return sum(hmac.compare_digest(digest, known) for known in self.app.secret_digests) > 0

    def judge_headers(self, headers: Mapping[str, str], body: bytes, now: float) -> Literal["open", "closed", "unsaid"]:
        """By `Authorization: Bearer SECRET` or `X-Signature`; unsaid when there is neither, and the body must tell.

        `body` is as it was sent, `now` in Unix seconds.
        """
        if (signature := headers.get("x-signature")) is not None:
            return "open" if self._has_signed(signature, body, now) else "closed"
        if self.app.require_signature:
            return "closed"
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return "unsaid"
        return "open" if self.knows(token.strip()) else "closed"

    def _has_signed(self, signature: str, body: bytes, now: float) -> bool:
        """`t=UNIX_SECONDS,v1=HEX`, HMAC-SHA-256 with a secret over the seconds, a full stop and the body."""
        match = _SIGNATURE.fullmatch(signature.strip())
        if match is None or abs(now - int(match["seconds"])) > SIGNATURE_SECONDS:
            return False
        given, signed = match["digest"], match["seconds"].encode() + b"." + body
        return sum(hmac.compare_digest(given, sign(secret, signed)) for secret in self.app.secret_key) > 0


def sign(secret: str, signed: bytes) -> str:
    """The hexadecimal digest of a signature."""
    return hmac.new(secret.encode(), signed, sha256).hexdigest()
