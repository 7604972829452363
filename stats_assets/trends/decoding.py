"""Bytes into the shape of a log. Every type is checked, and whatever is wrong has a reason."""

from __future__ import annotations

import msgspec

from stats_assets.trends.reasons import BadLog
from stats_assets.trends.shape import Log

_DECODER = msgspec.json.Decoder(Log)


def decoded(data: bytes) -> Log:
    """The log. Raises BadLog with the place of the first value that is not what it should be."""
    try:
        log = _DECODER.decode(data)
    except msgspec.ValidationError as error:
        raise _misshapen(data, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLog("lone_surrogate" if "surrogate" in str(error) else "not_json", str(error)) from error
    if not log.success:
        raise BadLog("not_successful", "success is false")
    return log


# What a complaint of the decoder is about, by a piece of its text; the first that fits.
_COMPLAINTS = (
    ("$.info.date", "bad_date"),
    (".team`", "unknown_team"),
    (".winner`", "unknown_winner"),
    (".firstcap`", "unknown_winner"),
    (".type`", "unknown_class"),
    ("unknown field", "unknown_class"),
    ("missing required field", "missing_value"),
    ("got `null`", "missing_value"),
    ("got `float`", "bad_number"),
    ("out of range", "bad_number"),
    ("$.version", "bad_number"),
)


def _misshapen(data: bytes, complaint: str) -> BadLog:
    """Why the text is no log: what the server says of itself goes before what is missing in it."""
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return BadLog("not_json", str(error))
    if not isinstance(whole, dict):
        return BadLog("not_a_log", f"the whole is a {type(whole).__name__}")
    if whole.get("success", True) is not True:
        return BadLog("not_successful", f"success is {whole['success']!r:.40}, error {whole.get('error')!r:.120}")
    if not ("info" in whole and "players" in whole):
        return BadLog("not_a_log", f"sections info and players are wanted, there are {sorted(whole)!r:.120}")
    return BadLog(next((reason for piece, reason in _COMPLAINTS if piece in complaint), "bad_type"), complaint)
