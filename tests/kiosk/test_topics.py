"""Topics: what is written is read back, and what is not ours is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import topics
from kiosk.errors import Refused
from kiosk.topics import Topic

names = st.from_regex(topics.NAME, fullmatch=True)


@given(names, names, names)
def test_a_topic_is_read_as_it_was_written(kiosk: str, kind: str, name: str) -> None:
    topic = Topic(kiosk, kind, name)
    assert topics.parse(str(topic)) == topic


@given(names, names, names)
def test_filters_hold_for_their_topics(kiosk: str, kind: str, name: str) -> None:
    topic = str(Topic(kiosk, kind, name))
    for pattern in (
        topics.pattern(kind),
        topics.pattern(kind, kiosk=kiosk),
        topics.pattern(kind, name=name),
        topics.pattern(kind, kiosk=kiosk, name=name),
        "#",
        "kiosk/#",
        f"{topic}/#",
    ):
        assert topics.matches(pattern, topic)
    for pattern in (
        topics.pattern(f"{kind}x"),
        topics.pattern(kind, kiosk=f"{kiosk}x"),
        topics.pattern(kind, name=f"{name}x"),
        topic[:-1],
        "+",
        "kiosk/v1/+",
        f"{topic}/+",
    ):
        assert not topics.matches(pattern, topic)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "kiosk",
        "kiosk/v1/a/chunk",
        "kiosk/v1/a/chunk/ecg/more",
        "kiosk/v2/a/chunk/ecg",
        "clinic/v1/a/chunk/ecg",
        "/kiosk/v1/a/chunk/ecg",
        "kiosk/v1//chunk/ecg",
        "kiosk/v1/a/chunk/",
        "kiosk/v1/+/chunk/ecg",
        "kiosk/v1/a/#/ecg",
        "kiosk/v1/a/chunk/e cg",
        "kiosk/v1/a/chunk/ecg\n",
        "kiosk/v1/a/chunk/<b>",
        "kiosk/v1/-a/chunk/ecg",
        "kiosk/v1/../chunk/ecg",
        f"kiosk/v1/{'a' * 65}/chunk/ecg",
        "kiosk/v1/\u00e4/chunk/ecg",
        "kiosk/v1/\u0664/chunk/ecg",
    ],
)
def test_what_is_not_ours_is_refused(topic: str) -> None:
    with pytest.raises(Refused, match="bad_topic"):
        topics.parse(topic)


@given(st.text().filter(lambda text: text.count("/") != 4))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        topics.parse(text)
    assert caught.value.reason == "bad_topic"
    assert len(caught.value.detail) < 2000


def test_the_longest_name_fits() -> None:
    assert topics.parse(f"kiosk/v1/{'a' * 64}/chunk/ecg").kiosk == "a" * 64
