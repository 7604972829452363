"""Names of repositories and architectures: hand-made cases, and every line of the reference logs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from stats_assets.countme.repositories import UNMAPPED, ArchitectureRules, NamingRules, RepositoryRules, naming_rules

RULES = naming_rules()
ESTABLISHED = RULES.repositories.model_copy(update={"newer": ()})


def cases(text: str) -> list[tuple[str, str]]:
    """Lines `name: spelling spelling`, as pairs (spelling, name)."""
    lines = [line.split(": ") for line in text.strip().splitlines()]
    return [(spelling, name) for name, spellings in lines for spelling in spellings.split()]


OLD_NAMES = cases(
    """
f03: 3 f3 f03 fedora-3 core3 core-3 extras-3 legacy3 fc3
f09: 9 updates-released-f9 fedora-9 updates-testing-debug-f9
f39: 39 f39 fedora-39 fedora-debug-39 fedora-source-39 updates-released-f39 updates-testing-source-f39 FEDORA-39
f39: fedora-install-39 updates-alpha-f39 fedora-beta-39 fedora-optional-39 fedora-39-server fedora-39-workstation-x
f10: updates-released-f10.newkey updates-released-debug-f10.newkey 9.90 9.90.1 f9.91 f9.93
f07: 6.89 f6.93 fedora-6.90
f08: 7.89 f7.93
f09: 8.90 f8.93
f11: 10.89 f10.93
f12: 11.89 f11.93
f13: 12.89 f12.93
rawhide: rawhide Rawhide fedora-rawhide rawhide-debug rawhide-source
rawhide_modular: rawhide-modular rawhide-modular-source
modular_f27: fedora-modular-27 updates-released-modular-f27 modular-f27
modular_f39: fedora-modular-39 updates-testing-modular-debug-f39
cisco_32: fedora-cisco-openh264-32
cisco_39: fedora-cisco-openh264-39 fedora-cisco-openh264-source-39
cisco_rawhide: fedora-cisco-openh264-rawhide
epel4: epel-4 epel4.0
epel8: epel-8 epel-8.20 epel-8.7 epel-testing-8 epel-debug-8 epel-source-8 epel-modular-8 epel-testing-modular-8
epel9: EPEL-9 epel-9.10 epel-9-server epel-9workstation
epel_next8: epel-next-8 epel-testing-next-8
epel_next9: epel-next-9 epel-next-debug-9
playground_epel8: playground-epel8
playground_epel9: playground-epel-9
rhel4: rhel4 rhel-4
rhel9: rhel9 rhel-9-server-optional
"""
)

NO_OLD_NAME = cases("""
unmapped: 03 2 f2 fedora-02 40 fedora-40 updates-released-f40 f039 fedora-core-6 epel epel-3 epel-10 epel-8.21 epel-8.08
unmapped: epel-8.1.2 epel-modular-9 epel-next-7 epel-2023 playground-epel7 rhel3 rhel10 fedora-modular-26
unmapped: fedora-modular-40 modular-27 fedora-cisco-openh264-31 fedora-cisco-openh264-40 6.88 f6.94 7.88 8.89 9.89
unmapped: 9.90.2 10.88 12.94 13.90 centosplus centos7 eln second-repo epel%2D8 rawhide2 f\u0663\u0669 fedora_39
""")


@pytest.mark.parametrize(("tag", "name"), OLD_NAMES)
def test_a_repository_has_the_name_the_condense_report_gives_it(tag: str, name: str):
    assert (ESTABLISHED.name_of(tag), RULES.repositories.name_of(tag)) == (name, name)


@pytest.mark.parametrize("tag", [*dict(NO_OLD_NAME), "", "-", " ", "epel 8"])
def test_what_the_condense_report_does_not_know_has_no_established_name(tag: str):
    assert ESTABLISHED.name_of(tag) == UNMAPPED


@pytest.mark.parametrize(("tag", "name"), [(" epel-8 ", "epel8"), ("f39client-x", UNMAPPED), ("fc-fedora", UNMAPPED)])
def test_blanks_around_a_tag_do_not_matter_and_leftovers_do(tag: str, name: str):
    assert RULES.repositories.name_of(tag) == name


def test_words_are_deleted_in_their_order_and_what_follows_a_cutting_word_goes():
    # Deleting "debug" after "client" leaves a "client" that cuts.
    assert RULES.repositories.name_of("f39-clidebugent-anything") == "f39"


@pytest.mark.parametrize(
    ("tag", "name"),
    cases("""
