"""File drop against real folders: what is taken, what is refused, and what survives a crash."""

from __future__ import annotations

import io
import os
import re
import socket
import stat
import struct
import threading
import tracemalloc
import zipfile
from contextlib import chdir
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import structlog
import xlsxwriter

from etl.errors import ConfigurationError, SourceContractBroken, SourceIncomplete, SourceUnavailable
from etl.sources.contract import Page, Pulled, Window
from etl.sources.kinds import FileDrop, Files
from etl.sources.kinds.file_drop import _Found, _read
from etl.sources.kinds.workbook import CELLS_MAX

HEADER = ("办件编号", "事项名称", "受理时间")
CSV = Files("zrzy_banjian_{date}.csv", HEADER)
XLSX = Files("zrzy_buzheng_{date}.xlsx", HEADER)
NAME = "zrzy_banjian_20261116.csv"
EVENING = datetime.fromisoformat("2026-11-16T20:00:00+08:00")
LINE = "B001,不动产登记,2026-11-16 09:00:00"


def text(*lines: str, end: str = "\n") -> str:
    return end.join([",".join(HEADER), *lines]) + end


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def source(make_source):
    return make_source(FileDrop({"accept": CSV}), encoding="gb18030")


@pytest.fixture
def books(make_source):
    return make_source(FileDrop({"accept": XLSX}), encoding="gb18030")


def drop(folder: Path, name: str, content: str | bytes, modified_at: datetime = EVENING) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("gb18030") if isinstance(content, str) else content)
    os.utime(path, (modified_at.timestamp(), modified_at.timestamp()))
    return path


def book(*rows: tuple[object, ...], header: tuple[str, ...] = HEADER) -> bytes:
    workbook = openpyxl.Workbook()
    for row in (header, *rows):
        workbook.active.append(row)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def pull(source, folder: Path, window: Window) -> tuple[list[Page], list[Pulled]]:
    answers = list(source.kind.pull(source, str(folder), window))
    return [a for a in answers if isinstance(a, Page)], [a for a in answers if isinstance(a, Pulled)]


def pull_until_error(source, folder: Path, window: Window, error: type[Exception]) -> tuple[list[object], str]:
    answers: list[object] = []
    with pytest.raises(error) as caught:
        answers.extend(source.kind.pull(source, str(folder), window))
    return answers, str(caught.value)


def pull_and_settle(source, folder: Path, window: Window) -> None:
    pages, _ = pull(source, folder, window)
    source.kind.settle(source, str(folder), [page.meta for page in pages])


def decode(source, content: str | bytes):
    content = content.encode("gb18030") if isinstance(content, str) else content
    return source.kind.decode(source, "accept", content, {})


def reasons(result) -> list[tuple[int, str]]:
    return [(row_no, reason) for row_no, reason, _ in result.rejects]


# --- which files are taken ------------------------------------------------------------------------------------------


def test_files_of_the_window_land_as_they_are_oldest_first(source, inbox, window):
    late = drop(inbox, NAME, text(LINE, LINE))
    early = drop(inbox, "zrzy_banjian_20261115.csv", text(LINE), EVENING - timedelta(hours=1))
    pages, ends = pull(source, inbox, window)
    assert [(page.number, page.content) for page in pages] == [(1, early.read_bytes()), (2, late.read_bytes())]
    assert pages[1].meta["file"] == NAME
    assert pages[1].meta["modified_at"] == "2026-11-16T12:00:00+00:00"
    assert ends == [Pulled("accept", 3)]


def test_a_file_newer_than_the_cut_off_waits_for_the_next_night(source, inbox, window):
    drop(inbox, NAME, text(LINE), window.until + timedelta(microseconds=1000))
    assert pull(source, inbox, window) == ([], [Pulled("accept", 0)])


def test_a_file_written_exactly_at_the_cut_off_belongs_to_the_night(source, inbox, window):
    drop(inbox, NAME, text(LINE), window.until)
    assert len(pull(source, inbox, window)[0]) == 1


def test_a_file_that_arrives_late_with_an_old_time_is_still_taken(source, inbox, window):
    drop(inbox, NAME, text(LINE), window.since - timedelta(days=3))
    assert len(pull(source, inbox, window)[0]) == 1


def test_a_first_load_takes_everything_up_to_the_cut_off(source, inbox, window):
    drop(inbox, NAME, text(LINE), window.since - timedelta(days=300))
    drop(inbox, "done/2026-01-05/zrzy_banjian_20260105.csv", text(LINE, LINE), window.since - timedelta(days=310))
    pages, (end,) = pull(source, inbox, Window(window.business_on, None, window.until))
    assert (len(pages), end.declared_rows) == (2, 3)


