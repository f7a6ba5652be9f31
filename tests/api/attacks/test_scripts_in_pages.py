"""Whatever is written into a field is text on every page: no script of it runs, no element of it is made."""

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.api.attacks import in_pages
from tests.api.attacks.in_pages import PAYLOADS
from tests.api.attacks.siege import Target
from tests.api.dashboard.clinic import Clinic

_numbers = count(1)
expect.set_options(timeout=20_000)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1366, "height": 900}, locale="en-GB")
    yield made
    made.close()


@pytest.mark.parametrize("payload", PAYLOADS, ids=[f"payload-{index}" for index in range(len(PAYLOADS))])
def test_no_page_runs_or_builds_what_was_written(context: BrowserContext, here: Clinic, payload: str) -> None:
    watched = in_pages.seen_by(context, here, in_pages.poisoned(here, payload, f"xss-{next(_numbers)}"))
    assert not watched.evidence
    # the test looked where the text is shown, or it would prove nothing
    assert watched.shown >= in_pages.LEAST_SHOWN, watched.shown


def test_no_page_is_written_with_markup_from_outside(target: Target) -> None:
    assert not in_pages.written_pages(target)


APPENDED = "element.append(...children.filter((child) => child !== null));"
PARSED = """for (const child of children) {
  if (typeof child === "string") element.insertAdjacentHTML("beforeend", child);
  else if (child !== null) element.append(child);
}"""


@pytest.mark.parametrize("policy", [True, False], ids=["with-its-policy", "without-its-policy"])
def test_a_build_whose_pages_parse_text_is_broken_into(context: BrowserContext, here: Clinic, policy: bool) -> None:
    def parse(route: Route) -> None:
        answer = route.fetch()
        script = answer.text()
        assert APPENDED in script
        route.fulfill(response=answer, body=script.replace(APPENDED, PARSED))

    def free(route: Route) -> None:
        answer = route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
        route.fulfill(response=answer, headers=headers)

    context.route("**/js/elements.js", parse)
    if not policy:
        context.route(f"{here.address}/sessions/*", free)
    what = in_pages.poisoned(here, PAYLOADS[0], f"xss-{next(_numbers)}")
    watched = in_pages.seen_by(context, here, what, live=False, elsewhere=False)
    assert any("strange elements" in each for each in watched.evidence)
    # the policy is the second wall: what was let through the first one does not run
    assert any("dialog" in each for each in watched.evidence) is not policy
    assert any("Content Security" in each for each in watched.evidence) is policy
