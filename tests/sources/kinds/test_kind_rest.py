"""REST kind against real sockets: an HTTP server for answers, a raw one for what HTTP servers refuse to send."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import socket
import socketserver
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from etl.errors import (
    ConfigurationError,
    SourceContractBroken,
    SourceIncomplete,
    SourceUnavailable,
)
from etl.sources.contract import Page, Pulled, Window
from etl.sources.kinds import Rest
from etl.sources.kinds.decode import ROWS_MAX

PASSWORD = "p@ss/word"


def envelope(rows: object, total: int | None = None, next_key: object = None, **more: object) -> dict[str, object]:
    count = len(rows) if isinstance(rows, list) else 0
    return {
        "total": count if total is None else total,
        "rows": rows,
        "next": next_key,
        "data_until": "2026-11-17T00:30:00+08:00",
        **more,
    }


def paged(rows: list[dict[str, object]], encoding: str = "utf-8") -> Callable[[Request], Response]:
    """A platform that serves `rows` by key, as the wire contract says."""

    def answer(request: Request) -> Response:
        after, limit = request.args.get("after", ""), int(request.args["limit"])
        rest = [row for row in rows if str(row["id"]) > after]
        page = rest[:limit]
        next_key = str(page[-1]["id"]) if len(rest) > limit else None
        body = json.dumps(envelope(page, len(rows), next_key), ensure_ascii=False).encode(encoding)
        return Response(body, content_type="application/json")

    return answer


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads a request head and lets `answer` write whatever bytes it likes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                head += self.request.recv(4096)
            answer(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def raw(body: bytes, *headers: str) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", "Connection: close", *headers]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return answer


@pytest.fixture
def rest() -> Rest:
    return Rest(streams=("accept",), page_rows=2, backoff_seconds=0, total_seconds=5)


def pull(source, connection: str, window: Window) -> tuple[list[Page], list[Pulled]]:
    answers = list(source.kind.pull(source, connection, window))
    return [a for a in answers if isinstance(a, Page)], [a for a in answers if isinstance(a, Pulled)]


def decoded(source, page: Page):
    return source.kind.decode(source, page.stream, page.content, page.meta)


def decode(source, body: object, encoding: str = "utf-8"):
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode(encoding)
    return source.kind.decode(source, "accept", content, {})


# --- paging ---------------------------------------------------------------------------------------------------------


def test_pages_follow_each_other_by_key_until_the_declared_total_is_there(httpserver, rest, make_source, window):
    httpserver.expect_request("/api/accept").respond_with_handler(paged([{"id": f"k{n}"} for n in range(5)]))
    source = make_source(rest)
    pages, ends = pull(source, httpserver.url_for("/api"), window)
    assert [page.number for page in pages] == [1, 2, 3]
    assert [key for page in pages for key in decoded(source, page).rows["id"].to_pylist()] == [
        *("k0", "k1", "k2", "k3", "k4")
    ]
    assert ends == [Pulled("accept", 5, datetime.fromisoformat("2026-11-17T00:30:00+08:00"))]


def test_the_window_asked_for_starts_earlier_by_the_overlap(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_json(envelope([]))
    pull(make_source(rest, overlap=timedelta(hours=3)), httpserver.url_for("/"), window)
    (request, _), *_ = httpserver.log
    assert request.args.to_dict() == {
        "since": "2026-11-15T22:00:00+08:00",
        "until": "2026-11-17T01:00:00+08:00",
        "limit": "2",
    }


def test_a_first_load_asks_for_everything_up_to_the_cut_off(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_json(envelope([]))
    pull(make_source(rest), httpserver.url_for("/"), Window(window.business_on, None, window.until))
    assert "since" not in httpserver.log[0][0].args


def test_landed_bytes_are_exactly_the_body_bytes(httpserver, rest, make_source, window):
    body = b'\n { "rows" : [ {"id": 1.50} ],"total":1, "next":null,"data_until":"2026-11-17T00:30:00" }\n'
    httpserver.expect_request("/accept").respond_with_data(body, content_type="application/json")
    (page,), (end,) = pull(make_source(rest), httpserver.url_for("/"), window)
    assert page.content == body
    assert end.data_until is not None
    assert end.data_until.isoformat() == "2026-11-17T00:30:00+08:00"


def test_a_compressed_body_lands_compressed_and_decodes(httpserver, rest, make_source, window):
    body = gzip.compress(json.dumps(envelope([{"id": "a"}])).encode())
    httpserver.expect_request("/accept").respond_with_data(body, headers={"Content-Encoding": "gzip"})
    source = make_source(rest)
    (page,), _ = pull(source, httpserver.url_for("/"), window)
    assert page.content == body
    assert decoded(source, page).rows["id"].to_pylist() == ["a"]


@pytest.mark.parametrize(
    "key", ["http://evil.example/accept?after=2", "//evil.example/x", "HTTPS://evil.example", "/accept?after=9", "?a=1"]
)
def test_a_next_key_that_is_a_link_is_refused_and_no_request_made(httpserver, rest, make_source, window, key):
    httpserver.expect_request("/accept").respond_with_json(envelope([{"id": "a"}], 2, key))
    with pytest.raises(SourceContractBroken, match="next is a link"):
        pull(make_source(rest), httpserver.url_for("/"), window)
    assert len(httpserver.log) == 1


def test_a_next_key_to_another_origin_never_reaches_that_origin(httpserver, rest, make_source, window):
    with HTTPServer(host="127.0.0.1", port=0) as other:
        other.expect_request("/accept").respond_with_json(envelope([]))
        httpserver.expect_request("/accept").respond_with_json(envelope([{"id": "a"}], 2, other.url_for("/accept")))
        with pytest.raises(SourceContractBroken):
            pull(make_source(rest), httpserver.url_for("/"), window)
        assert other.log == []


def test_a_redirect_to_another_origin_is_not_followed(httpserver, rest, make_source, window):
    with HTTPServer(host="127.0.0.1", port=0) as other:
        other.expect_request("/accept").respond_with_json(envelope([]))
        httpserver.expect_request("/accept").respond_with_data(
            status=302, headers={"Location": other.url_for("/accept")}
        )
        with pytest.raises(SourceContractBroken, match="redirect"):
            pull(make_source(rest), httpserver.url_for("/"), window)
        assert other.log == []


def test_a_next_key_that_stands_still_ends_the_pull(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_json(envelope([{"id": "a"}], 100, "a"))
    with pytest.raises(SourceContractBroken, match="does not advance"):
        pull(make_source(rest), httpserver.url_for("/"), window)
    assert len(httpserver.log) == 2


def test_next_keys_that_run_in_a_circle_end_the_pull(httpserver, rest, make_source, window):
    def circle(request: Request) -> Response:
        key = "b" if request.args.get("after") == "a" else "a"
        return Response(json.dumps(envelope([{"id": key}], 100, key)))

    httpserver.expect_request("/accept").respond_with_handler(circle)
    with pytest.raises(SourceContractBroken, match="does not advance"):
        pull(make_source(rest), httpserver.url_for("/"), window)
    assert len(httpserver.log) == 3


def test_empty_pages_with_ever_new_keys_end_the_pull(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_handler(
        lambda request: Response(json.dumps(envelope([], 9, f"k{time.monotonic_ns()}")))
    )
    with pytest.raises(SourceContractBroken, match="does not advance"):
        pull(make_source(rest), httpserver.url_for("/"), window)


def test_more_rows_than_declared_with_no_end_in_sight_end_the_pull(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_handler(
        lambda request: Response(json.dumps(envelope([{"id": "x"}], 3, f"k{time.monotonic_ns()}")))
    )
    with pytest.raises(SourceIncomplete, match="4 rows came, 3 were declared"):
        pull(make_source(rest), httpserver.url_for("/"), window)


def test_fewer_rows_than_declared_are_incomplete_and_the_stream_gets_no_end(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_json(envelope([{"id": "a"}], 2))
    answers = rest.pull(make_source(rest), httpserver.url_for("/"), window)
    assert isinstance(next(answers), Page)
    with pytest.raises(SourceIncomplete, match="test/accept: 1 rows came, 2 were declared"):
        next(answers)


def shifting(*batches: list[int]) -> Callable[[Request], Response]:
    """A platform of numbered rows that shows its next batch of rows at each request, ever two to a page."""
    shown = iter(batches)

    def answer(request: Request) -> Response:
        rows = next(shown)
        rest = [number for number in rows if number > int(request.args.get("after", -1))]
        page = [{"id": number} for number in rest[:2]]
        return Response(json.dumps(envelope(page, len(rows), str(rest[1]) if len(rest) > 2 else None)))

    return answer


@pytest.mark.parametrize(
    ("batches", "there"),
    [
        pytest.param([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]], "123456", id="one came"),
        pytest.param([[1, 2, 3, 4], [1, 2, 4]], "124", id="one went"),
    ],
)
def test_rows_that_come_or_go_ahead_of_the_key_while_paging_are_neither_lost_nor_read_twice(
    httpserver, rest, make_source, window, batches, there
):
    httpserver.expect_request("/accept").respond_with_handler(shifting(*batches))
    source = make_source(rest)
    pages, (end,) = pull(source, httpserver.url_for("/"), window)
    assert [key for page in pages for key in decoded(source, page).rows["id"].to_pylist()] == list(there)
    assert end.declared_rows == len(there)


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        pytest.param([[2, 3, 4, 5], [1, 2, 3, 4, 5]], "4 rows came, 5 were declared", id="one came behind the key"),
        pytest.param([[1, 2, 3, 4], [2, 3, 4]], "4 rows came, 3 were declared", id="one read before went"),
        pytest.param([[1, 2, 3, 4], [2, 3, 4, 9]], "5 rows came, 4", id="one read before got a later key"),
        pytest.param([[2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], [1, 3, 4, 5, 6]], "rose and fell", id="one came, one went"),
    ],
)
def test_a_list_that_shifts_behind_the_key_while_paging_is_named_incomplete(
    httpserver, rest, make_source, window, batches, said
):
    httpserver.expect_request("/accept").respond_with_handler(shifting(*batches, batches[-1]))
    with pytest.raises(SourceIncomplete, match=said):
        pull(make_source(rest), httpserver.url_for("/"), window)


# --- transport ------------------------------------------------------------------------------------------------------


def test_a_429_with_retry_after_is_waited_for_and_repeated(httpserver, rest, make_source, window):
    httpserver.expect_ordered_request("/accept").respond_with_data(status=429, headers={"Retry-After": "1"})
    httpserver.expect_ordered_request("/accept").respond_with_json(envelope([{"id": "a"}]))
    started = time.monotonic()
    pages, _ = pull(make_source(rest), httpserver.url_for("/"), window)
    assert len(pages) == 1
    assert time.monotonic() - started >= 1


def test_a_retry_after_beyond_the_limit_of_the_pull_is_not_slept(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_data(status=503, headers={"Retry-After": "3600"})
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match="asks to wait 3600 s"):
        pull(make_source(rest), httpserver.url_for("/"), window)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_that_outlasts_the_repeats_is_unavailable(httpserver, make_source, window, status):
    httpserver.expect_request("/accept").respond_with_data(status=status)
    rest = Rest(streams=("accept",), retries=2, backoff_seconds=0)
    with pytest.raises(SourceUnavailable, match=str(status)):
        pull(make_source(rest), httpserver.url_for("/"), window)
    assert len(httpserver.log) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 206])
def test_an_answer_that_no_repeat_can_mend_is_a_broken_contract(httpserver, rest, make_source, window, status):
    httpserver.expect_request("/accept").respond_with_json(envelope([]), status=status)
    with pytest.raises(SourceContractBroken, match=str(status)):
        pull(make_source(rest), httpserver.url_for("/"), window)
    assert len(httpserver.log) == 1


def test_a_refused_connection_is_unavailable(rest, make_source, window):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="did not answer"):
        pull(make_source(rest), f"http://127.0.0.1:{port}", window)


def test_a_server_that_never_answers_is_unavailable(set_setting, make_source, window):
    set_setting("source_timeout_seconds", 0.2)
    rest = Rest(streams=("accept",), retries=1, backoff_seconds=0)
    with (
        raw_server(lambda connection: time.sleep(1)) as url,
        pytest.raises(SourceUnavailable, match="did not answer"),
    ):
        pull(make_source(rest), url, window)


def test_a_body_that_dribbles_in_for_ever_is_cut_off_by_the_total_limit(make_source, window):
    def dribble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
        for _ in range(100):
            time.sleep(0.05)
            try:
                connection.sendall(b" ")
            except OSError:
                return

    rest, started = Rest(streams=("accept",), total_seconds=0.5), time.monotonic()
    with raw_server(dribble) as url, pytest.raises(SourceUnavailable, match="longer than its limit"):
        pull(make_source(rest), url, window)
    assert time.monotonic() - started < 2


@contextmanager
def dribbling(start: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers with `start` and then a drop every 20 ms, for ever."""

    def answer(connection: socket.socket) -> None:
        try:
            connection.sendall(start)
            while True:
                time.sleep(0.02)
                connection.sendall(drop)
        except OSError:
            return

    with raw_server(answer) as url:
        yield url


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        pytest.param(b"HTTP/1.1 2", b"0", id="status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", id="header"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x", id="chunk length"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b" ", id="body without length"),
        pytest.param(b"HTTP/1.1 500 No\r\nContent-Length: 99999\r\n\r\n", b" ", id="body of an error"),
    ],
)
def test_an_answer_that_dribbles_in_anywhere_is_cut_off_by_the_total_limit(make_source, window, start, drop):
    rest, began = Rest(streams=("accept",), backoff_seconds=0, total_seconds=0.3), time.monotonic()
    with dribbling(start, drop) as url, pytest.raises(SourceUnavailable, match=r"longer than its limit of 0\.3 s"):
        pull(make_source(rest), url, window)
    assert time.monotonic() - began < 5