def test_a_backfill_finds_the_files_of_its_window_again_in_done(source, inbox, window):
    drop(inbox, NAME, text(LINE))
    (page,), _ = pull(source, inbox, window)
    source.kind.settle(source, str(inbox), [page.meta])
    (again,), (end,) = pull(source, inbox, window)
    assert (again.content, again.meta) == (page.content, page.meta)
    assert end.declared_rows == 1
    following = Window(date(2026, 11, 17), window.until, window.until + timedelta(days=1))
    assert pull(source, inbox, following) == ([], [Pulled("accept", 0)])


@pytest.fixture
def opened(inbox, monkeypatch) -> list[str]:
    """Folders listed from now on, as they lie in the inbox."""
    listed, scandir = list[str](), os.scandir

    def spy(path):
        listed.append(os.path.relpath(os.fspath(path), inbox))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", spy)
    return listed


def test_a_pull_opens_neither_old_nights_nor_any_folder_once_per_stream(make_source, inbox, window, opened):
    for days in range(2, 400):
        night = window.business_on - timedelta(days=days)
        for place in ("done", "failed"):
            old = f"{place}/{night}/zrzy_banjian_{night:%Y%m%d}.csv"
            drop(inbox, old, text(LINE), EVENING - timedelta(days=days))
    drop(inbox, NAME, text(LINE))
    listed = []
    for streams in ({"accept": CSV}, {str(number): replace(CSV, pattern=f"{number}.csv") for number in range(9)}):
        opened.clear()
        pull(make_source(FileDrop(streams), encoding="gb18030"), inbox, window)
        listed.append(sorted(opened))
    assert listed[0] == listed[1] == [".", "done", "failed"]


def test_a_past_window_finds_files_of_its_night_and_those_taken_later_that_were_written_in_it(source, inbox, window):
    drop(inbox, f"done/2026-11-16/{NAME}", text(LINE))
    drop(inbox, f"done/2026-11-16/0123456789ab/{NAME}", text(LINE, LINE), EVENING + timedelta(hours=1))
    drop(inbox, "done/2027-03-01/zrzy_banjian_20261115.csv", text(LINE, LINE, LINE))
    drop(inbox, "done/by hand/zrzy_banjian_20261114.csv", text(LINE, LINE, LINE, LINE))
    assert pull(source, inbox, window)[1] == [Pulled("accept", 10)]


@pytest.mark.parametrize("cutoff", ["00:00", "01:00", "12:00", "23:59"])
def test_whatever_the_cut_off_a_file_written_at_it_is_found_again_in_done(source, inbox, cutoff):
    until = datetime.fromisoformat(f"2026-11-17T{cutoff}+08:00")
    night = Window(date(2026, 11, 16), until - timedelta(days=1), until)
    drop(inbox, NAME, text(LINE), until)
    pull_and_settle(source, inbox, night)
    assert (inbox / "done/2026-11-16" / NAME).exists()
    for minutes in range(1, 1440, 7):
        assert len(pull(source, inbox, replace(night, since=until - timedelta(minutes=minutes)))[0]) == 1


def test_the_same_bytes_under_two_names_are_one_page_and_both_files_are_taken(source, inbox, window):
    drop(inbox, NAME, text(LINE))
    drop(inbox, "zrzy_banjian_20261115.csv", text(LINE))
    pages, (end,) = pull(source, inbox, window)
    assert {(page.number, page.content) for page in pages} == {(1, pages[0].content)}
    assert end.declared_rows == 1
    source.kind.settle(source, str(inbox), [page.meta for page in pages])
    assert not list(inbox.glob("*.csv"))


@pytest.mark.parametrize(
    "name",
    [
        "zrzy_banjian_20261116.csv.tmp",
        "xzrzy_banjian_20261116.csv",
        "zrzy_banjian_2026111.csv",
        "ZRZY_BANJIAN_20261116.CSV",
        "zrzy_banjian_２０２６１１１６.csv",
        "zrzy_banjian_20261116.csv\n",
        ".zrzy_banjian_20261116.csv",
        "zrzyXbanjian_20261116.csv",
        "zrzy_banjian_20261116Xcsv",
    ],
)
def test_a_name_that_does_not_match_exactly_is_not_taken(source, inbox, window, name):
    drop(inbox, name, text(LINE))
    assert pull(source, inbox, window)[0] == []


def test_a_symbolic_link_is_never_followed(source, inbox, window, tmp_path):
    secret = drop(tmp_path, "secret.csv", text(LINE))
    (inbox / NAME).symlink_to(secret)
    os.utime(inbox / NAME, (EVENING.timestamp(), EVENING.timestamp()), follow_symlinks=False)
    assert pull(source, inbox, window)[0] == []
    source.kind.settle(source, str(inbox), [{"file": NAME, "sha256": "", "business_on": "2026-11-16"}])
    assert (inbox / NAME).is_symlink()


