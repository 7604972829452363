from __future__ import annotations

import pytest

from stats_assets.countme.parse import MAX_LINE_BYTES, Hit, Verdict, Window, parse_line

_ANY_TIME = Window(-(2**60), 2**60)
_SECONDS = 1709546400  # 2024-03-04T10:00:00Z


def line(
    host: str = "192.0.2.1",
    user: str = "-",
    time: str = "04/Mar/2024:10:00:00 +0000",
    request: str = "GET /metalink?repo=fedora-39&arch=x86_64&countme=2 HTTP/2.0",
    status: str = "200",
    size: str = "4044",
    referrer: str = "-",
    agent: str = "libdnf (Fedora Linux 39; workstation; Linux.x86_64)",
    end: str = "\n",
) -> bytes:
    return f'{host} - {user} [{time}] "{request}" {status} {size} "{referrer}" "{agent}"{end}'.encode()


def outcome(text: bytes, window: Window = _ANY_TIME) -> Hit | Verdict:
    (parsed,) = parse_line(text, "strict", window)
    return parsed.outcome


def hit(text: bytes, window: Window = _ANY_TIME) -> Hit:
    found = outcome(text, window)
    assert isinstance(found, Hit), found
    return found


def asking(query: str) -> bytes:
    return line(request=f"GET /metalink?{query} HTTP/2.0")


def test_a_mirror_request_is_a_hit_with_all_it_tells():
    assert outcome(line()) == Hit(
        seconds=_SECONDS,
        address="192.0.2.1",
        os_name="Fedora Linux",
        os_version="39",
        os_variant="workstation",
        os_arch="x86_64",
        sys_age=2,
        repo_tag="fedora-39",
        repo_arch="x86_64",
    )


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_a_line_may_end_with_lf_cr_lf_or_the_file(end: str):
    assert hit(line(end=end)) == hit(line())


def test_a_cr_inside_a_line_does_not_split_it():
    assert outcome(line(agent="libdnf\r(Fedora)")) == "malformed_line"


@pytest.mark.parametrize("request_", ["GET /mirrorlist?repo=a HTTP/1.1", "HEAD /metalink?repo=a HTTP/1.0"])
def test_both_lists_and_head_count(request_: str):
    assert hit(line(request=request_)).repo_tag == "a"


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2", "HTTP/3.0"])
def test_a_protocol_has_a_major_and_perhaps_a_minor_version(protocol: str):
    assert hit(line(request=f"GET /metalink?repo=a {protocol}")).repo_tag == "a"


def test_a_query_may_be_empty():
    assert hit(line(request="GET /metalink? HTTP/2.0")).sys_age == -1


@pytest.mark.parametrize(
    "request_",
    [
        "POST /metalink?repo=a HTTP/2.0",
        "get /metalink?repo=a HTTP/2.0",
        "GET /metalink HTTP/2.0",
        "GET /metalink?repo=a HTTPS/1.1",
        "GET /metalink?repo=a HTTP/1.1x",
    ],
)
def test_other_ways_to_ask_for_the_list_are_not_served(request_: str):
    assert outcome(line(request=request_)) == "not_served"


@pytest.mark.parametrize("status", ["304", "404", "206", "500"])
def test_a_request_that_was_not_answered_with_a_list_is_not_served(status: str):
    assert outcome(line(status=status)) == "not_served"


def test_a_bad_countme_matters_only_in_a_request_that_was_served():
    assert outcome(line(request="GET /metalink?countme=9 HTTP/2.0", status="404")) == "not_served"


@pytest.mark.parametrize(
    "request_",
    [
        "GET / HTTP/1.1",
        "GET //metalink?repo=a HTTP/1.1",
        "GET /metalink/?repo=a HTTP/1.1",
        "GET /metalink2?repo=a HTTP/1.1",
        "GET http://a/metalink?repo=a HTTP/1.1",
        "GET /metalink?repo=a b HTTP/1.1",
        "GET /metalink?repo=a  HTTP/1.1",
        "\\x16\\x03\\x01",
        'GET /a\\"b HTTP/1.1',
        "-",
        "",
    ],
)
def test_other_requests_are_other_traffic(request_: str):
    assert outcome(line(request=request_)) == "not_mirror_request"


