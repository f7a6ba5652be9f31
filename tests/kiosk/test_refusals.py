"""What `decode` refuses, with which reason, and what is known of it all the same."""

import base64
from typing import Any

import pytest

from kiosk.messages import KINDS, MAX_PAYLOAD, MAX_REFUSED, SECOND, address, decode, encode, header
from kiosk.signals import VOICE_CHANNELS
from tests.kiosk.examples import EXAMPLES, KIOSK, floats, ints, plain, refusal, spoilt


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("chunk", {"seq": -1}, "bad_seq"),
        ("chunk", {"seq": 2**53 + 1}, "bad_seq"),
        ("chunk", {"seq": 1.5}, "bad_seq"),
        ("chunk", {"seq": None}, "bad_seq"),
        ("event", {"seq": -1}, "bad_seq"),
        ("reading", {"seq": -1}, "bad_seq"),
        ("session", {"seq": -1}, "bad_seq"),
        ("chunk", {"stream.signal": "aura"}, "unknown_signal"),
        ("chunk", {"stream.signal": "audio"}, "must_not_leave"),
        ("chunk", {"stream.signal": "image"}, "must_not_leave"),
        ("chunk", {"stream.signal": "voice_frames"}, "must_not_leave"),
        ("chunk", {"stream.signal": "landmarks"}, "must_not_leave"),
        ("chunk", {"stream.signal": "embedding"}, "must_not_leave"),
        ("chunk", {"stream.signal": "acceleration"}, "wrong_channels"),
        ("chunk", {"channels": ["I", "I"]}, "wrong_channels"),
        ("chunk", {"channels": [f"V{number}" for number in range(16)]}, "wrong_channels"),
        ("chunk", {"channels": []}, "malformed"),
        ("chunk", {"channels": [""]}, "malformed"),
        ("chunk", {"channels": ["I\n"]}, "malformed"),
        ("chunk", {"channels": ["I" * 33]}, "malformed"),
        ("chunk", {"rate": 49.9}, "wrong_rate"),
        ("chunk", {"rate": 4001}, "wrong_rate"),
        ("chunk", {"rate": None}, "wrong_rate"),
        ("chunk", {"rate": 0}, "malformed"),
        ("chunk", {"rate": -250}, "malformed"),
        ("chunk", {"rate": "250"}, "malformed"),
        ("chunk", {"samples": ""}, "wrong_length"),
        ("chunk", {"samples": base64.b64encode(b"12345").decode()}, "wrong_length"),
        ("chunk", {"samples": "not base64!"}, "malformed"),
        ("chunk", {"channels": ["I", "II"]}, "wrong_length"),
        ("chunk", {"offsets": ints(0, 1, 2, 3, 4)}, "wrong_length"),
        ("chunk", {"samples": floats(1, float("inf"))}, "not_finite"),
        ("chunk", {"samples": floats(float("-inf"), float("nan"))}, "not_finite"),
        ("chunk", {"start": 41 * 86_400 * SECOND}, "malformed"),
        ("chunk", {"start": -3601 * SECOND}, "malformed"),
        ("chunk", {"kind": "reading"}, "malformed"),
        ("chunk", {"stream.session": "a/b"}, "malformed"),
        ("chunk", {"stream.run": ""}, "malformed"),
        ("chunk", {"stream.session": "s-1\n"}, "malformed"),
        ("status", {"command": "c-1\n"}, "malformed"),
        ("chunk", {"stream.person": "Jane"}, "malformed"),
        ("chunk", {"stream.signal": "ppg"}, "misaddressed"),
        ("reading", {"measure": "karma"}, "unknown_measure"),
        ("reading", {"measure": "diastolic"}, "misaddressed"),
        ("reading", {"absent": "noisy"}, "value_or_reason"),
        ("reading", {"value": None}, "value_or_reason"),
        ("reading", {"value": 1e9}, "impossible_value"),
        ("reading", {"value": -1}, "impossible_value"),
        ("reading", {"low": 100}, "half_interval"),
        ("reading", {"high": 130}, "half_interval"),
        ("reading", {"low": 122, "high": 130}, "bad_interval"),
        ("reading", {"low": 130, "high": 100}, "bad_interval"),
        ("reading", {"value": None, "absent": "noisy", "low": 1, "high": 2}, "bad_interval"),
        ("reading", {"end": -1}, "out_of_order"),
        ("reading", {"quality": 1.01}, "malformed"),
        ("reading", {"scope": "final"}, "malformed"),
        ("event", {"event": "other"}, "misaddressed"),
        ("event", {"detail": "x" * 501}, "malformed"),
        ("lost", {"first": 200}, "out_of_order"),
        ("end", {"last": -2}, "malformed"),
        ("receipt", {"upto": -2}, "malformed"),
        ("receipt", {"refused": [[0, "bad_seq"]] * (MAX_REFUSED + 1)}, "malformed"),
        ("receipt", {"refused": [[0]]}, "malformed"),
        ("session", {"state": "closed"}, "malformed"),
        ("session", {"origin.utc": 2**63}, "malformed"),
        ("status", {"state": "bored"}, "malformed"),
        ("status", {"lost": -1}, "malformed"),
        ("command", {"action": "explode"}, "malformed"),
        ("command", {"device": "camera"}, "misaddressed"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(kind: str, changes: dict[str, Any], reason: str) -> None:
    assert refusal(*spoilt(kind, changes)).reason == reason


IRREGULAR: dict[str, Any] = {"rate": None, "channels": ["I"], "stream.signal": "rr"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"samples": floats(800, 790), "offsets": None}, "wrong_length"),
        ({"samples": floats(800, 790), "offsets": ints(0)}, "wrong_length"),
        ({"samples": floats(800, 790), "offsets": ints(1, 2)}, "out_of_order"),
        ({"samples": floats(800, 790), "offsets": ints(0, 0)}, "out_of_order"),
        ({"samples": floats(800, 790, 795), "offsets": ints(0, 5, 4)}, "out_of_order"),
        ({"samples": floats(800, 790), "offsets": ints(0, -5)}, "out_of_order"),
        # 200 bytes a second are 25 intervals with their times
        ({"samples": floats(*[30] * 26), "offsets": ints(*range(26))}, "over_budget"),
    ],
)
def test_times_of_their_own_must_make_sense(changes: dict[str, Any], reason: str) -> None:
    _, payload = spoilt("chunk", {**IRREGULAR, **changes})
    assert refusal(f"kiosk/v1/{KIOSK}/chunk/rr", payload).reason == reason