def test_a_link_in_place_of_the_done_folder_is_refused(source, inbox, window, tmp_path):
    (inbox / "done").symlink_to(tmp_path)
    with pytest.raises(SourceContractBroken, match="is a link"):
        pull(source, inbox, window)


def test_a_folder_with_a_files_name_is_not_taken(source, inbox, window):
    (inbox / NAME).mkdir()
    assert pull(source, inbox, window)[0] == []


def test_settling_cannot_be_led_out_of_the_folder(source, inbox, tmp_path):
    outside = drop(tmp_path, "outside.csv", text(LINE))
    source.kind.settle(source, str(inbox), [{"file": "../outside.csv", "sha256": "", "business_on": "x"}])
    assert outside.exists()


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "link to a device", "link to nowhere"])
def test_what_is_no_regular_file_is_neither_taken_nor_waited_for(source, inbox, window, kind):
    path = inbox / NAME
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        if os.geteuid():
            pytest.skip("only root makes devices")
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero: bytes without end
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as unix, chdir(inbox):
            unix.bind(NAME)
    else:
        path.symlink_to("/dev/zero" if kind == "link to a device" else "/nowhere")
    assert pull(source, inbox, window)[0] == []
    meta = {"file": NAME, "sha256": "", "business_on": "2026-11-16"}
    source.kind.settle(source, str(inbox), [meta])
    assert os.path.lexists(path)
    with pytest.raises(SourceContractBroken, match="regular file"):  # put there after the folder was listed
        _read(_Found(0, NAME, path), 0)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_waits_under_a_files_name_in_done_is_neither_read_nor_replaced(source, inbox, window, kind):
    drop(inbox, NAME, text(LINE))
    (page,), _ = pull(source, inbox, window)
    waiting = inbox / "done/2026-11-16" / NAME
    waiting.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(waiting)
    else:
        waiting.symlink_to("/dev/zero")
    with pytest.raises(SourceContractBroken, match="regular file"):
        source.kind.settle(source, str(inbox), [page.meta])
    assert (inbox / NAME).exists()
    assert os.path.lexists(waiting)