def test_a_handshake_that_dribbles_in_is_cut_off_by_the_total_limit(make_source, window):
    class Dribble(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(b"\x16\x03\x03\x3f\xff")  # a record of 16 kB follows
                while not self.server.is_over.wait(0.02):
                    self.request.sendall(b"\x02")

    rest, began = Rest(streams=("accept",), backoff_seconds=0, total_seconds=0.3), time.monotonic()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dribble) as server:
        server.daemon_threads, server.is_over = True, threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        with pytest.raises(SourceUnavailable, match="longer than its limit"):
            pull(make_source(rest), f"https://127.0.0.1:{server.server_address[1]}", window)
        server.is_over.set()
        server.shutdown()
        thread.join()
    assert time.monotonic() - began < 5


def test_pages_without_end_whose_total_grows_along_are_cut_off_by_the_total_limit(httpserver, make_source, window):
    served = itertools.count(1)

    def grow(request: Request) -> Response:
        number = next(served)
        return Response(json.dumps(envelope([{"id": number}], number + 1, f"k{number}")))

    httpserver.expect_request("/accept").respond_with_handler(grow)
    with pytest.raises(SourceUnavailable, match="longer than its limit"):
        pull(make_source(Rest(streams=("accept",), total_seconds=0.3)), httpserver.url_for("/"), window)


