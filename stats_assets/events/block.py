"""Raw events of one table as they are read for its typed rows: column by column, in the order they are stored. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID

import numpy as np

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Block:
    """Some thousand events. `payloads` are joined by commas, `headers` likewise, `null` for none."""

    received_at: np.ndarray  # microseconds since 1970
    request_id: np.ndarray  # 16 bytes each
    request_position: np.ndarray
    payload_bytes: np.ndarray  # length of each
    app_ids: list[str]
    payloads: bytes
    headers: bytes

    @property
    def count(self) -> int:
        return len(self.app_ids)

    @cached_property
    def offsets(self) -> Sequence[int]:
        """Of each event in the payloads, and of one that would follow."""
        return [0, *np.cumsum(self.payload_bytes + 1).tolist()]

    def payload(self, start: int, end: int) -> bytes:
        """The events from `start` to before `end`, with the commas between them."""
        return self.payloads[self.offsets[start] : self.offsets[end] - 1]

    def place_of(self, payload_byte: int) -> int:
        """Which event the byte is in."""
        return bisect_right(self.offsets, payload_byte) - 1

    def key(self, place: int) -> tuple[datetime, UUID, int]:
        """What names the event everywhere: received_at, request_id, request_position."""
        at = _EPOCH + timedelta(microseconds=int(self.received_at[place]))
        return at, UUID(bytes=self.request_id[place].tobytes()), int(self.request_position[place])