def test_nothing_bigger_is_smuggled_under_a_harmless_name() -> None:
    # 15 leads at 4 kHz fit into the budget of ecg; the same name may not carry more
    leads = [f"V{number}" for number in range(15)]
    wave = base64.b64encode(bytes(4 * 15 * 40)).decode()
    topic, payload = spoilt("chunk", {"channels": leads, "rate": 4000, "samples": wave})
    decode(topic, payload)
    voice = {"stream.signal": "voice_functionals", "rate": None, "channels": list(VOICE_CHANNELS)}
    wide = 4 * len(VOICE_CHANNELS)
    spectra = {"samples": base64.b64encode(bytes(wide * 50)).decode(), "offsets": ints(*range(0, 10**6, 20_000))}
    _, payload = spoilt("chunk", {**voice, **spectra})
    assert refusal(f"kiosk/v1/{KIOSK}/chunk/voice_functionals", payload).reason == "over_budget"


@pytest.mark.parametrize("kind", KINDS)
def test_an_oversized_payload_is_refused_unread(kind: str) -> None:
    topic = address(KIOSK, EXAMPLES[kind])
    assert refusal(topic, encode(EXAMPLES[kind]) + b" " * MAX_PAYLOAD).reason == "oversized"
    assert refusal(topic, bytes(MAX_PAYLOAD + 1)).reason == "oversized"
    # spaces are no content: up to the limit they harm nobody
    decode(topic, encode(EXAMPLES[kind]).ljust(MAX_PAYLOAD))


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("kiosk/v1/kiosk-1/gossip/ecg", "unknown_kind"),
        ("kiosk/v1/kiosk-1/chunk", "bad_topic"),
        ("kiosk/v1/kiosk-1/event/ecg", "malformed"),
        ("kiosk/v1/kiosk-1/chunk/ppg", "misaddressed"),
    ],
)
def test_a_message_on_a_foreign_topic_is_refused(topic: str, reason: str) -> None:
    assert refusal(topic, encode(EXAMPLES["chunk"])).reason == reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"0",
        b'"chunk"',
        b"\xff\xfe",
        b'{"kind":"chunk"}',
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b'{"seq":' + b"9" * 5000 + b"}",
        b'{"seq":1e999999}',
        b'{"stream":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"x":' + b'{"x":' * 20_000 + b"0" + b"}" * 20_001,
        b'{"kind":"chunk","kind":"reading"}',
        b'{"\xed\xa0\x80":1}',
    ],
    ids=range(16),
)
def test_hostile_payloads_are_malformed_and_nothing_worse(kind: str, payload: bytes) -> None:
    topic = address(KIOSK, EXAMPLES[kind])
    assert refusal(topic, payload).reason in ("malformed", "bad_seq")
    assert header(payload) is None