def test_a_body_that_stalls_in_the_middle_is_unavailable(set_setting, rest, make_source, window):
    set_setting("source_timeout_seconds", 0.2)

    def stall(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"rows"')
        time.sleep(1)

    with raw_server(stall) as url, pytest.raises(SourceUnavailable, match="stopped answering"):
        pull(make_source(rest), url, window)


def test_a_body_shorter_than_its_content_length_is_incomplete(rest, make_source, window):
    body = json.dumps(envelope([{"id": "a"}])).encode()
    with raw_server(raw(body, f"Content-Length: {len(body) + 50}")) as url, pytest.raises(SourceIncomplete):
        pull(make_source(rest), url, window)


def test_a_body_longer_than_its_content_length_is_incomplete(rest, make_source, window):
    body = json.dumps(envelope([{"id": "a"}])).encode()
    with (
        raw_server(raw(body, f"Content-Length: {len(body) - 30}")) as url,
        pytest.raises(SourceIncomplete, match="stops in the middle"),
    ):
        pull(make_source(rest), url, window)


def test_a_chunked_body_that_breaks_off_is_incomplete(rest, make_source, window):
    with (
        raw_server(raw(b'20\r\n{"total": 0, "rows"', "Transfer-Encoding: chunked")) as url,
        pytest.raises(SourceIncomplete),
    ):
        pull(make_source(rest), url, window)


def test_a_chunked_body_that_ends_properly_is_read(rest, make_source, window):
    body = json.dumps(envelope([{"id": "a"}])).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:20], body[20:])) + b"0\r\n\r\n"
    with raw_server(raw(chunks, "Transfer-Encoding: chunked")) as url:
        (page,), _ = pull(make_source(rest), url, window)
    assert page.content == body


