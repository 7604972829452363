"""What the forum may answer, and what is refused. Pure."""

from __future__ import annotations

import pytest

from stats_assets.forum.answer import WrongAnswer, read_document
from stats_assets.forum.client import retry_after_seconds
from stats_assets.forum.page import Absence, ThreadPage, parse_boards, parse_listing, parse_thread
from stats_assets.forum.page_store import _text_array
from stats_assets.forum.schedule import next_refresh_days, retry_seconds
from stats_assets.forum.tags import parse_tags
from stats_assets.sandbox import forum_pages
from tests.forum.world import small_forum

FORUM = small_forum()
PAGE = forum_pages.thread_page(FORUM, 700, 2)


def reason_of(body: bytes, tid: int = 700, page: int = 2, page_size: int = 30) -> str:
    with pytest.raises(WrongAnswer) as error:
        parse_thread(body, tid, page, page_size)
    return error.value.reason


def test_a_page_of_posts():
    page = parse_thread(PAGE, 700, 2, 30)
    assert isinstance(page, ThreadPage)
    posts = FORUM.threads[700].posts[30:60]
    assert [(post.pid, post.uid, post.posted) for post in page.posts] == [
        (post.pid, post.user.uid, post.posted_at) for post in posts
    ]
    assert (page.page, page.offset, page.stripped, page.thread.bid) == (2, 30, 0, 14)


def test_what_was_not_asked_for_is_refused():
    assert reason_of(PAGE, tid=701) == "id"
    assert reason_of(PAGE, page=3) == "page"
    assert reason_of(PAGE, page_size=29) == "page"
    assert reason_of(PAGE.replace(b'count="30"', b'count="29"', 1)) == "count"
    assert reason_of(forum_pages.ERROR_PAGE) == "root"
    assert reason_of(PAGE[: len(PAGE) // 2]) == "not_xml"
    assert reason_of(b"") == "not_xml"
    assert reason_of(b"Benutzer nicht gefunden!") == "not_xml"
    assert reason_of(forum_pages.board_page(FORUM, 14, 2)) == "root"


def test_numbers_no_table_holds_are_refused():
    pid = str(FORUM.threads[700].posts[30].pid).encode()
    assert reason_of(PAGE.replace(b'<post id="' + pid, b'<post id="99999999999')) == "value"
    assert reason_of(PAGE.replace(b'<post id="' + pid, b'<post id="-1')) == "value"
    assert reason_of(PAGE.replace(b'<post id="' + pid, b'<post id="x')) == "value"
    other = str(FORUM.threads[700].posts[31].pid).encode()
    assert reason_of(PAGE.replace(b'<post id="' + pid, b'<post id="' + other)) == "id"


def test_entities_and_document_types_never_reach_the_parser():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><thread id="700">&b;</thread>'
    assert reason_of(bomb) == "not_xml"
    assert reason_of(b'<!DOCTYPE thread SYSTEM "file:///etc/passwd"><thread/>') == "not_xml"


def test_text_may_speak_of_document_types():
    body = PAGE.replace(b"<title><![CDATA[Thread 700]]>", b"<title><![CDATA[<!DOCTYPE x><!ENTITY]]>")
    page = parse_thread(body, 700, 2, 30)
    assert isinstance(page, ThreadPage) and page.thread.title == "<!DOCTYPE x><!ENTITY"


def test_illegal_characters_are_taken_out_and_counted():
    body = b"<a>x\x00y\x0b&#0;&#x1F;\xef\xbf\xbf\tz\r\n&#10;\xc3\xa4</a>"
    document = read_document(body)
    assert document.root.text == "xy\tz\n\n\u00e4"
    assert document.stripped == 2 + 4 + 6 + 3


def test_bytes_of_another_encoding_become_replacement_characters():
    document = read_document(b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe4 \xc3\xa4</a>')
    assert (document.root.text, document.stripped) == ("\ufffd \u00e4", 1)


def test_three_answers_say_that_something_is_not_there():
    assert parse_thread(forum_pages.INVALID_THREAD, 1, 1, 30) is Absence.INVALID_THREAD
    assert parse_listing(forum_pages.INVALID_BOARD, 1, 1) is Absence.INVALID_BOARD
    assert parse_listing(forum_pages.NO_ACCESS, 1, 1) is Absence.NO_ACCESS
    with pytest.raises(WrongAnswer, match="root"):
        parse_boards(forum_pages.NO_ACCESS)


def test_a_list_of_boards_counts_at_every_level():
    body = forum_pages.boards_page(FORUM)
    assert [board.bid for board in parse_boards(body).boards] == [14, 38, 99, 25]
    with pytest.raises(WrongAnswer, match="count"):
        parse_boards(body.replace(b'<boards count="3"', b'<boards count="4"'))


def test_tags_are_the_links_of_one_form():
    assert parse_tags(forum_pages.tags_page(FORUM, 700), 700) == ["R&D", "tag0"]
    assert parse_tags(forum_pages.tags_page(FORUM, 700), 701) == []
    with pytest.raises(WrongAnswer):
        parse_tags(b"too many requests", 700)


def test_old_threads_are_read_at_doubling_distances():
    days = [0]
    for _ in range(9):
        days.append(next_refresh_days(days[-1], False, False, False))
    assert days == [0, 1, 2, 4, 8, 16, 32, 64, 64, 64]
    assert next_refresh_days(64, True, False, False) == 1
    assert next_refresh_days(0, False, True, False) == 4
    assert next_refresh_days(32, False, False, True) == 2


def test_waiting_times():
    assert [retry_seconds(n, 5, 1) for n in (1, 2, 3, 30)] == [5, 10, 20, 3600]
    assert retry_seconds(1, 5, 0) == 2.5
    assert retry_after_seconds("7", 0) == 7
    assert retry_after_seconds("99999999", 0) == 600
    assert retry_after_seconds("Thu, 01 Jan 1970 00:01:40 GMT", 40) == 60
    assert retry_after_seconds("soon", 0) == 60


def test_array_literals_hold_any_text():
    assert _text_array(['a"b', "c\\d", "", "NULL", "{,}"]) == '{"a\\"b","c\\\\d","","NULL","{,}"}'