def test_a_link_in_place_of_a_days_folder_leads_no_file_out(source, inbox, window, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    drop(inbox, NAME, text(LINE))
    (page,), _ = pull(source, inbox, window)
    (inbox / "done").mkdir()
    (inbox / "done/2026-11-16").symlink_to(outside)
    with pytest.raises(SourceContractBroken, match="is a link"):
        source.kind.settle(source, str(inbox), [page.meta])
    assert list(outside.iterdir()) == []
    assert (inbox / NAME).exists()


@pytest.mark.parametrize("name", ["done", "failed"])
def test_a_file_in_place_of_a_folder_is_named(source, inbox, window, name):
    drop(inbox, NAME, text(LINE))
    drop(inbox, name, b"")
    with pytest.raises(SourceContractBroken, match="is a link or file"):
        pull(source, inbox, window)


@pytest.mark.parametrize("done", [True, False])
def test_a_share_that_lets_nothing_be_moved_is_unavailable(source, inbox, window, done):
    drop(inbox, NAME, text(LINE) if done else "wrong\n")
    drop(inbox, f"{'done' if done else 'failed'}/2026-11-16", b"")  # where the day's folder ought to be
    with pytest.raises(SourceUnavailable, match="cannot be worked in"):
        pull_and_settle(source, inbox, window)


@pytest.mark.parametrize(
    "name",
    [
        NAME.encode() + "受理".encode("gbk"),
        b"\xff\xfe\x80.csv",
        b"x" * 255,
        b"a\nfile_drop_unknown_name file=forged",
        b"\x1b[2J\x1b]0;owned\x07.csv",
        "\u202evsc.exe".encode(),
        b"%2e%2e%2fetc%2fpasswd",
        b"-rf",
    ],
)
def test_a_file_of_any_name_is_left_alone_and_named_on_one_harmless_line(source, inbox, window, name):
    drop(inbox, NAME, text(LINE))
    Path(os.fsdecode(bytes(inbox) + b"/" + name)).write_bytes(b"x")
    log = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
    try:
        pages, _ = pull(source, inbox, window)
    finally:
        structlog.reset_defaults()
    log.flush()
    (line,) = log.buffer.getvalue().decode().splitlines()
    assert "file_drop_unknown_name" in line
    assert re.sub(r"\x1b\[\d*m", "", line).isprintable()
    assert [page.meta["file"] for page in pages] == [NAME]
    assert os.fsencode(name) in {os.fsencode(entry.name) for entry in inbox.iterdir()}


def test_a_url_in_place_of_a_folder_is_refused_without_repeating_its_password(source, window):
    with pytest.raises(ConfigurationError) as caught:
        list(source.kind.pull(source, "sftp://office:s3cret@host/in", window))
    assert "s3cret" not in str(caught.value)


def test_a_folder_that_is_not_mounted_is_unavailable_and_not_empty(source, tmp_path, window):
    with pytest.raises(SourceUnavailable, match="is not there"):
        pull(source, tmp_path / "absent", window)


def test_a_file_over_the_size_limit_goes_to_failed_unread(source, inbox, window, set_setting):
    set_setting("page_bytes_max", 100)
    drop(inbox, NAME, text(*[LINE] * 10))
    _, message = pull_until_error(source, inbox, window, SourceContractBroken)
    assert "at most 100 are read" in message
    assert (inbox / "failed/2026-11-16" / NAME).exists()


def test_a_file_that_is_still_growing_is_left_alone_and_the_night_is_incomplete(make_source, inbox):
    source = make_source(FileDrop({"accept": CSV}, quiet_seconds=0.3), encoding="gb18030")
    path = drop(inbox, NAME, text(LINE))
    now = datetime.now().astimezone()
    window = Window(now.date(), None, now + timedelta(hours=1))
    growing, stop = threading.Event(), threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            while not stop.wait(0.02):
                file.write(LINE.encode("gb18030") + b"\n")
                growing.set()

    writer = threading.Thread(target=write)
    writer.start()
    growing.wait()
    try:
        answers, message = pull_until_error(source, inbox, window, SourceIncomplete)
    finally:
        stop.set()
        writer.join()
    assert answers == []
    assert "still being written" in message
    assert path.exists()
    assert len(pull(source, inbox, window)[0]) == 1


# --- a wrong file does not stop the others --------------------------------------------------------------------------


def test_a_wrong_header_fails_its_own_file_only_and_says_what_differs(source, inbox, window):
    wrong = "办件编号,事项名,受理时间\n" + LINE + "\n"
    drop(inbox, "zrzy_banjian_20261115.csv", wrong, EVENING - timedelta(hours=1))
    drop(inbox, NAME, text(LINE))
    answers, message = pull_until_error(source, inbox, window, SourceContractBroken)
    assert [answer.meta["file"] for answer in answers] == [NAME]
    assert "zrzy_banjian_20261115.csv: the header lacks 事项名称 and has unexpected '事项名'" in message
    assert [path.name for path in (inbox / "failed/2026-11-16").iterdir()] == ["zrzy_banjian_20261115.csv"]
    assert (inbox / NAME).exists()


def test_a_header_in_another_order_is_a_wrong_header(source):
    with pytest.raises(SourceContractBroken, match="another order"):
        decode(source, "事项名称,办件编号,受理时间\n")


def test_a_file_without_a_header_does_not_put_its_first_record_into_the_message(source):
    with pytest.raises(SourceContractBroken, match="first row is not the header") as caught:
        decode(source, "张三,13800000000,511602199001011234\n")
    assert "张三" not in str(caught.value)


def test_an_empty_file_has_no_header(source):
    with pytest.raises(SourceContractBroken, match="no header row"):
        decode(source, b"")


def test_a_failed_file_keeps_the_night_broken_until_it_comes_again_corrected(source, inbox, window):
    drop(inbox, NAME, "wrong\n")
    pull_until_error(source, inbox, window, SourceContractBroken)
    _, message = pull_until_error(source, inbox, window, SourceContractBroken)
    assert f"{NAME} is still in failed/" in message
    drop(inbox, NAME, text(LINE), EVENING + timedelta(hours=1))
    pages, (end,) = pull(source, inbox, window)
    assert (len(pages), end.declared_rows) == (1, 1)


def test_an_older_good_file_of_the_name_does_not_excuse_a_failed_newer_one(source, inbox, window):
    drop(inbox, f"done/2026-11-16/{NAME}", text(LINE), EVENING - timedelta(hours=1))
    drop(inbox, f"failed/2026-11-16/{NAME}", "wrong\n")
    _, message = pull_until_error(source, inbox, window, SourceContractBroken)
    assert "still in failed/" in message


def test_every_stream_without_fault_gets_its_end(make_source, inbox, window):
    source = make_source(FileDrop({"accept": CSV, "finish": Files("finish_{date}.csv", HEADER)}), encoding="gb18030")
    drop(inbox, NAME, "wrong\n")
    drop(inbox, "finish_20261116.csv", text(LINE))
    answers, _ = pull_until_error(source, inbox, window, SourceContractBroken)
    assert answers[-1] == Pulled("finish", 1)
    assert not any(isinstance(answer, Pulled) and answer.stream == "accept" for answer in answers)


# --- the day's file -------------------------------------------------------------------------------------------------


@pytest.fixture
def daily(make_source):
    return make_source(FileDrop({"accept": CSV}, expects_daily=True), encoding="gb18030")


def test_a_missing_file_of_the_day_is_named(daily, inbox, window):
    drop(inbox, "zrzy_banjian_20261115.csv", text(LINE))
    answers, message = pull_until_error(daily, inbox, window, SourceIncomplete)
    assert [type(answer) for answer in answers] == [Page]
    assert "test: zrzy_banjian_20261116.csv has not come" in message


def test_a_file_with_a_header_only_says_that_there_was_nothing(daily, inbox, window):
    drop(inbox, NAME, text())
    pages, ends = pull(daily, inbox, window)
    assert (len(pages), ends) == (1, [Pulled("accept", 0)])


def test_a_day_skipped_before_stays_missing_until_its_file_comes(daily, inbox, window):
    drop(inbox, NAME, text(LINE))
    two_nights = Window(window.business_on, window.since - timedelta(days=1), window.until)
    _, message = pull_until_error(daily, inbox, two_nights, SourceIncomplete)
    assert "zrzy_banjian_20261115.csv has not come" in message
    drop(inbox, "zrzy_banjian_20261115.csv", text(LINE, LINE))
    assert pull(daily, inbox, two_nights)[1] == [Pulled("accept", 3)]


def test_a_days_file_already_in_done_has_come(daily, inbox, window):
    drop(inbox, f"done/2026-11-16/{NAME}", text(LINE))
    assert pull(daily, inbox, window)[1] == [Pulled("accept", 1)]


def test_a_days_file_sent_ahead_and_taken_on_an_earlier_night_has_come(daily, inbox, window):
    drop(inbox, f"done/2026-11-09/{NAME}", text(), EVENING - timedelta(days=7))
    assert pull(daily, inbox, window) == ([], [Pulled("accept", 0)])


def test_old_nights_are_opened_once_for_all_missing_files(make_source, inbox, window, opened):
    daily = {kind: replace(CSV, pattern=f"{kind}_{{date}}.csv") for kind in ("accept", "finish", "stage")}
    drop(inbox, "done/2026-11-09/accept_20261109.csv", text(LINE), EVENING - timedelta(days=7))
    source = make_source(FileDrop(daily, expects_daily=True), encoding="gb18030")
    _, message = pull_until_error(source, inbox, window, SourceIncomplete)
    assert "accept_20261116.csv has not come" in message
    assert "finish_20261116.csv has not come" in message
    assert opened.count("done") == 2
    assert "done/2026-11-09" in opened


def test_daily_files_need_a_date_in_their_name():
    with pytest.raises(ConfigurationError, match="expects_daily"):
        FileDrop({"accept": Files("all.csv", HEADER)}, expects_daily=True)


# --- settling -------------------------------------------------------------------------------------------------------


def test_settling_moves_the_file_by_business_date_and_may_be_repeated(source, inbox, window):
    drop(inbox, NAME, text(LINE))
    (page,), _ = pull(source, inbox, window)
    for _ in range(2):
        source.kind.settle(source, str(inbox), [page.meta])
    assert not (inbox / NAME).exists()
    moved = inbox / "done/2026-11-16" / NAME
    assert moved.read_bytes() == page.content
    assert moved.stat().st_mtime == EVENING.timestamp()


def test_a_crash_between_landing_and_moving_lands_the_same_bytes_again_and_then_moves(source, inbox, window):
    drop(inbox, NAME, text(LINE))
    (first,), _ = pull(source, inbox, window)  # landed, then the process died
    (again,), _ = pull(source, inbox, window)
    assert again.meta["sha256"] == first.meta["sha256"]
    source.kind.settle(source, str(inbox), [again.meta])
    assert (inbox / "done/2026-11-16" / NAME).exists()


def test_a_file_replaced_after_it_was_read_stays_for_the_next_pull(source, inbox, window):
    drop(inbox, NAME, text(LINE))
    (page,), _ = pull(source, inbox, window)
    drop(inbox, NAME, text(LINE, LINE), EVENING + timedelta(minutes=5))
    source.kind.settle(source, str(inbox), [page.meta])
    (again,), (end,) = pull(source, inbox, window)
    assert end.declared_rows == 2
    assert again.meta["sha256"] != page.meta["sha256"]


def test_another_file_of_the_same_name_never_overwrites_the_one_in_done(source, inbox, window):
    for lines in ((LINE,), (LINE, LINE)):
        drop(inbox, NAME, text(*lines))
        pages, _ = pull(source, inbox, window)
        source.kind.settle(source, str(inbox), [page.meta for page in pages])
    assert len(list((inbox / "done").rglob(NAME))) == 2
    assert pull(source, inbox, window)[1] == [Pulled("accept", 3)]


# --- CSV ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read_and_counted(source, inbox, window, end):
    drop(inbox, NAME, text(LINE, "B002,变更登记,", end=end))
    (page,), (pulled,) = pull(source, inbox, window)
    assert decode(source, page.content).rows["办件编号"].to_pylist() == ["B001", "B002"]
    assert pulled.declared_rows == 2


@pytest.mark.parametrize("bom", [b"\xef\xbb\xbf", b""])
def test_a_utf8_byte_order_mark_is_believed_over_the_declared_encoding(source, bom):
    content = bom + text(LINE).encode()
    if bom:
        assert decode(source, content).rows["事项名称"].to_pylist() == ["不动产登记"]
    else:
        with pytest.raises(SourceContractBroken, match="content is UTF-8"):
            decode(source, content)


def test_a_gb18030_byte_order_mark_is_no_part_of_the_header(source):
    assert decode(source, b"\x84\x31\x95\x33" + text(LINE).encode("gb18030")).rows.num_rows == 1


def test_utf16_is_refused_by_name(source):
    with pytest.raises(SourceContractBroken, match="UTF-16"):
        decode(source, text(LINE).encode("utf-16"))


def test_rare_characters_survive_gb18030(source):
    assert decode(source, text("B001,喆堃祎𠮷,")).rows["事项名称"].to_pylist() == ["喆堃祎𠮷"]


def test_quoted_cells_keep_delimiters_quotes_and_line_ends(source):
    row = decode(source, text('B001,"一,二""三""\r\n四",x')).rows.to_pylist()[0]
    assert row["事项名称"] == '一,二"三"\r\n四'


def test_quotes_make_the_row_count_unknown_rather_than_wrong(source, inbox, window):
    drop(inbox, NAME, text('B001,"一\n二",x'))
    assert pull(source, inbox, window)[1] == [Pulled("accept", None)]


def test_another_delimiter_may_be_declared(make_source):
    source = make_source(FileDrop({"accept": Files("a.csv", HEADER, delimiter="|")}), encoding="gb18030")
    assert decode(source, text("B001,x,y").replace(",", "|")).rows["受理时间"].to_pylist() == ["y"]


@pytest.mark.parametrize("bad", ["B002,x", "B002,x,y,z", "B002"])
def test_a_row_with_a_wrong_number_of_fields_is_rejected_alone(source, bad):
    result = decode(source, text(LINE, bad, LINE))
    assert result.rows["row_no"].to_pylist() == [0, 2]
    assert reasons(result) == [(1, "wrong_field_count")]


def test_empty_cells_stay_empty_text_and_empty_lines_are_no_rows(source):
    result = decode(source, text("B001,,", "", "B002,,"))
    assert result.rows["事项名称"].to_pylist() == ["", ""]
    assert result.rows["row_no"].to_pylist() == [0, 1]


def test_undecodable_bytes_cost_their_row_only(source):
    content = text(LINE, "B002,@@,x", LINE, "B004,@@").encode("gb18030").replace(b"@@", b"\xff\x81")
    result = decode(source, content)
    assert result.rows["row_no"].to_pylist() == [0, 2]
    assert reasons(result) == [(1, "bad_encoding"), (3, "bad_encoding")]


def test_a_lead_byte_before_a_line_end_does_not_swallow_the_line_end(source):
    result = decode(source, text(LINE, "B002,x,@@", LINE).encode("gb18030").replace(b"@@", b"\x81"))
    assert (result.rows.num_rows, reasons(result)) == (2, [(1, "bad_encoding")])


def test_a_quote_that_never_closes_costs_its_own_line_and_not_the_rest_of_the_file(source):
    result = decode(source, text(LINE, 'B002,"x,y', LINE, LINE))
    assert result.rows["row_no"].to_pylist() == [0, 2, 3]
    assert reasons(result) == [(1, "bad_quoting")]


def test_text_after_a_closing_quote_costs_its_own_line(source):
    result = decode(source, text(LINE, 'B002,"x"y,z', LINE))
    assert (result.rows.num_rows, reasons(result)) == (2, [(1, "bad_quoting")])


def test_an_inch_mark_inside_a_cell_is_ordinary_text(source):
    assert decode(source, text('B001,3" 管道,x')).rows["事项名称"].to_pylist() == ['3" 管道']


def test_a_file_of_broken_quotes_is_refused_as_a_whole(source):
    with pytest.raises(SourceContractBroken, match="broken quotes"):
        decode(source, text(*['B,"x"y,z'] * 1_001))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("a\x00b", "poison_character"),
        ("a\x1bb", "poison_character"),
        ("长" * 10_001, "too_long"),
        ("长" * 200_000, "too_long"),
    ],
)
def test_poison_and_oversized_cells_cost_their_row(source, cell, reason):
    result = decode(source, text(LINE, f"B002,{cell},x", LINE))
    assert (result.rows["row_no"].to_pylist(), reasons(result)) == ([0, 2], [(1, reason)])


