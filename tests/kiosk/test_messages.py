"""`decode` is the one gate: what was encoded comes back, everything else is Refused with a reason and nothing more."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk import topics
from kiosk.errors import Refused
from kiosk.measures import MEASURES
from kiosk.messages import (
    KINDS,
    MAX_PAYLOAD,
    SECOND,
    Agreed,
    Answered,
    Ask,
    Chosen,
    Chunk,
    Command,
    ConsentText,
    End,
    Entry,
    Event,
    Lost,
    Message,
    Origin,
    Person,
    Reading,
    Receipt,
    Refusal,
    Results,
    Said,
    Session,
    Setup,
    Shown,
    Status,
    Stream,
    address,
    check,
    decode,
    encode,
    header,
)
from kiosk.signals import SIGNALS, Signal
from tests.kiosk.examples import EXAMPLES, KIOSK, REASONS, plain, refusal, spoilt

names = st.from_regex(topics.NAME, fullmatch=True)
seqs = st.integers(0, 2**53)
time_limits = (-3600 * SECOND, 40 * 86_400 * SECOND)
times = st.integers(*time_limits)
letters = st.characters(codec="utf-8", exclude_characters="\0")
texts = st.text(letters, max_size=500)
lines = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=100)
shorts = st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)
languages = st.from_regex(r"[a-z]{2}", fullmatch=True)
floats32 = st.floats(width=32, allow_nan=True, allow_infinity=False)
leaving = st.sampled_from([signal for signal in SIGNALS.values() if signal.leaves])
streams = st.builds(Stream, names, names, names, names)


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    """Any chunk within its signal's channels, rate and budget."""
    signal = draw(leaving)
    regular = signal.rates is not None and (not signal.irregular or draw(st.booleans()))
    channels = draw(channel_names(signal))
    row = 4 * len(channels)
    if regular:
        assert signal.rates is not None
        slowest, fastest = signal.rates
        rate = draw(st.floats(slowest, min(fastest, signal.budget / row)))
        count, offsets = draw(st.integers(1, 20)), None
    else:
        rate = None
        count = draw(st.integers(1, max(1, min(20, signal.budget // (row + 4)))))
        steps = draw(st.lists(st.integers(1, 10**6), min_size=count - 1, max_size=count - 1))
        offsets = np.concatenate(([0], np.cumsum(steps, dtype=np.int64))).astype("<i4").tobytes()
    values = draw(st.lists(floats32, min_size=count * len(channels), max_size=count * len(channels)))
    samples = np.array(values, dtype="<f4").tobytes()
    stream = Stream(draw(names), draw(names), signal.name, draw(names))
    return Chunk(stream, draw(seqs), draw(times), rate, channels, samples, offsets)


def channel_names(signal: Signal) -> st.SearchStrategy[tuple[str, ...]]:
    if signal.channels is not None:
        return st.just(signal.channels)
    letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    texts = st.text(letters, min_size=1, max_size=32)
    return st.lists(texts, min_size=1, max_size=min(signal.most_channels, 4), unique=True).map(tuple)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    measure = draw(st.sampled_from(list(MEASURES.values())))
    start, end = sorted((draw(times), draw(times)))
    absent = draw(st.none() | names)
    low, value, high = sorted(draw(st.lists(st.floats(measure.low, measure.high), min_size=3, max_size=3)))
    interval = absent is None and draw(st.booleans())
    return Reading(
        draw(streams),
        draw(seqs),
        measure.name,
        value if absent is None else None,
        draw(names),
        draw(st.sampled_from(["live", "spot"])),
        draw(st.text(letters, max_size=80)),
        start,
        end,
        low if interval else None,
        high if interval else None,
        draw(st.none() | st.floats(0, 1)),
        absent,
    )


@st.composite
def shown(draw: st.DrawFn) -> Shown:
    measure = draw(st.sampled_from(list(MEASURES.values())))
    absent = draw(st.none() | names)
    value = draw(st.floats(measure.low, measure.high)) if absent is None else None
    return Shown(measure.name, value, absent=absent, usual=draw(st.none() | st.tuples(st.just(1.0), st.just(2.0))))


contents = st.one_of(
    st.builds(Chosen, names, shorts, languages),
    st.builds(Agreed, st.lists(names, min_size=1, max_size=4).map(tuple), shorts, languages),
    st.builds(
        Person,
        st.none() | shorts,
        st.none() | lines,
        st.none() | lines,
        st.none() | st.integers(1880, 2200),
        st.sampled_from([None, "female", "male"]),
    ),
    st.builds(Answered, names, shorts, languages, st.dictionaries(names, st.integers(-1000, 1000), max_size=5)),
    st.builds(Said, st.sampled_from(["visitor", "assistant"]), languages, st.text(letters, min_size=1, max_size=400)),
)
lost = st.tuples(seqs, seqs).map(sorted).flatmap(lambda pair: st.builds(Lost, streams, *map(st.just, pair), names))
clocks = st.integers(0, 2**63 - 1)
messages: st.SearchStrategy[Message] = st.one_of(
    chunks(),
    readings(),
    st.builds(Event, streams, seqs, names, times, texts),
    st.builds(Entry, streams, seqs, times, contents),
    st.builds(Ask, names),
    st.builds(
        Results,
        names,
        st.sampled_from(["waiting", "ready", "refused"]),
        st.none() | shorts,
        st.none() | texts.map(lambda text: text[:400]),
        st.none() | st.integers(0, 2**63 - 1),
        st.lists(shown(), max_size=4).map(tuple),
    ),
    st.builds(Setup, texts, st.lists(st.builds(ConsentText, shorts, languages, texts), max_size=2).map(tuple)),
    st.builds(
        Session,
        streams,
        seqs,
        st.sampled_from(["open", "ended"]),
        st.builds(Origin, clocks, clocks, names),
        st.none() | times,
        st.lists(streams, max_size=5).map(tuple),
        st.booleans(),
    ),
    st.builds(End, streams, st.integers(-1, 2**53)),
    lost,
    st.builds(
        Receipt,
        streams,
        st.integers(-1, 2**53),
        st.booleans(),
        st.lists(st.builds(Refusal, seqs, names), max_size=5).map(tuple),
    ),
    st.builds(
        Status,
        names,
        st.sampled_from(["starting", "running", "failed", "stopped", "gone"]),
        st.booleans(),
        texts,
        st.none() | names,
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        seqs,
        seqs,
        st.none() | names,
    ),
    st.builds(Command, names, st.sampled_from(["start", "stop", "cancel", "calibrate"]), names),
)


@given(messages)
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    payload = encode(message)
    where, decoded = decode(address(KIOSK, message), payload)
    # NaN is equal to nothing, so that chunks are compared as bytes
    assert decoded == message
    assert encode(decoded) == payload
    assert (where.kiosk, where.name) == (KIOSK, message.name)
    assert KINDS[where.kind].shape is type(message)
    assert len(payload) <= MAX_PAYLOAD


@given(chunks())
def test_samples_and_times_come_back_bit_for_bit(chunk: Chunk) -> None:
    _, decoded = decode(address(KIOSK, chunk), encode(chunk))
    assert isinstance(decoded, Chunk)
    assert decoded.samples == chunk.samples
    assert decoded.values().shape == (chunk.count, len(chunk.channels))
    moments = decoded.times()
    assert moments.dtype == np.int64
    assert len(moments) == chunk.count
    assert moments[0] == chunk.start
    assert (np.diff(moments) > 0).all()


@given(messages, st.data())
def test_a_truncated_payload_is_malformed(message: Message, data: st.DataObject) -> None:
    payload = encode(message)
    cut = data.draw(st.integers(0, len(payload) - 1))
    assert refusal(address(KIOSK, message), payload[:cut]).reason == "malformed"


@settings(max_examples=500)
@given(messages, st.data())
def test_a_flipped_byte_is_refused_or_another_good_message(message: Message, data: st.DataObject) -> None:
    payload = bytearray(encode(message))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        _, decoded = decode(address(KIOSK, message), bytes(payload))
    except Refused:
        return
    # no checksum: a digit may become another digit. What passes is well formed all the same.
    check(decoded)
    assert decoded.name == message.name


@settings(max_examples=300)
@given(st.binary(max_size=400), st.sampled_from(list(EXAMPLES.values())))
def test_noise_is_refused(payload: bytes, message: Message) -> None:
    refusal(address(KIOSK, message), payload)
    assert header(payload) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=500)
@given(st.sampled_from(list(EXAMPLES)), json_values, st.data())
def test_any_value_in_any_field_is_taken_or_refused(kind: str, value: Any, data: st.DataObject) -> None:
    message = plain(EXAMPLES[kind])
    message[data.draw(st.sampled_from(sorted(message)))] = value
    topic, payload = address(KIOSK, EXAMPLES[kind]), json.dumps(message).encode("utf-8", "surrogatepass")
    try:
        check(decode(topic, payload)[1])
    except Refused as refused:
        assert REASONS.fullmatch(refused.reason)  # noqa: PT017


@given(chunks(), st.data())
def test_stream_and_seq_are_known_of_what_was_cut_off_behind_them(chunk: Chunk, data: st.DataObject) -> None:
    payload = encode(chunk)
    behind = payload.index(b'"start"')
    cut = payload[: data.draw(st.integers(behind, len(payload)))]
    found = header(cut)
    if chunk.seq < 10**15:
        assert found is not None
        assert (found.stream, found.seq) == (chunk.stream, chunk.seq)
    assert header(payload[: behind - 2]) is None


@given(chunks(), st.integers(0, 400), st.integers(0, 255))
def test_a_broken_header_is_not_invented(chunk: Chunk, place: int, byte: int) -> None:
    payload = bytearray(encode(chunk))
    payload[min(place, len(payload) - 1)] = byte
    found = header(bytes(payload))
    if found is not None:
        assert 0 <= found.seq <= 2**53
        stream = found.stream
        assert all(map(topics.NAME.fullmatch, (stream.session, stream.device, stream.signal, stream.run)))


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_of_later_versions_do_no_harm(kind: str) -> None:
    topic, payload = spoilt(kind, {"invented_later": {"x": [1]}})
    assert decode(topic, payload)[1] == EXAMPLES[kind]


def test_measurements_are_never_retained() -> None:
    assert {kind for kind, wire in KINDS.items() if wire.retain} == {"session", "setup", "status"}
    assert {kind for kind, wire in KINDS.items() if wire.qos == 0} == {"chunk"}


@given(messages, st.data())
def test_a_message_that_was_damaged_on_its_way_is_never_taken_for_another(
    message: Message, data: st.DataObject
) -> None:
    topic, payload = address(KIOSK, message), bytearray(encode(message))
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    payload[bit // 8] ^= 1 << bit % 8
    try:
        _, got = decode(topic, bytes(payload))
    except Refused:
        return
    # the flip hit the seal's own name, and nothing else
    assert got == message


def test_a_sender_may_leave_the_seal_out() -> None:
    message = EXAMPLES["chunk"]
    payload = encode(message)
    assert payload.count(b'"crc"') == 1
    bare = payload.partition(b',"crc"')[0] + b"}"
    assert decode(address(KIOSK, message), bare)[1] == message