f40: 40 f40 fedora-40 updates-released-f40 updates-testing-f40
f99: fedora-99 fedora-source-99
cisco_41: fedora-cisco-openh264-41
epel10: epel-10 epel-10.1 epel-testing-10 epel-debug-10.12
epel_next10: epel-next-10
eln: eln eln-baseos eln-appstream-source fedora-eln
unmapped: epel-2023 fedora-100 fedora-040 second-repo fedora- epel- eln9 fedora-modular-40 epel-10.123
"""),
)
def test_newer_releases_continue_the_established_names(tag: str, name: str):
    assert RULES.repositories.name_of(tag) == name


@pytest.mark.parametrize(
    ("arch", "name"),
    cases("""
i386: i386 i486 i586 i686 athlon pentium pentium3 pentium4 pentium5 ia32 x86 x86_32 I686 x86%5f64
x86_64: x86_64 amd64 X86_64 x86_64/os x86_64.x x86_64%20 x86_64$ x86_64| x86_64" x86_64]
aarch64: aarch64 arm64
arm: arm armhfp armv3l armv5tel armv7hl
alpha: alpha
ia64: ia64
mips: mips
mips64: mips64 mips64el
ppc: powepc ppc ppc32
ppc64: ppc64
ppc64le: ppc64le
s390: s390 s390x s390x;
sparc: sparc
sparc64: sparc64
tilegx: tilegx
unmapped: powerpc riscv64 noarch $basearch mipsel armv8 x86_6 pentium2 x86_64_v2 x86_64}
"""),
)
def test_an_architecture_has_the_name_the_condense_report_gives_it(arch: str, name: str):
    assert RULES.architectures.name_of(arch) == name


def test_an_architecture_that_was_not_sent_has_no_name():
    assert RULES.architectures.name_of("") == UNMAPPED


def test_the_rules_refuse_an_architecture_with_two_names():
    with pytest.raises(ValidationError, match="more than one name for x86"):
        ArchitectureRules(cut_at="/", names={"i386": ("x86",), "x86_64": ("amd64", "x86")})


def test_the_rules_refuse_a_field_they_do_not_know():
    with pytest.raises(ValidationError, match="Extra inputs"):
        NamingRules.model_validate(RULES.model_dump() | {"renamed": []})


def test_a_further_release_needs_a_pattern_and_nothing_else():
    further = RepositoryRules.model_validate(
        RULES.repositories.model_dump() | {"newer": [{"pattern": r"epel(?P<year>20\d\d)", "name": "epel_{year}"}]}
    )
    assert (further.name_of("epel-2023"), RULES.repositories.name_of("epel-2023")) == ("epel_2023", UNMAPPED)


# How the condense report reads a line: anything that mentions the mirror list, of any method and status, not decoded.
CONDENSED_LINE = re.compile(
    r'([\d.]+|[0-9a-fA-F:]+)\s+\S*\s+\S*\s+\[(\d+)/(\w+)/(\d+):[^\]]*\]\s+"(.*?)"\s+\d+\s+\S*\s+".*?"\s+".*?"'
)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def condensed(log: Path) -> Iterator[str]:
    with gzip.open(log, "rt", encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            match = CONDENSED_LINE.match(line) if "/metalink" in line or "/mirrorlist" in line else None
            if match and match[3] in MONTHS:
                date = f"{match[4]}-{MONTHS.index(match[3]) + 1:02}-{match[2]}"
                yield f"{date} {match[1]} {' '.join(names_of_request(match[5]))}"


def names_of_request(request: str) -> tuple[str, str]:
    pieces = [*[*request.split(), "", ""][1].split("?"), ""][1].split("&")
    repo, arch = ([piece.split("=")[1] for piece in pieces if key in piece] for key in ("repo=", "arch="))
    repository = ESTABLISHED.name_of(repo[-1]) if repo else UNMAPPED
    architecture = RULES.architectures.name_of(arch[-1]) if arch else UNMAPPED
    return (
        "unknown_repo" if repository == UNMAPPED else repository,
        "unknown_arch" if architecture == UNMAPPED else architecture,
    )


def test_every_line_of_the_reference_logs_has_the_names_of_the_condense_report(reference_data: Path):
    logs = sorted((reference_data / "countme/logs").iterdir())
    expected = gzip.decompress((reference_data / "countme/expected/condensed.txt.gz").read_bytes()).decode()
    assert {row for log in logs for row in condensed(log)} == set(expected.splitlines())
