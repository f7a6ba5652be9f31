"""Voice, brain and all together on the clinician's pages: few lines that say what they are, the rest one click away."""

from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from analytics.registry import FUSED, LIVE_MEASURES
from api.dashboard import words
from api.store import results, sessions, utc_now
from api.store.results import Found
from api.store.sessions import Due
from kiosk.measures import BANDS, MEASURES, Reason
from kiosk.messages import SECOND, Reading
from tests.api.dashboard.clinic import Clinic, Visit

SHARES = dict(zip(BANDS, (0.412, 0.121, 0.304, 0.122, 0.041), strict=True))
_numbers = count(1)
# a busy machine may take seconds to start
expect.set_options(timeout=20_000)


@pytest.fixture
def page(browser: Browser, here: Clinic) -> Iterator[Page]:
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
    here.enter(context)
    made = context.new_page()
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert not complaints


@pytest.fixture
def visit(here: Clinic) -> Iterator[Visit]:
    made = Visit(here, f"affect-{next(_numbers)}")
    made.begin()
    yield made
    made.leave()
    here.say(made.word("ended"))


def watch(page: Page, visit: Visit) -> None:
    """Open the live page, and wait until it listens."""
    page.goto(f"{visit.clinic.address}/sessions/{visit.session}")
    expect(page.locator('[data-signal="ecg"] .lost')).to_have_text("")


def told(visit: Visit, measure: str, value: float | None, source: str, absent: str | None = None) -> Reading:
    return visit.reading(measure, value, absent=absent, device=f"analytics-{source}", source=source)