def test_a_body_without_any_length_that_breaks_off_is_incomplete(rest, make_source, window):
    body = json.dumps(envelope([{"id": "a"}, {"id": "b"}])).encode()
    for cut in range(10, len(body) - 1, 7):
        with raw_server(raw(body[:cut])) as url, pytest.raises(SourceIncomplete):
            pull(make_source(rest), url, window)


def test_a_truncated_compressed_body_is_incomplete(httpserver, rest, make_source, window):
    body = gzip.compress(json.dumps(envelope([{"id": "a"}])).encode())[:-12]
    httpserver.expect_request("/accept").respond_with_data(body, headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceIncomplete, match="compressed body stops"):
        pull(make_source(rest), httpserver.url_for("/"), window)


def test_a_page_that_declares_too_many_bytes_is_refused_unread(set_setting, rest, make_source, window):
    set_setting("page_bytes_max", 1000)
    with (
        raw_server(raw(b"", "Content-Length: 5000")) as url,
        pytest.raises(SourceContractBroken, match="declares 5000 bytes"),
    ):
        pull(make_source(rest), url, window)


def test_a_page_that_grows_beyond_the_limit_is_cut_off(set_setting, rest, make_source, window):
    set_setting("page_bytes_max", 1000)
    with raw_server(raw(b" " * 5000)) as url, pytest.raises(SourceContractBroken, match="larger than 1000 bytes"):
        pull(make_source(rest), url, window)