def test_an_empty_line_is_no_trouble():
    assert outcome(b"\n") == outcome(b"\r\n") == outcome(b"") == "not_mirror_request"


@pytest.mark.parametrize(
    "text",
    [
        b"garbage\n",
        b" \n",
        b"\xff\xfe\n",
        line(status="20"),
        line(status="0200"),
        line(size=""),
        line(size="12x"),
        line(user="bob smith"),
        line(user=""),
        line(end=" \n"),
        line(end=" 17\n"),
        line(agent='libdnf "x"'),
        line(agent="libdnf\\"),
        line(referrer='a"b'),
        line(agent="a\tb"),
        b" " + line(),
        line()[:-3] + b"\n",
        line().replace(b" - - ", b"  -  -  "),
        line().replace(b"[", b"", 1),
    ],
)
def test_what_has_not_the_fields_of_a_log_line_is_malformed(text: bytes):
    assert outcome(text) == "malformed_line"


def test_a_nul_gets_a_verdict_of_its_own():
    assert outcome(line(agent="lib\0dnf")) == "nul_byte"
    assert outcome(asking("repo=a%00b")) == "nul_byte"
    assert outcome(asking("arch=%00")) == "nul_byte"


def test_a_nul_in_a_part_that_is_not_kept_does_no_harm():
    assert hit(asking("other=%00&repo=a")).repo_tag == "a"


def test_escaped_quotes_are_text():
    assert hit(line(request="GET /metalink?repo=a HTTP/2.0", agent='odd \\"agent\\"')).os_name == ""
    assert hit(line(referrer='\\"')).sys_age == 2


def test_an_escaped_backslash_does_not_escape_the_quote_behind_it():
    assert hit(line(referrer="a\\\\")).sys_age == 2


def test_a_second_line_cannot_hide_in_the_agent():
    glued = line(end="") + line()
    assert outcome(glued) == "malformed_line"


def test_bytes_that_are_not_utf_8_are_replaced():
    text = line(request="GET /metalink?repo=caf# HTTP/2.0").replace(b"#", b"\xe9")
    assert hit(text).repo_tag == "caf\ufffd"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::1"),
        ("255.255.255.255", "255.255.255.255"),
        ("0.0.0.0", "0.0.0.0"),
    ],
)
def test_an_address_has_one_spelling(host: str, address: str):
    assert hit(line(host=host)).address == address


@pytest.mark.parametrize(
    "host",
    ["-", "unknown", "localhost", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4:80", "[::1]", "fe80::1%eth0",
     "1.2.3.x", "1..2.3", "caf\u00e9", "\ufeff192.0.2.1", "a,b"],
)  # fmt: skip
def test_a_host_that_is_no_address_is_rejected(host: str):
    assert outcome(line(host=host)) == "bad_address"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("04/Mar/2024:10:00:00 -0500", _SECONDS + 5 * 3600),
        ("04/Mar/2024:10:00:00 +0330", _SECONDS - 3 * 3600 - 1800),
        ("04/Mar/2024:10:00:00 -0000", _SECONDS),
        ("29/Feb/2024:10:00:00 +0000", _SECONDS - 4 * 86400),
        ("04/Mar/2024:23:59:60 +0000", _SECONDS + 14 * 3600 - 1),
    ],
)
def test_times_are_unix_seconds_in_utc(time: str, seconds: int):
    assert hit(line(time=time)).seconds == seconds


@pytest.mark.parametrize(
    "time",
    ["x", "", "4/Mar/2024:10:00:00 +0000", "04/mar/2024:10:00:00 +0000", "04/03/2024:10:00:00 +0000",
     "30/Feb/2024:10:00:00 +0000", "04/Mar/24:10:00:00 +0000", "04/Mar/2024:24:00:00 +0000",
     "04/Mar/2024:10:00:61 +0000", "04/Mar/2024:10:00:00", "04/Mar/2024:10:00:00 Z", "04/Mar/2024:10:00:00 +2400",
     "04/Mar/2024:10:00:00 +01:00", "04/Mar/2024:10:00:00 +0060", "04/Mar/2024:1_0:00:00 +0000",
     "00/Jan/2024:10:00:00 +0000", "01/Jan/0000:10:00:00 +0000"],
)  # fmt: skip
def test_what_is_not_a_time_is_rejected(time: str):
    assert outcome(line(time=time)) == "bad_time"