# --- XLSX -----------------------------------------------------------------------------------------------------------

XLSX_NAME = "zrzy_buzheng_20261116.xlsx"


def test_workbook_cells_become_exact_text(books, inbox, window):
    drop(
        inbox,
        XLSX_NAME,
        book(
            (1, 1.5, datetime.fromisoformat("2026-11-16T09:10:11")),
            ("007", 0.1, date(2026, 11, 16)),
            (True, -3, time(9, 30)),
            ("广安区", None, timedelta(hours=30)),
        ),
    )
    (page,), (end,) = pull(books, inbox, window)
    result = decode(books, page.content)
    assert [list(row.values())[1:] for row in result.rows.to_pylist()] == [
        ["1", "1.5", "2026-11-16T09:10:11"],
        ["007", "0.1", "2026-11-16"],
        ["true", "-3", "09:30:00"],
        ["广安区", "", "30:00:00"],
    ]
    assert end.declared_rows is None


def test_an_identifier_typed_as_a_number_is_rejected_because_its_end_is_lost(books):
    result = decode(books, book((511602199001011234, "x", "y"), ("511602199001011234", "x", "y")))
    assert result.rows["办件编号"].to_pylist() == ["511602199001011234"]
    assert result.rejects[0][:2] == (0, "bad_number")


