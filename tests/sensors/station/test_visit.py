"""The visit's state machine: what follows what, what is asked for when, and that it always comes to an end."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk import protocols
from kiosk.messages import (
    SECOND,
    Agreed,
    Answered,
    Chosen,
    Entry,
    Event,
    Person,
    Results,
    Said,
    Stream,
    address,
    decode,
    encode,
)
from kiosk.questionnaires import listed as questionnaires
from sensors.station import visit
from sensors.station.effects import Effect, End, Forget, Note, Reply, Start, Tell, Told
from sensors.station.progress import LEAVING, Kit, Offered, Progress, is_waiting, kept, leaving, left, step_of, steps
from sensors.station.view import Act, Agree, Answer, Begin, CheckIn, Do, Say, Speak
from sensors.station.visit import GOODBYE, RESULTS_WITHIN, SEEN

ALL = Kit(
    frozenset({"ecg", "ppg", "eeg", "rgb", "face_motion", "voice_functionals"}),
    frozenset({"systolic", "diastolic", "spo2", "temperature", "weight", "height"}),
)
PURPOSES = ("measure", "store", "share", "research", "talk")
OFFERED = Offered(("quick", "follow_up", "full"), "2026-1", "en", PURPOSES)
SESSION = "s1"


class Screen:
    """A visit on a clock that is moved by hand."""

    def __init__(self, kit: Kit = ALL, *, offered: Offered = OFFERED) -> None:
        self.now, self.kit, self.offered = 1000 * SECOND, kit, offered
        self.progress = Progress("en")
        self.effects: list[Effect] = []

    def take(self, change: visit.Change) -> tuple[Effect, ...]:
        self.progress = change.progress
        self.effects += change.effects
        return change.effects

    def act(self, act: Act) -> tuple[Effect, ...]:
        return self.take(visit.acted(self.progress, act, self.now, self.kit, self.offered))

    def do(self, *what: str) -> tuple[Effect, ...]:
        return tuple(effect for each in what for effect in self.act(Do(each)))  # type: ignore[arg-type]

    def wait(self, seconds: float, every: float = 0.5) -> tuple[Effect, ...]:
        done: list[Effect] = []
        end = self.now + round(seconds * SECOND)
        while self.now < end:
            self.now = min(end, self.now + round(every * SECOND))
            done += self.take(visit.passed(self.progress, self.now, self.kit))
        return tuple(done)

    @property
    def at(self) -> str:
        step = step_of(self.progress)
        return step.id if step is not None else self.progress.screen

    def begin(self, protocol: str = "full", purposes: tuple[str, ...] = PURPOSES) -> tuple[Effect, ...]:
        self.act(Begin(protocol, "en"))
        return self.act(Agree(purposes))

    def until(self, step: str, protocol: str = "full") -> None:
        """Sit through a visit until a step."""
        self.begin(protocol)
        for _ in range(2000):
            if self.at == step:
                return
            if step_of(self.progress).kind == "measure":  # type: ignore[union-attr]
                self.wait(1)
            else:
                if self.progress.thinking:
                    self.take(visit.spoken(self.progress, "Well.", done=True))
                self.do("next")
        raise AssertionError(f"never at {step}, but at {self.at}")


def contents(effects: tuple[Effect, ...] | list[Effect]) -> list[object]:
    return [each.content for each in effects if isinstance(each, Tell)]


def notes(effects: tuple[Effect, ...] | list[Effect]) -> list[tuple[str, str]]:
    return [(each.event, each.detail) for each in effects if isinstance(each, Note)]


# --- the way through


def test_choosing_a_visit_starts_nothing() -> None:
    screen = Screen()
    assert screen.act(Begin("full", "ru")) == ()
    assert (screen.at, screen.progress.language) == ("consent", "ru")


def test_consent_starts_the_session_and_says_what_was_chosen_and_agreed() -> None:
    screen = Screen()
    screen.act(Begin("quick", "ru"))
    effects = screen.act(Agree(("measure", "store")))
    assert isinstance(effects[0], Start)
    assert contents(effects) == [Chosen("quick", "1", "ru"), Agreed(("measure", "store"), "2026-1", "en")]
    assert screen.at == "check_in"


@pytest.mark.parametrize(
    "act", [Do("refuse"), Agree(()), Agree(("store", "share"))], ids=["no", "nothing", "no measure"]
)
def test_without_consent_to_measure_nothing_begins_and_nothing_is_kept(act: Act) -> None:
    screen = Screen()
    screen.act(Begin("full", "en"))
    assert screen.act(act) == (Forget(),)
    assert screen.at == "goodbye"
    screen.wait(GOODBYE + 1)
    assert screen.at == "welcome"
    assert screen.effects == [Forget()]


def test_a_purpose_that_was_not_offered_is_not_agreed_to() -> None:
    screen = Screen(offered=Offered(("quick",), "2", "en", ("measure", "store")))
    screen.act(Begin("quick", "en"))
    effects = screen.act(Agree(("research", "store", "measure", "everything")))
    assert contents(effects)[1] == Agreed(("measure", "store"), "2", "en")


def test_the_steps_of_the_full_visit_follow_each_other() -> None:
    screen, seen = Screen(), ["consent"]
    screen.begin()
    for _ in range(1000):
        if screen.at != seen[-1]:
            seen.append(screen.at)
        if screen.at == "results":
            break
        screen.take(visit.spoken(screen.progress, "Well.", done=True))
        screen.wait(1) if step_of(screen.progress).kind == "measure" else screen.do("next")  # type: ignore[union-attr]
    assert seen == [step.id for step in protocols.listed()["full"].steps]


def test_what_the_kiosk_has_not_is_left_out() -> None:
    screen = Screen(Kit(frozenset({"rgb", "face_motion"})))
    held = [step.id for step in steps(protocols.listed()["full"], screen.kit)]
    assert held == [
        "consent",
        "check_in",
        "position",
        "eyes_open",
        "rest",
        "mood",
        "diabetes",
        "conversation",
        "results",
    ]
    screen.until("mood")
    assert ("step_began", "speech") not in notes(screen.effects)


def test_a_kiosk_without_any_signal_asks_and_does_not_measure() -> None:
    screen = Screen(Kit())
    screen.until("results", "quick")
    assert not notes(screen.effects)


def test_what_was_told_at_check_in_is_said_once() -> None:
    screen = Screen()
    screen.begin()
    effects = screen.act(CheckIn(given="Ann", birth_year=1980, sex="female", height=171.0, weight=64.5))
    assert contents(effects) == [Person(given="Ann", birth_year=1980, sex="female")]
    assert [each for each in effects if isinstance(each, Told)] == [Told("height", 171.0), Told("weight", 64.5)]
    assert screen.at == "position"
    assert not screen.act(CheckIn(given="Ann"))
    # what a restart needs not, is not kept
    assert b"Ann" not in msgspec.json.encode(screen.progress)


def test_who_may_not_be_stored_is_not_named() -> None:
    screen = Screen()
    screen.begin(purposes=("measure",))
    effects = screen.act(CheckIn(code="K7QF-9M2X-TR4D", given="Ann", family="Lee", birth_year=1980, sex="female"))
    assert contents(effects) == [Person(birth_year=1980, sex="female")]


def test_who_tells_nothing_is_nobody() -> None:
    screen = Screen()
    screen.begin()
    assert not contents(screen.act(CheckIn()))
    assert screen.at == "position"


# --- measuring


def test_a_step_of_measuring_takes_its_time_and_leaves_its_marks() -> None:
    screen = Screen()
    screen.until("eyes_open")
    began, at = notes(screen.effects), screen.now
    assert began == [("eyes_open", ""), ("step_began", "eyes_open")]
    assert not screen.wait(59)
    assert left(screen.progress, screen.now) == pytest.approx(1)
    effects = screen.wait(1)
    assert notes(effects) == [
        ("step_ended", "eyes_open"), ("eyes_open_end", ""), ("eyes_closed", ""), ("step_began", "eyes_closed"),
    ]  # fmt: skip
    times = [each.at for each in effects if isinstance(each, Note)]
    # the end of one is before the other's beginning: at one time they would contradict each other
    assert times[0] == times[1] < times[2] == times[3] == at + 60 * SECOND


def test_nobody_need_touch_the_screen_while_measuring() -> None:
    screen = Screen()
    screen.until("rest", "follow_up")
    screen.wait(119)
    assert screen.at == "rest"
    assert leaving(screen.progress, screen.now) is None
    # nor may an accidental touch end it
    screen.do("next", "back", "here", "refuse")
    assert screen.at == "rest"
    screen.wait(2)
    assert screen.at == "burnout"
    assert leaving(screen.progress, screen.now) is None


def test_after_a_crash_a_measurement_goes_on_with_what_it_lacks() -> None:
    screen = Screen()
    screen.until("rest", "follow_up")
    screen.wait(50)
    stored = kept(screen.progress, screen.now)
    # half a minute of another process's life
    screen.now += 30 * SECOND
    effects = screen.take(visit.resumed(stored, screen.now, going=True))
    assert notes(effects) == [("rest", ""), ("step_began", "rest")]
    assert left(screen.progress, screen.now) == pytest.approx(70)
    screen.wait(69)
    assert screen.at == "rest"
    screen.wait(2)
    assert screen.at == "burnout"


# --- questionnaires


def test_answers_are_said_when_the_last_question_is_done() -> None:
    screen = Screen()
    screen.until("mood")
    assert not screen.act(Answer("q1", 2))
    screen.act(Answer("q1", 3))  # a second touch of the same button: the question has gone by
    assert screen.progress.answers == {"q1": 2}
    screen.do("back")
    screen.act(Answer("q1", 1))
    effects = screen.act(Answer("q2", 3))
    assert contents(effects) == [Answered("phq2", "1", "en", {"q1": 1, "q2": 3})]
    assert screen.at == "diabetes"
    assert screen.progress.answers == {}


def test_a_question_may_be_passed_over_and_no_answer_is_made_up() -> None:
    screen = Screen()
    screen.until("mood")
    screen.act(Answer("q1", 2))
    assert contents(screen.do("next")) == [Answered("phq2", "1", "en", {"q1": 2})]
    screen = Screen()
    screen.until("mood")
    assert not contents(screen.do("next", "next"))
    assert screen.at == "diabetes"


@pytest.mark.parametrize("act", [Answer("q1", 7), Answer("q2", 1), Answer("zz", 1), Answer("q1", -1)], ids=str)
def test_an_answer_that_is_not_offered_is_none(act: Answer) -> None:
    screen = Screen()
    screen.until("mood")
    screen.act(act)
    assert screen.progress.answers == {}
    assert screen.progress.item == 0


def test_passing_over_takes_an_answer_back() -> None:
    screen = Screen()
    screen.until("mood")
    screen.act(Answer("q1", 2))
    screen.do("back", "next")
    assert screen.progress.answers == {}


# --- spots


def test_a_spot_step_goes_on_when_everything_is_there() -> None:
    screen = Screen()
    screen.until("spot")
    for measure in ("systolic", "spo2", "temperature"):
        screen.take(visit.spot(screen.progress, measure, 1.0, screen.now, screen.kit))
    screen.wait(SEEN + 1)
    assert screen.at == "spot"
    screen.take(visit.spot(screen.progress, "weight", 70.0, screen.now, screen.kit))
    screen.wait(SEEN + 1)
    assert screen.at == "mood"


def test_a_device_that_says_nothing_does_not_hold_the_visit() -> None:
    screen = Screen()
    screen.until("spot")
    screen.take(visit.spot(screen.progress, "weight", None, screen.now, screen.kit))
    screen.do("next")
    assert screen.at == "mood"


# --- the talk


def test_the_assistant_speaks_first_and_its_lines_are_kept_where_that_was_agreed_to() -> None:
    screen = Screen()
    screen.until("conversation")
    assert isinstance(screen.effects[-1], Reply)
    assert screen.progress.thinking
    assert not screen.take(visit.spoken(screen.progress, "How are ", done=False))
    effects = screen.take(visit.spoken(screen.progress, "you?", done=True))
    assert contents(effects) == [Said("assistant", "en", "How are you?")]
    effects = screen.act(Say("I slept\x00 badly"))
    assert contents(effects) == [Said("visitor", "en", "I slept badly")]
    assert isinstance(effects[-1], Reply)
    # one at a time
    assert not screen.act(Say("hello?"))


def test_without_consent_to_that_no_line_of_the_talk_is_said() -> None:
    screen = Screen()
    screen.act(Begin("full", "en"))
    screen.act(Agree(("measure", "store")))
    while screen.at != "conversation":
        screen.wait(1) if step_of(screen.progress).kind == "measure" else screen.do("next")  # type: ignore[union-attr]
    screen.take(visit.spoken(screen.progress, "How are you?", done=True))
    screen.act(Say("badly"))
    screen.take(visit.spoken(screen.progress, "Oh.", done=True))
    assert len(screen.progress.talk) == 3
    assert not [each for each in contents(screen.effects) if isinstance(each, Said)]


def test_an_assistant_that_fails_leaves_no_line_and_the_visit_goes_on() -> None:
    screen = Screen()
    screen.until("conversation")
    screen.take(visit.spoken(screen.progress, "", done=True))
    assert not screen.progress.thinking
    assert screen.progress.talk == ()
    screen.do("next")
    assert screen.at == "results"


# --- results, and the end


def test_the_session_ends_before_the_results_are_asked_for() -> None:
    screen = Screen()
    screen.until("results", "quick")
    assert isinstance(screen.effects[-1], End)
    assert is_waiting(screen.progress)
    screen.wait(RESULTS_WITHIN - 1)
    assert is_waiting(screen.progress)
    screen.wait(2)
    assert not is_waiting(screen.progress)
    assert screen.progress.late


def test_results_are_forgotten_after_their_time() -> None:
    screen = Screen()
    screen.until("results", "quick")
    screen.wait(80)
    screen.take(visit.results(screen.progress, Results("s1", "waiting"), screen.now))
    assert is_waiting(screen.progress)
    screen.take(visit.results(screen.progress, Results("s1", "ready", code="ABCD"), screen.now))
    forget = protocols.listed()["quick"].forget
    screen.wait(forget - LEAVING - 1)
    assert leaving(screen.progress, screen.now) is None
    screen.wait(2)
    assert leaving(screen.progress, screen.now) == LEAVING - 1
    screen.wait(LEAVING)
    assert screen.at == "goodbye"
    assert screen.progress.results is None
    assert screen.effects[-1] == Forget()
    # it has ended before
    assert sum(isinstance(each, End) for each in screen.effects) == 1


def test_done_with_the_results_forgets_them_at_once() -> None:
    screen = Screen()
    screen.until("results", "quick")
    screen.take(visit.results(screen.progress, Results("s1", "ready"), screen.now))
    assert screen.do("leave") == (Forget(),)
    assert screen.at == "goodbye"


def test_results_may_be_talked_about_and_that_is_not_recorded() -> None:
    screen = Screen()
    screen.until("results")
    assert screen.progress.talk == ()
    assert not screen.act(Say("too early"))
    screen.take(visit.results(screen.progress, Results("s1", "ready"), screen.now))
    assert screen.act(Say("What is RMSSD?")) == (Reply(),)
    assert not screen.take(visit.spoken(screen.progress, "A number.", done=True))


@pytest.mark.parametrize("step", ["check_in", "position", "electrodes", "spot", "mood", "conversation"])
def test_who_has_gone_is_asked_and_then_given_up(step: str) -> None:
    screen = Screen()
    screen.until(step)
    screen.take(visit.spoken(screen.progress, "Well.", done=True))
    idle = protocols.listed()["full"].idle
    screen.wait(idle - 1)
    assert leaving(screen.progress, screen.now) is None
    screen.wait(2)
    assert leaving(screen.progress, screen.now) == LEAVING - 1
    screen.do("here")
    assert leaving(screen.progress, screen.now) is None
    assert screen.at == step
    effects = screen.wait(idle + LEAVING + 1)
    assert effects == (End(), Forget())
    assert screen.progress == Progress("en", "goodbye", since=screen.progress.since, touched=screen.progress.touched)


def test_who_leaves_while_measuring_ends_the_step_too() -> None:
    screen = Screen()
    screen.until("eyes_closed")
    screen.wait(5)
    effects = screen.do("leave")
    assert notes(effects) == [("step_ended", "eyes_closed"), ("eyes_closed_end", "")]
    assert [type(each) for each in effects[-2:]] == [End, Forget]


def test_a_session_that_the_clinic_stopped_ends_the_visit() -> None:
    screen = Screen()
    screen.until("rest", "quick")
    assert screen.take(visit.stopped(screen.progress, screen.now)) == (Forget(),)
    assert screen.at == "goodbye"
    # its own end is none from outside
    other = Screen()
    other.until("results", "quick")
    assert not other.take(visit.stopped(other.progress, other.now))
    assert other.at == "results"


@pytest.mark.parametrize("step", [step.id for step in protocols.listed()["full"].steps[1:]])
def test_every_step_goes_on_after_a_crash(step: str) -> None:
    screen = Screen()
    screen.until(step)
    stored = screen.progress
    screen.take(visit.resumed(stored, screen.now + SECOND, going=step != "results"))
    assert screen.at == step


def test_after_a_reboot_nothing_goes_on_but_what_nobody_need_sit_for() -> None:
    screen = Screen()
    screen.until("mood")
    assert screen.take(visit.resumed(screen.progress, screen.now, going=False)) == (Forget(),)
    assert screen.at == "welcome"


def test_a_visit_that_was_being_given_up_is_given_up_after_a_crash() -> None:
    screen = Screen()
    screen.until("mood")
    screen.do("leave")
    assert screen.take(visit.resumed(screen.progress, screen.now, going=True)) == (End(), Forget())


# --- whatever a visitor does

_TEXT = st.text(max_size=30)
ACTS = st.one_of(
    st.builds(Begin, st.sampled_from(["quick", "full", "follow_up", "none"]), st.sampled_from(["en", "ru", "xx"])),
    st.builds(Speak, st.sampled_from(["en", "ru"])),
    st.builds(Agree, st.lists(st.sampled_from([*PURPOSES, "measure", "x"]), max_size=5).map(tuple)),
    st.just(Agree(("measure", "talk"))),
    st.builds(CheckIn, birth_year=st.sampled_from([None, 1980]), weight=st.sampled_from([None, 60.0])),
    st.builds(Answer, st.sampled_from(["q1", "q2", "age", "x"]), st.integers(-1, 5)),
    st.builds(Say, _TEXT.filter(bool)),
    st.builds(Do, st.sampled_from(["next", "next", "next", "back", "refuse", "here", "leave"])),
)
MOMENTS = st.one_of(
    ACTS, ACTS, st.floats(0.1, 130), st.sampled_from(["piece", "done", "spot", "ready", "waiting", "crash", "stop"])
)
KITS = st.sampled_from(
    [ALL, Kit(), Kit(frozenset({"rgb", "face_motion"})), Kit(frozenset({"ecg"}), frozenset({"spo2"}))]
)


def lived(screen: Screen, moment: object) -> tuple[Effect, ...]:
    if isinstance(moment, float):
        return screen.wait(moment, every=moment)
    screen.now += SECOND // 10
    if moment in ("piece", "done"):
        return screen.take(visit.spoken(screen.progress, "word", done=moment == "done"))
    if moment == "spot":
        return screen.take(visit.spot(screen.progress, "spo2", 97.0, screen.now, screen.kit))
    if moment in ("ready", "waiting"):
        return screen.take(visit.results(screen.progress, Results(SESSION, moment), screen.now))
    if moment == "crash":
        stored, ended = kept(screen.progress, screen.now), screen.progress.ended
        if not stored.agreed and not ended:
            # nothing was kept yet
            screen.progress = Progress(stored.language)
            return ()
        return screen.take(visit.resumed(stored, screen.now, going=not ended))
    if moment == "stop":
        return screen.take(visit.stopped(screen.progress, screen.now))
    return screen.act(moment)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(kit=KITS, moments=st.lists(MOMENTS, max_size=60))
def test_whatever_happens_nothing_is_measured_before_consent_and_everything_is_forgotten(
    kit: Kit, moments: list[object]
) -> None:
    screen = Screen(kit)
    going = False
    for moment in moments:
        before = screen.progress
        for effect in lived(screen, moment):
            if isinstance(effect, Start):
                assert not going
                assert isinstance(moment, Agree)
                assert "measure" in moment.purposes
                going = True
            elif isinstance(effect, End):
                going = False
            elif isinstance(effect, Tell | Note | Told):
                assert going
                well_formed(effect)
        if moment == "stop" and before.agreed and not before.ended:
            going = False
        step = step_of(screen.progress)
        if step is not None and step.kind != "consent" and not screen.progress.ended:
            assert going
            assert "measure" in screen.progress.agreed
        if screen.progress.screen != "visit":
            assert screen.progress == Progress(
                screen.progress.language, screen.progress.screen, since=screen.progress.since,
                touched=screen.progress.touched,
            )  # fmt: skip
    # everybody goes away: the screen is empty soon
    if screen.progress.thinking:
        screen.take(visit.spoken(screen.progress, "", done=True))
    for _ in range(60):
        for effect in screen.wait(30, every=5):
            going = going and not isinstance(effect, End)
        if screen.progress.thinking:
            screen.take(visit.spoken(screen.progress, "", done=True))
    assert screen.at == "welcome"
    assert not going


def well_formed(effect: Tell | Note | Told) -> None:
    """What the wire takes."""
    if isinstance(effect, Tell):
        message = Entry(Stream(SESSION, "station", "entries", "r"), 0, 0, effect.content)
        assert decode(address("k1", message), encode(message))
    if isinstance(effect, Note):
        event = Event(Stream(SESSION, "station", "events", "r"), 0, effect.event, 0, effect.detail)
        assert decode(address("k1", event), encode(event))


def test_every_step_of_every_protocol_can_be_left() -> None:
    for name, protocol in protocols.listed().items():
        screen = Screen()
        for step in protocol.steps[1:]:
            screen = Screen()
            screen.until(step.id, name)
            screen.do("leave")
            assert screen.at == "goodbye"


def test_questionnaires_of_protocols_are_there() -> None:
    asked = {step.questionnaire for each in protocols.listed().values() for step in each.steps if step.questionnaire}
    assert asked <= questionnaires().keys()
