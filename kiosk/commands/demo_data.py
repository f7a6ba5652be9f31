"""`kiosk demo-data`: a believable clinic of invented people, so that a newcomer sees the product full, at once."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.commands.running import FAILED, load_settings
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from api.store import Database
    from kiosk.settings import Settings

app = typer.Typer()

MOST_AGAIN = 100
"""Clinics that may be added to each other."""
ACTION = "demonstration.write"
"""As the audit has it."""


class Refused(KioskError):
    """Something real is there."""


@app.command("demo-data")
def demo_data(
    people: Annotated[int, typer.Option(min=1, max=2000, help="How many.")] = 60,
    months: Annotated[int, typer.Option(min=1, max=120, help="How long they have been coming.")] = 18,
    seed: Annotated[int, typer.Option(help="The same seed makes the same clinic.")] = 1,
    full_sessions: Annotated[int, typer.Option(min=0, max=100, help="Visits with all their signals.")] = 12,
    longest: Annotated[float, typer.Option(min=60.0, help="No visit takes more seconds.")] = 86_400.0,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day; today where none is said.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Add another such clinic to one that is there.")] = False,
) -> None:
    """Fill the database with a clinic that never was: people, visits, notes, alerts. Everything is simulated.

    A database that holds one session of a real person is refused.
    """
    from api.store import Database, StoreError, utc_now

    settings = load_settings()
    database = None
    try:
        database = Database.to(settings)
        database.migrate()
        end = datetime.fromtimestamp(utc_now() // 60_000_000_000 * 60, UTC)
        if until is not None:
            end = min(end, until.replace(tzinfo=UTC) + timedelta(hours=18))
        fill(
            database, settings, people=people, months=months, seed=seed, full=full_sessions, longest=longest,
            until=end, again=again,
            say=lambda line: typer.echo(f"  {line}", err=True),
        )  # fmt: skip
    except KioskError as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None
    except StoreError as error:
        # its text would hold parameters
        typer.echo(f"kiosk: the database failed: {type(error).__name__}", err=True)
        raise typer.Exit(FAILED) from None
    finally:
        if database is not None:
            database.close()


def fill(
    database: "Database",
    settings: "Settings",
    *,
    people: int,
    months: int,
    seed: int,
    full: int,
    longest: float,
    until: datetime,
    again: bool,
    say: Callable[[str], None],
) -> None:
    """Make the clinic and say what is there; nothing where it is there already, unless another is wanted."""
    from api import audit
    from api.demo import care, writing
    from api.demo.people import cast
    from api.login import demo
    from api.store import demonstration
    from kiosk.commands.demo import visits
    from kiosk.commands.demo.templates import made

    begun = time.monotonic()
    with database.reading() as db:
        if count := demonstration.measured(db):
            raise Refused(f"{count} sessions here are not simulated: invented people go into a database of their own")
    kiosks = (settings.id, *(f"demo-kiosk-{number}" for number in (2, 3, 4)))
    number, present = _place(database, lambda number: writing.Plan(seed * MOST_AGAIN + number, months, until, kiosks))
    if present and not again:
        say("the invented clinic is there already; --again adds another one")
        return
    plan = writing.Plan(seed * MOST_AGAIN + number, months, until, kiosks)
    members = cast(people, plan.seed)
    last = round(until.timestamp()) * 1_000_000_000
    audit.note(
        database,
        audit.Entry(audit.CLI, audit.NO_ROLE, ACTION, "patient", detail={"count": people, "seed": seed}),
    )
    demo.make_logins(database, settings.data)
    with database.transaction() as db:
        care.write_kiosks(db, plan, last)
        care.write_rules(db, plan, last - round(plan.days * 1.1) * care.DAY)
        for member in members:
            first = care.first_visit(plan, member) or last
            writing.write_patient(db, plan, member, now=first)
            care.write_consents(db, plan, member, first)
    say(f"{people} people in {time.monotonic() - begun:.0f} s")
    scenes = visits.planned(plan, members, full, longest=longest)
    templates = made(plan.seed, longest=longest)
    skip = frozenset(scenes)
    total = sum(writing.write_visits(database, plan, member, templates, skip=skip) for member in members)
    say(f"{total} visits, readings only, in {time.monotonic() - begun:.0f} s")
    closed = visits.record_all(database, settings, plan, scenes)
    say(f"{closed} visits with signals in {time.monotonic() - begun:.0f} s")
    noted = reviewed = 0
    for member in members:
        with database.transaction() as db:
            notes, reviews = care.write_care(db, plan, member, last)
        noted, reviewed = noted + notes, reviewed + reviews
    with database.transaction() as db:
        raised, left = care.see_to_alerts(db, last)
    # the first that has come often enough
    twins = int(any(care.merge_twin(database, plan, member) for member in members[12:]))
    say(f"{noted} notes, {reviewed} reviews, {raised} alerts ({left} open), {twins} records made one of two")
    say(f"done in {time.monotonic() - begun:.0f} s; everything is invented, and marked simulated")


def _place(database: "Database", plan: "Callable[[int], object]") -> tuple[int, bool]:
    """Where the next clinic goes, and whether one stands already. What was erased does not come back."""
    from api.demo.people import Member
    from api.demo.writing import Plan
    from api.store import patients

    somebody = Member(0, "", "", "female", 40, "stable", "monthly", 0, 0.0, 0)
    present = False
    for number in range(MOST_AGAIN):
        each = plan(number)
        assert isinstance(each, Plan)
        name = each.patient(somebody)
        with database.reading() as db:
            there = patients.get(db, name) is not None
        present = present or there
        if not there and not database.vault.is_erased("patient", name):
            return number, present
    raise Refused(f"{MOST_AGAIN} invented clinics are enough")