@pytest.mark.parametrize("digits", [31, 33])
def test_an_item_code_typed_as_a_number_is_rejected_because_its_end_is_lost(books, digits):
    code = int("511511602000" + "0" * (digits - 15) + "123")
    result = decode(books, book(("B1", code, "x"), ("B2", float(code), "x"), ("B3", str(code), "x")))
    assert result.rows["事项名称"].to_pylist() == [str(code)]
    assert reasons(result) == [(0, "bad_number"), (1, "bad_number")]


def test_a_formula_error_is_rejected_and_not_read_as_an_empty_cell(books):
    result = decode(books, book(("B1", "#N/A", "x"), ("B2", "y", "z")))
    assert (result.rows["办件编号"].to_pylist(), reasons(result)) == (["B2"], [(0, "formula_error")])
    assert result.refused["办件编号"].to_pylist() == ["B1"], "its case is held still"


def test_a_workbook_row_with_a_cell_too_many_is_rejected(books):
    assert reasons(decode(books, book(("a", "b", "c", "d"), ("a", "b", "c")))) == [(0, "wrong_field_count")]


def test_a_workbook_with_another_header_goes_to_failed(books, inbox, window):
    drop(inbox, XLSX_NAME, book(header=("办件编号", "事项名称")))
    _, message = pull_until_error(books, inbox, window, SourceContractBroken)
    assert "lacks 受理时间" in message
    assert (inbox / "failed/2026-11-16" / XLSX_NAME).exists()