def test_the_window_holds_its_beginning_and_not_its_end():
    assert hit(line(), Window(_SECONDS, _SECONDS + 1)).seconds == _SECONDS
    assert outcome(line(), Window(_SECONDS + 1, _SECONDS + 9)) == "outside_window"
    assert outcome(line(), Window(_SECONDS - 9, _SECONDS)) == "outside_window"


@pytest.mark.parametrize("age", ["1", "2", "3", "4"])
def test_countme_is_one_to_four(age: str):
    assert hit(asking(f"countme={age}")).sys_age == int(age)


@pytest.mark.parametrize("age", ["0", "5", "17", "01", "-1", "+1", "1.0", "x", "%201", "1_0", "%EF%BC%92", "9" * 40])
def test_any_other_countme_is_rejected(age: str):
    assert outcome(asking(f"countme={age}")) == "countme_out_of_range"


@pytest.mark.parametrize("query", ["repo=a", "countme=", "countme", "repo=a&amp;countme=1"])
def test_no_countme_is_told_by_minus_one(query: str):
    assert hit(asking(query)).sys_age == -1


@pytest.mark.parametrize(
    ("query", "repo"),
    [
        ("repo=a&repo=b", "b"),
        ("repo=a&repo=", "a"),
        ("%72epo=a", "a"),
        ("repo=a+b", "a b"),
        ("repo=%C3%A9", "\u00e9"),
        ("repo=%zz", "%zz"),
        ("repo=a;repo=b", "a;repo=b"),
        ("repo=a?b", "a?b"),
        ("Repo=a", ""),
    ],
)
def test_the_repository_is_the_last_one_named(query: str, repo: str):
    assert hit(asking(query)).repo_tag == repo


@pytest.mark.parametrize("product", ["libdnf", "libdnf/0.73", "libdnf5/5.1", "dnf5", "microdnf", "rpm-ostree/2024.1"])
def test_known_programs_tell_their_system(product: str):
    found = hit(line(agent=f"{product} (Fedora Linux 39; workstation; Linux.x86_64)"))
    assert (found.os_name, found.os_version, found.os_variant, found.os_arch) == (
        "Fedora Linux",
        "39",
        "workstation",
        "x86_64",
    )


@pytest.mark.parametrize(
    ("comment", "system"),
    [
        ("(SUSE 15-SP5; Server; Linux.x86_64)", ("SUSE", "15-SP5", "Server", "x86_64")),
        ("(Fedora Linux 39; iot; Linux.armv7-hl)", ("Fedora Linux", "39", "iot", "armv7-hl")),
        ("(Fedora Linux 39; ; Linux.x86_64) more", ("Fedora Linux", "39", "", "x86_64")),
        ("(A; B (x) 1; c; Linux.x86_64)", ("A; B (x)", "1", "c", "x86_64")),
        ("(39; generic; Linux.x86_64)", ("", "", "", "")),
        ("(Fedora)", ("", "", "", "")),
    ],
)
def test_systems_are_read_with_tolerance(comment: str, system: tuple[str, str, str, str]):
    found = hit(line(agent=f"libdnf {comment}"))
    assert (found.os_name, found.os_version, found.os_variant, found.os_arch) == system


@pytest.mark.parametrize("agent", ["curl/8.5", "-", "", "libdnf(Fedora)", "dnf/4.0 (Fedora Linux 39; a; Linux.x86_64)"])
def test_countme_counts_only_from_programs_known_to_send_it(agent: str):
    assert outcome(line(agent=agent)) == "unknown_agent"
    assert hit(line(agent=agent, request="GET /metalink?repo=a HTTP/2.0")).os_name == ""


def test_a_line_beyond_any_request_is_not_even_looked_at():
    endless = line(agent="x" * MAX_LINE_BYTES)
    assert outcome(endless) == "line_too_long"
    assert outcome(b"x" * MAX_LINE_BYTES) == "malformed_line"