def test_a_small_body_that_decompresses_beyond_the_limit_is_refused(set_setting, httpserver, rest, make_source, window):
    set_setting("page_bytes_max", 100_000)
    body = gzip.compress(b" " * 50_000_000)
    httpserver.expect_request("/accept").respond_with_data(body, headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceContractBroken, match="once decompressed"):
        pull(make_source(rest), httpserver.url_for("/"), window)


def test_64_mib_of_zeros_in_a_few_kb_of_gzip_are_refused_before_they_are_made(
    set_setting, httpserver, rest, make_source, window
):
    set_setting("page_bytes_max", 4 << 20)
    body = gzip.compress(bytes(64 << 20), compresslevel=1)
    httpserver.expect_request("/accept").respond_with_data(body, headers={"Content-Encoding": "gzip"})
    tracemalloc.start()
    with pytest.raises(SourceContractBroken, match="once decompressed"):
        pull(make_source(rest), httpserver.url_for("/"), window)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20, "never whole in memory"


@pytest.mark.parametrize("coding", ["gzip, gzip", "deflate", "br", "zstd", "x-unheard-of"])
def test_a_body_packed_otherwise_than_asked_for_is_never_unpacked(httpserver, rest, make_source, window, coding):
    body = gzip.compress(gzip.compress(json.dumps(envelope([])).encode()))
    httpserver.expect_request("/accept").respond_with_data(body, headers={"Content-Encoding": coding})
    with pytest.raises(SourceContractBroken, match="only gzip is asked for"):
        pull(make_source(rest), httpserver.url_for("/"), window)


