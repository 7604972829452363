"""Why a log cannot be imported: the codes of trends.quarantine, and the exception that carries one."""

from __future__ import annotations

REASONS = {
    "too_large": "more bytes than a log may have",
    "not_json": "not JSON, or cut off",
    "lone_surrogate": "a text holds half of a character",
    "nul_character": "a text holds the character NUL, which PostgreSQL cannot keep",
    "not_a_log": "JSON, but not an object with players",
    "not_successful": "the server's answer says that it is not a success",
    "no_players": "nobody played",
    "bad_date": "no upload time, or one that cannot be",
    "bad_uploader": "the uploader's id is nobody's",
    "no_score": "no score, and no rounds to count it from",
    "missing_value": "a value that every log has is not there",
    "bad_type": "a value or section of the wrong type",
    "bad_number": "a number that is no whole number, negative where it cannot be, or too large",
    "unknown_team": "a player's team is neither Red nor Blue",
    "unknown_class": "a class the game does not have",
    "unknown_winner": "a round's winner or first cap is neither Red nor Blue",
    "killstreak_without_kills": "a kill streak of no kills",
    "half_an_advantage": "of advantages_lost and biggest_advantage_lost only one is there",
    "class_twice": "a player has the same class twice",
    "player_twice": "one player under two ids",
    "too_many": "more rounds, players or messages than a log may have",
    "too_long": "a map's or weapon's name that is none",
    "no_logid": "the file's name does not tell the logid, or one that cannot be",
    "refused_by_database": "PostgreSQL refuses the rows: a mistake of the parser",
}


class BadLog(Exception):
    """This log cannot be imported. `reason` is one of `REASONS`, `detail` says where in the log and what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        assert reason in REASONS, reason
        self.reason = reason
        self.detail = detail