def test_a_named_sheet_is_read_and_its_absence_said(make_source):
    workbook = openpyxl.Workbook()
    workbook.active.append(["说明"])
    workbook.create_sheet("数据").append(list(HEADER))
    content = io.BytesIO()
    workbook.save(content)
    for sheet in ("数据", "别的"):
        source = make_source(FileDrop({"accept": Files("a.xlsx", HEADER, sheet=sheet)}))
        if sheet == "数据":
            assert decode(source, content.getvalue()).rows.num_rows == 0
        else:
            with pytest.raises(SourceContractBroken, match="no sheet '别的'; the file has Sheet, 数据"):
                decode(source, content.getvalue())


def rezip(content: bytes, **members: bytes) -> bytes:
    """A workbook with members replaced or added; `__` in a name stands for a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        replaced = {name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"): data
                    for name, data in members.items()}  # fmt: skip
        for name in old.namelist():
            if name not in replaced:
                new.writestr(name, old.read(name))
        for name, data in replaced.items():
            new.writestr(name, data)
    return out.getvalue()


def test_a_zip_bomb_is_refused_by_its_real_size(books):
    bomb = rezip(book(), xl__sharedStrings_xml=b"<sst>" + b" " * 50_000_000 + b"</sst>")
    with pytest.raises(SourceContractBroken, match="bomb"):
        decode(books, bomb)


def test_a_zip_bomb_that_lies_about_its_size_is_refused_too(books):
    bomb = rezip(book(), xl__sharedStrings_xml=b" " * 50_000_000)
    lie = bomb.replace(struct.pack("<L", 50_000_000), struct.pack("<L", 1_000))
    assert lie != bomb
    with pytest.raises(SourceContractBroken, match="bomb"):
        decode(books, lie)


def test_64_mib_of_zeros_in_a_zip_are_refused_under_whatever_name_they_come(source, books, inbox, window):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("zeros", bytes(64 << 20))
    for name, by in (("drop_20261116.zip", source), (NAME, source), (XLSX_NAME, books)):
        drop(inbox, name, packed.getvalue())
        tracemalloc.start()
        if name.endswith(".zip"):
            assert pull(by, inbox, window)[0] == []
        else:
            pull_until_error(by, inbox, window, SourceContractBroken)
            assert (inbox / "failed/2026-11-16" / name).exists()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 48 << 20, "never whole in memory"


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
ENTITIES = {
    "a billion laughs": b'<!DOCTYPE x [<!ENTITY l0 "ha">' + LAUGHS + b"]>",
    "a file of ours": b'<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
    "an address elsewhere": b'<!DOCTYPE x [<!ENTITY l9 SYSTEM "http://127.0.0.1:9/x">]>',
    "a document type elsewhere": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
}


@pytest.mark.parametrize(
    "part", ["worksheets/sheet1", "sharedStrings", "workbook", "styles", "_rels/workbook.xml.rels"]
)
@pytest.mark.parametrize("declared", ENTITIES)
def test_entities_in_any_part_of_a_workbook_are_refused_and_never_expanded(books, part, declared):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as workbook:
        sheet = workbook.add_worksheet()
        for row, cells in enumerate((HEADER, ("B1", "x", "y"))):
            sheet.write_row(row, 0, cells)
    name = f"xl/{part}" if part.endswith(".rels") else f"xl/{part}.xml"
    with zipfile.ZipFile(content) as archive:
        xml = archive.read(name)
    head, tail = xml.split(b"?>", 1)
    hostile = head + b"?>" + ENTITIES[declared] + tail.replace(b"B1", b"&l9;")
    with pytest.raises(SourceContractBroken, match="declares a document type"):
        decode(books, rezip(content.getvalue(), **{name.replace("/", "__"): hostile}))


def test_many_members_may_not_add_up_to_a_bomb(books, set_setting):
    set_setting("page_bytes_max", 100_000)
    members = {f"xl__x{n}_xml": b" " * 500_000 for n in range(3)}
    with pytest.raises(SourceContractBroken, match="bomb"):
        decode(books, rezip(book(), **members))


def test_one_cell_in_the_last_corner_of_a_sheet_does_not_fill_the_memory(books):
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        b"</sheetData></worksheet>"
    )
    with pytest.raises(SourceContractBroken, match=f"at most {CELLS_MAX} cells"):
        decode(books, rezip(book(), xl__worksheets__sheet1_xml=sheet))


def test_macros_are_refused(books):
    with pytest.raises(SourceContractBroken, match="macros"):
        decode(books, rezip(book(), xl__vbaProject_bin=b"x"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted or an old .xls"),
        (b"not a workbook", "not a readable .xlsx"),
        (b"", "not a readable .xlsx"),
        (book()[:-100], "not a readable .xlsx"),
    ],
)
def test_what_is_no_workbook_is_said_to_be_none(books, content, words):
    with pytest.raises(SourceContractBroken, match=words):
        decode(books, content)


def test_a_damaged_member_is_a_broken_contract(books):
    content = bytearray(book(("B1", "x", "y")))
    at = content.index(b"xl/worksheets/sheet1.xml") + 60
    content[at : at + 20] = bytes(20)
    with pytest.raises(SourceContractBroken):
        decode(books, bytes(content))


def test_an_encrypted_member_is_refused(books):
    content = bytearray(book())
    at = content.rindex(b"PK\x01\x02")  # flags of the last central directory entry
    content[at + 8] |= 1
    with pytest.raises(SourceContractBroken, match="encrypted"):
        decode(books, bytes(content))


# --- declarations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "header"),
    [
        ("a.txt", HEADER),
        ("a.csv", ("a", "a")),
        ("a.csv", ("row_no",)),
        ("a.csv", ()),
        ("a_{day}.csv", HEADER),
        ("{date}_{date}.csv", HEADER),
        ("../a.csv", HEADER),
    ],
)
def test_a_declaration_that_cannot_work_fails_when_it_is_made(pattern, header):
    with pytest.raises(ConfigurationError):
        Files(pattern, header)


def test_a_serial_number_is_a_place_in_a_pattern():
    files = Files("r_{date}_{serial}.csv", HEADER)
    assert files.date_of("r_20261116_12.csv") == "20261116"
    assert files.match("r_20261116_.csv") is None