def test_a_login_page_in_place_of_json_is_a_broken_contract(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_data("<html>请登录</html>", content_type="text/html")
    with pytest.raises(SourceContractBroken, match="not JSON"):
        pull(make_source(rest), httpserver.url_for("/"), window)


# --- credentials ----------------------------------------------------------------------------------------------------


def test_credentials_in_the_connection_become_basic_authentication(httpserver, rest, make_source, window):
    httpserver.expect_request("/accept").respond_with_json(envelope([]))
    url = httpserver.url_for("/").replace("http://", "http://office:p%40ss%2Fword@")
    pull(make_source(rest), url, window)
    request = httpserver.log[0][0]
    assert base64.b64decode(request.headers["Authorization"].split()[1]).decode() == f"office:{PASSWORD}"
    assert "office" not in request.url


@pytest.mark.parametrize("status", [302, 401, 404, 500])
def test_no_error_message_shows_the_credentials(httpserver, make_source, window, status):
    httpserver.expect_request("/accept").respond_with_data(status=status, headers={"Location": "http://x.example/"})
    url = httpserver.url_for("/").replace("http://", "http://office:p%40ss%2Fword@")
    with pytest.raises((SourceUnavailable, SourceContractBroken)) as caught:
        pull(make_source(Rest(streams=("accept",), retries=0)), url, window)
    error: BaseException | None = caught.value
    while error is not None:
        for secret in (PASSWORD, "p%40ss", "office"):
            assert secret not in str(error)
        error = error.__cause__ or error.__context__


def test_a_connection_that_is_no_http_url_is_refused_without_repeating_it(rest, make_source, window):
    for url in (
        *("ftp://office:secret@host/", "office:secret@host", "http://office:secret@host:port/"),
        *("http://office:1/secret@host/", "http://office:secret#@host/", "http://office:secret?@host/"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            pull(make_source(rest), url, window)
        assert "secret" not in str(caught.value)


# --- decoding -------------------------------------------------------------------------------------------------------


def test_gbk_without_a_charset_header_decodes_by_the_declared_encoding(httpserver, rest, make_source, window):
    rows = [{"id": "a", "sxmc": "食品经营许可（新办）", "申请人": "张堃"}]
    httpserver.expect_request("/accept").respond_with_handler(paged(rows, "gb18030"))
    source = make_source(rest, encoding="gb18030")
    (page,), _ = pull(source, httpserver.url_for("/"), window)
    assert decoded(source, page).rows.to_pylist() == [{"row_no": 0, **rows[0]}]


def test_a_charset_header_that_lies_is_ignored(httpserver, rest, make_source, window):
    body = json.dumps(envelope([{"id": "广安"}]), ensure_ascii=False).encode("gb18030")
    httpserver.expect_request("/accept").respond_with_data(body, content_type="application/json; charset=utf-8")
    source = make_source(rest, encoding="gb18030")
    (page,), _ = pull(source, httpserver.url_for("/"), window)
    assert page.media_type == "application/json"
    assert decoded(source, page).rows["id"].to_pylist() == ["广安"]


def test_utf8_that_gbk_would_read_as_wrong_characters_is_refused(rest, make_source):
    source = make_source(rest, encoding="gb18030")
    with pytest.raises(SourceContractBroken, match="content is UTF-8"):
        decode(source, envelope([{"id": "广安区市场监督管理局"}]))


def test_gbk_declared_as_utf8_is_refused_as_a_whole(rest, make_source):
    with pytest.raises(SourceContractBroken, match="20 of 20 rows"):
        decode(make_source(rest), envelope([{"id": "广安区"}] * 20), "gb18030")


def test_one_undecodable_byte_costs_one_row(rest, make_source):
    body = json.dumps(envelope([{"id": "广安"}, {"id": "@@"}, {"id": "前锋"}]), ensure_ascii=False).encode("gb18030")
    result = decode(make_source(rest, encoding="gb18030"), body.replace(b"@@", b"\xff@"))
    assert result.rows["id"].to_pylist() == ["广安", "前锋"]
    assert result.rows["row_no"].to_pylist() == [0, 2]
    assert [(row_no, reason) for row_no, reason, _ in result.rejects] == [(1, "bad_encoding")]


def test_numbers_keep_every_digit_and_zero_they_were_written_with(rest, make_source):
    body = (
        b'{"total":3,"next":null,"data_until":"2026-11-17T00:30:00+08:00","rows":['
        b'{"n":511602199001011234},{"n":12.50},{"n":123456789012345678901234567890.10}]}'
    )
    result = decode(make_source(rest), body)
    assert result.rows["n"].to_pylist() == ["511602199001011234", "12.50", "123456789012345678901234567890.10"]


def test_null_and_absent_are_null_and_empty_text_stays_empty(rest, make_source):
    result = decode(make_source(rest), envelope([{"a": None, "b": ""}, {"b": "x"}, {"a": "y"}]))
    assert result.rows.to_pylist() == [
        {"row_no": 0, "a": None, "b": ""},
        {"row_no": 1, "a": None, "b": "x"},
        {"row_no": 2, "a": "y", "b": None},
    ]


def test_booleans_and_nested_values_become_json_text(rest, make_source):
    body = envelope([{"flag": True, "stages": ["受理", "审核"], "fee": {"amount": 1, "note": 'a"b'}}])
    row = decode(
        make_source(rest), json.dumps(body).replace('"amount": 1', '"amount": 1.00').encode()
    ).rows.to_pylist()[0]
    assert row["flag"] == "true"
    assert row["stages"] == '["受理","审核"]'
    assert row["fee"] == '{"amount":1.00,"note":"a\\"b"}'


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"a":"x","a":"y"}', "duplicate_key"),
        ('{"a":{"b":1,"b":2}}', "duplicate_key"),
        ('{"a":NaN}', "bad_number"),
        ('{"a":-Infinity}', "bad_number"),
        ('{"a":[[["x"]]]}', "nested_too_deep"),
        ('"a"', "not_an_object"),
        ("[1]", "not_an_object"),
        ("null", "not_an_object"),
        ('{"a":"x\\u0000y"}', "poison_character"),
        ('{"a":"\\ud83d"}', "poison_character"),
        ('{"a":"\\udc80"}', "poison_character"),
        ('{"a":"bell\\u0007"}', "poison_character"),
        ('{"a":"\\u0085"}', "poison_character"),
        ('{"a":["\\u0000"]}', "poison_character"),
        (json.dumps({"a": "长" * 10_001}), "too_long"),
        (json.dumps({"a": ["x"] * 5_000}), "too_long"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_its_neighbours_stay(rest, make_source, row, reason):
    rows = f'[{{"a":"1"}},{row},{{"a":"3"}}]'
    body = f'{{"total":3,"next":null,"data_until":"2026-11-17T00:30:00+08:00","rows":{rows}}}'
    result = decode(make_source(rest), body.encode())
    assert result.rows["a"].to_pylist() == ["1", "3"]
    assert [(row_no, found) for row_no, found, _ in result.rejects] == [(1, reason)]


def nested(depth: int) -> bytes:
    value = '[{"a":' * (depth // 2) + "1" + "}]" * (depth // 2)
    return f'{{"total":1,"next":null,"data_until":"2026-11-17T00:30:00+08:00","rows":[{{"a":{value}}}]}}'.encode()


def test_nesting_of_any_depth_costs_its_row_or_its_page_and_nothing_else(rest, make_source):
    assert decode(make_source(rest), nested(2)).rejects == []
    for depth in (4, 100, 900):
        (reject,) = decode(make_source(rest), nested(depth)).rejects
        assert reject[:2] == (0, "nested_too_deep")
    for depth in (*range(960, 1000, 2), 5_000):  # where reading it may, or may not, be the last thing that works
        with suppress(SourceContractBroken):
            assert decode(make_source(rest), nested(depth)).rejects[0][1] == "nested_too_deep"


def test_a_key_given_twice_is_found_however_it_is_spelled(rest, make_source):
    body = envelope([{"a": "1"}, {"b": "1"}])
    text = json.dumps(body).replace('{"a": "1"}', '{"a": "1", "\\u0061": "2"}')
    result = decode(make_source(rest), text.encode())
    assert [(row_no, reason) for row_no, reason, _ in result.rejects] == [(0, "duplicate_key")]


def test_a_rejected_row_has_the_same_fingerprint_whenever_it_comes(rest, make_source):
    row = '{"a":NaN,"b":{"c":1,"c":2},"d":[[["x"]]],"e":"\\ud800"}'
    body = f'{{"total":1,"next":null,"data_until":"2026-11-17T00:30:00+08:00","rows":[{row}]}}'.encode()
    first, second = (decode(make_source(rest), body).reject_sha256s for _ in range(2))
    assert first == second
    assert decode(make_source(rest), body.replace(b"NaN", b"Infinity")).reject_sha256s != first


def test_a_page_of_nothing_but_tiny_rows_is_refused_before_its_rejects_fill_the_memory(rest, make_source):
    rows = "0," * ROWS_MAX + "0"
    body = f'{{"total":1,"next":null,"data_until":"2026-11-17T00:30:00+08:00","rows":[{rows}]}}'
    with pytest.raises(SourceContractBroken, match=f"more than {ROWS_MAX} rows"):
        decode(make_source(rest), body.encode())


def test_a_rejects_detail_never_repeats_the_value(rest, make_source):
    result = decode(make_source(rest), envelope([{"name": "张三\x00 13800000000"}]))
    assert result.rejects == [(0, "poison_character", "name holds U+0000")]


def test_line_ends_and_tabs_inside_a_value_are_no_poison(rest, make_source):
    result = decode(make_source(rest), envelope([{"a": "一行\r\n二行\t完"}, {"a": "长" * 10_000}]))
    assert (result.rows.num_rows, list(result.rejects)) == (2, [])


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"rows":[],"next":null,"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":0,"rows":{},"next":null,"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":-1,"rows":[],"next":null,"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":0.0,"rows":[],"next":null,"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":true,"rows":[],"next":null,"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":0,"rows":[],"next":{},"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":0,"rows":[],"next":null,"data_until":"yesterday"}',
        b'{"total":0,"total":0,"rows":[],"next":null,"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":1,"rows":[{"row_no":"7"}],"next":null,"data_until":"2026-11-17T00:30:00+08:00"}',
        b'{"total":0,"rows":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_another_envelope_than_the_agreed_one_is_a_broken_contract(rest, make_source, body):
    with pytest.raises(SourceContractBroken):
        decode(make_source(rest), body)


def test_settling_changes_nothing(rest, make_source):
    assert rest.settle(make_source(rest), "http://x.example", [{}]) is None
