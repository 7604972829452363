"""Whether a request comes from whom it says: a secret in the body or a header, or a signature over the body. Pure.

Secrets are compared as SHA-256 digests in constant time, so that neither their length nor a first difference shows.
One that was good before is known by Python's own hash of it, which is keyed by the process and shows as little.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from stats_assets.events.headers import Headers, text_of
from stats_assets.events.schema_file import App

# A signature is good so long before and after the time it names: clocks differ, and requests may be tried again.
SIGNATURE_SECONDS = 300
Said = Literal["open", "closed", "unsaid"]
_SIGNATURE = re.compile(r"t=(?P<seconds>[0-9]{1,12}),v1=(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True)
class Doorkeeper:
    """What opens one app."""

    app: App
    _good: set[str] = field(default_factory=set, repr=False)  # at most the app's secrets

    def knows(self, secret: str) -> bool:
        """Whether this is one of the app's secrets. If it is new, every one of them is compared."""
        if secret in self._good:
            return True
        digest = sha256(secret.encode()).digest()
        is_known = False
        for known in self.app.secret_digests:
            is_known |= hmac.compare_digest(digest, known)
        if is_known:
            self._good.add(secret)
        return is_known

    def judge_signature(self, signature: str, body: bytes, now: float) -> Said:
        """By `X-Signature`; `body` is as it was sent, `now` in Unix seconds."""
        return "open" if self._has_signed(signature, body, now) else "closed"

    def judge_token(self, headers: Headers) -> Said:
        """By `Authorization: Bearer SECRET`; unsaid when there is none, and the body must tell."""
        if self.app.require_signature:
            return "closed"
        authorization = text_of(headers, b"authorization")
        if authorization is None:
            return "unsaid"
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return "unsaid"
        return "open" if self.knows(token.strip()) else "closed"

    def _has_signed(self, signature: str, body: bytes, now: float) -> bool:
        """`t=UNIX_SECONDS,v1=HEX`, HMAC-SHA-256 with a secret over the seconds, a full stop and the body."""
        match = _SIGNATURE.fullmatch(signature.strip())
        if match is None or abs(now - int(match["seconds"])) > SIGNATURE_SECONDS:
            return False
        given, signed = match["digest"], match["seconds"].encode() + b"." + body
        is_good = False
        for secret in self.app.secret_key:
            is_good |= hmac.compare_digest(given, sign(secret, signed))
        return is_good


def sign(secret: str, signed: bytes) -> str:
    """The hexadecimal digest of a signature."""
    return hmac.new(secret.encode(), signed, sha256).hexdigest()