@pytest.mark.parametrize("number", ["1e400", "9" * 400, "-" + "9" * 400, "1e-400", "NaN", "Infinity", "0x10", "1_0"])
@pytest.mark.parametrize("field", ["seq", "start", "rate"])
def test_numbers_that_are_none_of_ours_are_refused(number: str, field: str) -> None:
    topic, payload = spoilt("chunk", {field: "HERE"})
    refusal(topic, payload.replace(b'"HERE"', number.encode()))


@pytest.mark.parametrize("kind", ["chunk", "reading", "event", "session"])
@pytest.mark.parametrize(
    "changes",
    [
        {"stream.signal": "aura"},
        {"start": "never", "end": "never", "time": "never", "origin": 3},
        {"rate": -1, "value": "many", "detail": 7, "state": "closed"},
        {"kind": "rumour"},
        {"channels": None, "measure": "karma", "event": "", "state": 1},
    ],
)
def test_stream_and_seq_are_known_of_what_is_refused(kind: str, changes: dict[str, Any]) -> None:
    _, payload = spoilt(kind, changes)
    found = header(payload)
    original = plain(EXAMPLES[kind])
    assert found is not None
    assert found.seq == original["seq"]
    assert found.stream.run == original["stream"]["run"]


def test_a_header_with_a_hidden_line_end_is_none() -> None:
    _, payload = spoilt("chunk", {"stream.session": "s-1\n"})
    assert header(payload) is None


SECRET = "Jane-Doe-1970"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("chunk", {"kind": SECRET}),
        ("chunk", {"seq": SECRET}),
        ("chunk", {"start": SECRET}),
        ("chunk", {"samples": f"!{SECRET}!"}),
        ("chunk", {"channels": [f"{SECRET}\n"]}),
        ("chunk", {"channels": [SECRET, SECRET]}),
        ("chunk", {"stream": {SECRET: SECRET}}),
        ("chunk", {f"stream.{SECRET}": 1}),
        ("reading", {"scope": SECRET}),
        ("reading", {"value": SECRET}),
        ("reading", {"value": 19700101.25}),
        ("reading", {"measure": f"{SECRET}!"}),
        ("event", {"detail": SECRET * 50}),
        ("event", {"event": f"{SECRET}/"}),
        ("session", {"state": SECRET}),
        ("status", {"state": f"it's '{SECRET}' here"}),
        ("status", {"detail": [SECRET]}),
        ("command", {"action": f"{SECRET}\n{SECRET}"}),
        ("command", {"action": f"'{SECRET}'\n'{SECRET}'"}),
        ("chunk", {f"stream.`{SECRET}`\n`{SECRET}": 1}),
    ],
)
def test_a_refusal_never_quotes_what_was_sent(kind: str, changes: dict[str, Any]) -> None:
    refused = refusal(*spoilt(kind, changes))
    assert SECRET not in str(refused)
    assert "19700101" not in str(refused)
    # an error that is logged brings its causes with it
    assert refused.__cause__ is None
    assert refused.__context__ is None or refused.__suppress_context__
