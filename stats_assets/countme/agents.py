"""The user agent: which system asks. Format: libdnf, utils/os-release.cpp, getUserAgent:

libdnf/0.73.1 (NAME VERSION; VARIANT; CANON.ARCH)      the part from the slash on may be missing
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stats_assets.countme.config import Policy


class System(NamedTuple):
    """What an agent says of the system it runs on, as sent; every field may be empty."""

    os_name: str
    os_version: str
    os_variant: str
    os_arch: str


UNTOLD = System("", "", "", "")

# Programs that send countme. A new one is added here; until then its countme is rejected as unknown_agent.
COUNTME_PRODUCTS = ("libdnf", "libdnf5", "dnf5", "dnf5daemon-server", "microdnf", "rpm-ostree")

# The order of alternatives and which runs are greedy are part of the definition: compat counts names with
# brackets, semicolons and quotes in them as the established tool does.
COMPAT_AGENT = (
    r"(?:libdnf|rpm-ostree)(?:/\S+)?\s+"
    r"\((?P<os_name>.*)\s(?P<os_version>[0-9a-z._-]*?);\s(?P<os_variant>[0-9a-z._-]*);"
    r"\s[A-Za-z0-9_./]+\.(?P<os_arch>[A-Za-z0-9_]+)\)"
)
_COMPAT = re.compile(COMPAT_AGENT, re.ASCII)

_PRODUCT = re.compile(rf"(?:{'|'.join(map(re.escape, COUNTME_PRODUCTS))})(?:/\S+)?(?: +(?P<rest>.*))?")
_STRICT_SYSTEM = re.compile(
    r"\((?P<os_name>.*) (?P<os_version>[0-9A-Za-z._-]*); (?P<os_variant>[0-9A-Za-z._-]*); "
    r"[A-Za-z0-9_./-]+\.(?P<os_arch>[A-Za-z0-9_-]+)\)(?: .*)?"
)


def read_agent(text: str, policy: Policy) -> System | None:
    """The system the agent names: UNTOLD where it names none, None where the program is not known.

    compat knows no unknown programs: who is not libdnf or rpm-ostree to the letter is UNTOLD.
    """
    if policy == "compat":
        match = _COMPAT.fullmatch(text)
        return System(**match.groupdict()) if match else UNTOLD
    product = _PRODUCT.fullmatch(text)
    if product is None:
        return None
    match = _STRICT_SYSTEM.fullmatch(product["rest"] or "")
    return System(**match.groupdict()) if match else UNTOLD