def test_a_brain_is_shares_with_their_powers_and_no_definitions(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    tiles = page.locator(".tile:visible").count()
    here.say(
        *(told(visit, f"eeg_{band}_relative", share, "eeg") for band, share in SHARES.items()),
        told(visit, "eeg_alpha", 12.34, "eeg"),
        told(visit, "eeg_alpha_peak", 10.16, "eeg"),
        told(visit, "eeg_complexity", 2.2, "eeg"),
    )
    group = page.locator("#brain")
    alpha = group.locator('[data-measure="eeg_alpha_relative"]')
    expect(alpha.locator(".figure")).to_have_text("30")
    expect(alpha.locator(".unit")).to_have_text("%")
    expect(alpha.locator(".beside")).to_have_text("12 µV²")
    assert alpha.locator(".bar span").evaluate("bar => bar.style.width") == "30%"
    expect(group.locator('[data-measure="eeg_alpha_peak"]')).to_contain_text("10.2Hz")
    expect(group.locator(".limits")).to_have_text(words.BY_NAME["brain"].limits)
    assert group.locator("li:visible").count() == len(BANDS) + 1
    # neither a line nor a tile: it is for the results
    assert page.locator('[data-measure="eeg_complexity"]').count() == 0
    assert page.locator(".tile:visible").count() == tiles


def test_a_voice_that_pauses_keeps_its_place_and_its_emotion_does_not_stay(
    page: Page, here: Clinic, visit: Visit
) -> None:
    watch(page, visit)
    group = page.locator("#voice")
    pitch = told(visit, "voice_pitch", 121.6, "voice_functionals")
    here.say(
        pitch, told(visit, "voice_anger", 0.81, "voice_scores"), told(visit, "voice_valence", -0.5, "voice_scores")
    )
    expect(group.locator(".note")).to_have_text("Sounds mostly anger")
    expect(group.locator(".from")).to_have_text("From microphone (network), microphone")
    valence = group.locator('[data-measure="voice_valence"] .bar span')
    # from the middle to the left
    assert valence.evaluate("bar => [bar.style.left, bar.style.width]") == ["25%", "25%"]
    seen = group.locator("li:visible").count()
    expect(group.locator(".note")).to_have_text("No voice reading any more")
    here.say(told(visit, "voice_pitch", 120.0, "voice_functionals"))
    expect(group.locator('[data-measure="voice_pitch"] .figure')).to_have_text("120")
    expect(group.locator('[data-measure="voice_anger"] .figure')).to_have_text("–")
    expect(group.locator(".note")).to_have_text("")
    assert group.locator("li:visible").count() == seen


def test_nobody_who_spoke_is_said(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    here.say(told(visit, "voice_pitch", None, "voice_functionals", "no_speech"))
    expect(page.locator("#voice .note")).to_have_text(words.REASONS["no_speech"])
    assert page.locator("#voice li:visible").count() == 0


def test_all_together_says_that_it_is_of_what_there_is(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    here.say(told(visit, "emotion_happiness", 0.62, "fusion"), told(visit, "arousal", 0.5, "fusion"))
    group = page.locator("#affect")
    expect(group.locator(".note")).to_have_text("Appears mostly happiness")
    expect(group.locator(".from")).to_have_text("From what there is of face, voice and body")
    here.say(told(visit, "emotion_happiness", 0.42, "fusion"))
    expect(group.locator(".note")).to_have_text("Nothing stands out")


def test_all_groups_fit_laptop_portrait_and_phone(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    lines = [line for group in words.GROUPS for line in group.lines]
    # as long as such numbers get
    here.say(*(told(visit, line.measure.name, max(-0.88, line.measure.low), "eeg") for line in lines))
    here.say(*(told(visit, line.beside.name, 1234.5, "eeg") for line in lines if line.beside))
    expect(page.locator(".together li:visible")).to_have_count(len(lines))
    expect(page.locator(".beside").first).to_have_text("1235 µV²")
    outside = """lines => lines.filter((line) => [...line.children].some((part) =>
      part.getBoundingClientRect().right > line.parentElement.getBoundingClientRect().right + 1)).length"""
    for width, height in ((1366, 768), (1080, 1920), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".together li:visible").evaluate_all(outside) == 0


def stored(here: Clinic, *found: Found) -> str:
    """The address of a closed session with these results."""
    visit = Visit(here, f"affect-{next(_numbers)}")
    visit.record(2.0)
    with here.database.transaction() as db:
        due = Due(visit.session, "complete", 0)
        assert sessions.claim(db, due, "test", utc_now())
        assert sessions.close(db, due, "test", utc_now())
        results.add(
            db, visit.session, 1, outcome="complete", version="0.1.0", context={}, beats=np.empty(0).tobytes(),
            now=utc_now(), readings=found,
        )  # fmt: skip
    return f"{here.address}/sessions/{visit.session}"


def result(
    measure: str,
    value: float | None,
    source: str,
    *,
    quality: float = 0.9,
    absent: Reason | None = None,
    note: str = "",
) -> Found:
    return Found(
        measure, value, None, None, quality, absent, source, "recording", "method-1", True, 0, 6 * SECOND, note
    )


def test_results_begin_with_a_glance_and_unfold(page: Page, here: Clinic) -> None:
    note = "Valence 0.40. Face (weight 70 %) 0.50; voice (weight 30 %) 0.20."
    page.goto(
        stored(
            here,
            result("valence", 0.4, "face_units+voice_scores", note=note),
            *(result(f"eeg_{band}_relative", share, "eeg") for band, share in SHARES.items()),
            result("eeg_alpha", 12.34, "eeg"),
            result("eeg_complexity", 2.2, "eeg", quality=0.7),
            result("voice_calm", None, "voice_scores", absent="no_trained_model"),
            result("voice_anger", 0.1, "voice_scores"),
        )
    )
    expect(page.locator("#readings tr.summary")).to_have_count(3)
    affect, voice, brain = page.locator("#readings tr.summary").all()
    expect(affect).to_contain_text(note)
    expect(affect).to_contain_text("From camera (landmarks) + microphone (network) · quality 90 % · 0:00 – 0:06")
    expect(voice).to_contain_text(f"Calm: {words.REASONS['no_trained_model']}")
    expect(brain.locator("li").nth(2)).to_have_text("Alpha30.4%12 µV²")
    complexity = page.locator('#readings tr[data-measure="eeg_complexity"]')
    expect(complexity).to_be_hidden()
    brain.get_by_role("button", name="All 7 in full").click()
    expect(complexity).to_be_visible()
    expect(page.locator('#readings tr[data-measure="eeg_alpha_relative"] .figure')).to_have_text("30.4 %")
    expect(page.locator('#readings tr[data-measure="valence"]')).to_be_hidden()
    brain.get_by_role("button", name="Less").click()
    expect(complexity).to_be_hidden()


def test_a_group_of_reasons_has_no_glance(page: Page, here: Clinic) -> None:
    page.goto(stored(here, result("voice_pitch", None, "voice_functionals", absent="no_speech")))
    row = page.locator('#readings tr[data-measure="voice_pitch"]')
    expect(row).to_be_visible()
    expect(row).to_contain_text(words.REASONS["no_speech"])
    expect(page.locator("#readings tr.summary")).to_have_count(0)


def test_what_can_come_live_of_a_group_has_a_line_there_or_is_left_to_the_results() -> None:
    # the definitional ones; powers stand beside their shares
    results_alone = {"voice_jitter", "voice_shimmer", "voice_hnr"}
    live = {name for names in LIVE_MEASURES.values() for name in names} | set(FUSED)
    for group in words.GROUPS:
        shown = {line.measure.name for line in group.lines}
        shown |= {line.beside.name for line in group.lines if line.beside}
        assert shown <= set(group.measures)
        assert (live & set(group.measures)) - shown <= results_alone, group.name
        assert {line for block in group.blocks for line in block} == set(group.lines)
        # what is written in percent is a share
        assert all(MEASURES[name].high == 1 for name in words.PERCENT)
