"""Real senders, killed and stopped, against a real SMTP server that misbehaves: none lost, none twice, few held."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

import pytest

from etl.publish.smtp import stuffed
from tests.faults.nasty_smtp import TROUBLES
from tests.faults.sender import LONG_S, RECIPIENTS, Desk, Moment, Pause, Story, Telling, desks, draw, tell

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.xdist_group("sender-faults")]
MAILS = len(RECIPIENTS)
EVERY = [(what, step, 0.05) for step, whats in TROUBLES.items() for what in whats if what != "sleep"]
SEED = 20261122


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desks(1) as free:
        yield free.get()


@pytest.mark.parametrize("some", [EVERY[start::MAILS] for start in range(MAILS)], ids=lambda some: some[0][0])
def test_every_trouble_at_every_step_of_the_conversation(desk: Desk, some: list[tuple[str, str, float]]) -> None:
    assert len(some) <= MAILS + 1  # so many connections there are at least, one of them for the second try
    told = tell(Story("troubles", troubles=tuple(enumerate(some, 1))), desk)
    assert sum(told.troubles.values()) == len(some)
    silent = sum(step in ("dot", "queued") and what in ("drop", "reset", "half", "garbage") for what, step, _ in some)
    hung_up = sum(step == "text" and what in ("drop", "reset", "421") for what, step, _ in some)
    assert silent <= told.held <= silent + hung_up, "held is what got no word after its last dot, and nothing else"
    assert told.lies == sum((what, step) == ("451", "queued") for what, step, _ in some)


def test_a_server_that_takes_the_mail_and_falls_asleep(desk: Desk) -> None:
    assert tell(Story("asleep", troubles=((2, ("sleep", "queued", LONG_S)),)), desk).held == 1


def test_one_of_several_recipients_is_refused_and_the_others_get_theirs(desk: Desk) -> None:
    told = tell(Story("refused", refuse=("scjg-1@office.example",)), desk)
    assert (told.mails, told.held) == (MAILS, 0)


@pytest.mark.parametrize("number", range(5))
def test_killed_as_drawn(desk: Desk, number: int) -> None:
    assert tell(draw(SEED, f"kill/{number}"), desk).mails == MAILS


@pytest.mark.parametrize("number", range(3))
def test_stopped_as_drawn(desk: Desk, number: int) -> None:
    assert tell(draw(SEED, f"pause/{number}"), desk).mails == MAILS


def test_stopped_longer_than_it_waits_for_the_server_it_still_hears_the_answer(desk: Desk) -> None:
    pause = Pause(Moment("notify.after_final_dot:3"), LONG_S, beside=True)
    told = tell(Story("long", pauses=(pause,)), desk)
    assert (told.pauses["notify.after_final_dot"], told.held) == (1, 0)


@pytest.mark.parametrize(("point", "held"), [("after_data", 0), ("after_dot_commit", 1)])
def test_stopped_and_robbed_of_its_turn_it_disturbs_nothing(desk: Desk, point: str, held: int) -> None:
    pause = Pause(Moment(f"notify.{point}:2"), 0.3, beside=True, robbed=True)
    told = tell(Story("robbed", pauses=(pause,)), desk)
    assert (told.pauses["robbed of its turn"], told.held) == (1, held)


def test_a_mail_that_is_there_twice_is_found_out(desk: Desk) -> None:
    telling = Telling(Story("twice"), desk)
    with telling.engine.connect() as connection:
        mail = connection.exec_driver_sql("select recipient, content from notice limit 1").one()
    with smtplib.SMTP("127.0.0.1", desk.smtp.port) as client:
        client.sendmail("somebody@office.example", [mail.recipient], stuffed(bytes(mail.content)))
    with pytest.raises(AssertionError, match="arrived 2 times"):
        telling.run()


def test_a_mail_that_is_lost_or_held_for_nothing_is_found_out(desk: Desk) -> None:
    for state, found in (("sent", "is lost"), ("held", "held without a reason")):
        telling = Telling(Story(state), desk)
        with telling.engine.connect() as connection:
            connection.exec_driver_sql("update notice set state = %s where mail_kind = 'C'", (state,))
        with pytest.raises(AssertionError, match=found):
            telling.run()


def test_the_same_seed_draws_the_same_story() -> None:
    names = [f"{kind}/{number}" for kind in ("kill", "pause") for number in range(20)]
    assert [draw(1, name) for name in names] == [draw(1, name) for name in names]
    assert [str(draw(1, name)) for name in names] != [str(draw(2, name)) for name in names]
