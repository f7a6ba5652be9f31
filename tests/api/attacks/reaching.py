"""Attacks on what is somebody else's: other clinics' ids, other people's notes, what is gone, stolen keys."""

import secrets
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from api.security import Role
from api.tables import NoteRow
from tests.api import staff
from tests.api.attacks.feeding import operations
from tests.api.attacks.siege import THEIRS, THINGS, Evidence, Target
from tests.api.world import FOREIGN, OWN

MANY = 40


def foreign_ids_in_bodies(target: Target) -> Evidence:
    """Ids of another clinic where a body names things: the path is one's own, and so the matrix does not see it."""
    found: Evidence = []
    session, patient = THINGS["session"], THINGS["patient"]
    tried: list[tuple[str, str, Role, dict[str, Any]]] = [
        ("PATCH", f"/api/v1/sessions/{session}", Role.CLINICIAN, {"patient_id": THEIRS["patient"]}),
        ("POST", f"/api/v1/patients/{patient}/merge", Role.CLINICIAN, {"into": THEIRS["patient"]}),
        ("POST", "/api/v1/rules", Role.CLINICIAN,
         {"measure": "heart_rate", "high": 100, "severity": "notice", "patient_id": THEIRS["patient"]}),
        ("POST", "/api/v1/users", Role.ADMINISTRATOR, {"login": "spy", "role": "clinician", "clinic": FOREIGN}),
        ("POST", "/api/v1/keys", Role.ADMINISTRATOR, {"name": "spy", "role": "integrator", "clinic": FOREIGN}),
        ("POST", f"/api/v1/patients/{patient}/consents", Role.CLINICIAN,
         {"purpose": "share", "text_version": "2026-1", "language": "en", "session_id": THEIRS["session"]}),
        ("PATCH", f"/api/v1/users/{THINGS['user']}", Role.ADMINISTRATOR, {"clinic": FOREIGN}),
    ]  # fmt: skip
    for method, path, role, body in tried:
        answer = target.ask(method, path, role, json=body)
        found += [f"{method} {path} {body}: {answer.text[:80]}"] if answer.status_code < 300 else []
    return found


def foreign_ids_in_queries(target: Target) -> Evidence:
    """Filters that name what belongs to another clinic, and lists that are asked for by its own people's places."""
    found: Evidence = []
    kinds = {"patient": "patient", "patient_id": "patient", "subject": "patient", "session_id": "session",
             "encounter": "session", "kiosk": "kiosk", "_id": "session", "target": "session"}  # fmt: skip
    for operation in operations(target):
        for name in operation.query:
            if operation.method != "GET" or name not in kinds or operation.role is Role.AUDITOR:
                continue
            wanted = {name: THEIRS[kinds[name]]}
            answer = target.ask("GET", operation.address(), operation.role, params=wanted)
            said = answer.json() if answer.status_code == 200 else {}
            if said.get("items") or said.get("entry"):
                found.append(f"{operation.path} {wanted}: {answer.text[:100]}")
    return found


def foreign_lists(target: Target) -> Evidence:
    """Lists, pages and sockets: whether anything of another clinic is in them."""
    found: Evidence = []
    for operation in operations(target):
        if operation.method == "GET" and not operation.path.endswith("openapi.json"):
            answer = target.ask("GET", operation.address(), operation.role)
            found += [f"{operation.path}"] if FOREIGN in answer.text else []
    page = target.ask("GET", "/sessions", headers={"accept": "text/html"})
    found += ["/sessions"] if FOREIGN in page.text or page.status_code != 200 else []
    page = target.ask("GET", f"/sessions/{THEIRS['session']}", headers={"accept": "text/html"})
    return found + ([] if page.status_code == 404 else ["the page of a foreign session"])


def foreign_paths(target: Target) -> Evidence:
    """Every operation that names something, with another clinic's id; told apart from what is nowhere."""
    found: Evidence = []
    for operation in operations(target):
        names = [each for each in operation.parameters if each in THEIRS and each not in ("signal", "questionnaire")]
        names = [each for each in names if each not in ("version", "provider")]
        if not names:
            continue
        absent = {each: f"{each[0]}-{secrets.token_hex(8)}" for each in names}
        theirs = {each: THEIRS[each] for each in names}
        told = []
        for things in (theirs, absent):
            answer = target.ask(operation.method, operation.address(**things), operation.role, json=operation.body)
            said = answer.text
            for each in things.values():
                said = said.replace(each, "")
            told.append((answer.status_code, said))
        # an upload is no JSON, and is refused before
        if told[0] != told[1] or told[0][0] < 300:
            found.append(f"{operation.method} {operation.path}: {told[0][0]} {told[1][0]} {told[0][1][:60]}")
    return found


def another_persons_note(target: Target) -> Evidence:
    """A colleague's note, changed or deleted by somebody of the same clinic and role."""
    note = f"/api/v1/notes/{THINGS['note']}"
    found = [
        f"{method} of a colleague's note"
        for method in ("PUT", "DELETE")
        if target.ask(method, note, json={"text": "forged"}).status_code < 300
    ]
    with target.database.reading() as db:
        return found if db.get(NoteRow, THINGS["note"]) is not None else [*found, "the note is gone"]


def guessed_ids(target: Target) -> Evidence:
    """Whether ids that are made one after the other let the next one be guessed."""
    headers = target.headers()
    made = [target.client.post("/api/v1/patients", json={}, headers=headers).json()["id"] for _ in range(MANY)]
    numbers = [int(each.partition("-")[2], 16) for each in made]
    steps = {after - before for before, after in pairwise(numbers)}
    found = [] if len(steps) == MANY - 1 and len(set(numbers)) == MANY else ["ids follow each other"]
    # of random 64 bits, 40 lie all within a half with a chance of 2**-39
    spread = max(numbers) - min(numbers)
    return found + ([] if spread > 2**62 else ["ids lie close together"])


def merged_and_erased(target: Target) -> Evidence:
    """What is asked for by the id of a patient who was merged, or erased."""
    found: Evidence = []
    headers = target.headers()
    first, second = (target.client.post("/api/v1/patients", json={}, headers=headers).json()["id"] for _ in range(2))
    target.client.put(f"/api/v1/patients/{first}/identity", json={"family": "Doppelmayr"}, headers=headers)
    target.client.post(f"/api/v1/patients/{first}/merge", json={"into": second}, headers=headers)
    for path in (f"{first}/identity", f"{first}/notes", f"{first}/trends?measures=heart_rate"):
        answer = target.client.get(f"/api/v1/patients/{path}", headers=headers)
        found += [f"merged: {path}: {answer.text[:60]}"] if answer.status_code == 200 else []
    erased = target.ask("DELETE", f"/api/v1/patients/{second}", Role.ADMINISTRATOR)
    assert erased.status_code in (200, 202, 204), erased.text
    for gone in (first, second):
        for operation in operations(target):
            if "patient" in operation.parameters and operation.method == "GET":
                answer = target.ask("GET", operation.address(patient=gone), operation.role)
                told = "Doppelmayr" in answer.text or (answer.status_code == 200 and "/fhir/" not in operation.path)
                found += [f"erased: {operation.path} {answer.status_code}"] if told else []
    return found


def every_action_of_every_role(target: Target) -> Evidence:
    """The most that each role must not do."""
    tried = {
        Role.OPERATOR: ("GET", f"/api/v1/sessions/{THINGS['session']}/readings"),
        Role.RESEARCHER: ("GET", f"/api/v1/patients/{THINGS['patient']}/identity"),
        Role.INTEGRATOR: ("GET", f"/api/v1/sessions/{THINGS['session']}/notes"),
        Role.ADMINISTRATOR: ("GET", f"/api/v1/sessions/{THINGS['session']}/readings"),
        Role.AUDITOR: ("GET", f"/api/v1/patients/{THINGS['patient']}"),
        Role.CLINICIAN: ("DELETE", f"/api/v1/sessions/{THINGS['session']}"),
    }
    return [
        f"{role} {path}" for role, (method, path) in tried.items() if target.ask(method, path, role).status_code != 403
    ]


def pulled_up(target: Target) -> Evidence:
    """Somebody who makes themselves more than they are: fields that a body does not have, and their own row."""
    found: Evidence = []
    me = target.client.get("/api/v1/account", headers=target.headers(Role.OPERATOR)).json()["id"]
    for body in ({"role": "administrator"}, {"clinic": None}, {"disabled": False}):
        found += [f"{body}"] if target.ask("PATCH", f"/api/v1/users/{me}", Role.OPERATOR, json=body).is_success else []
    for more in ({"clinic_id": FOREIGN}, {"clinic": FOREIGN}, {"id": "p-chosen"}, {"merged_into": THINGS["patient"]},
                 {"version": 99}):  # fmt: skip
        answer = target.ask("POST", "/api/v1/patients", json=more)
        found += [f"a patient with {more}"] if answer.status_code < 300 else []
    return found


def stolen_idempotency_key(target: Target) -> Evidence:
    """The key of somebody else's request, heard on the way, with the same request."""
    said: dict[str, Any] = {"json": {"pseudonym": "STOLEN-1"}, "headers": {"Idempotency-Key": "heard-on-the-way"}}
    first = target.ask("POST", "/api/v1/patients", **said)
    assert first.status_code == 201, first.text
    found: Evidence = []
    colleague = staff.hire(target.database, Role.CLINICIAN, OWN, login="colleague")
    strangers = ((Role.CLINICIAN, FOREIGN), (Role.OPERATOR, OWN), (Role.AUDITOR, OWN))
    thieves = [target.headers(role, clinic) for role, clinic in strangers]
    for number, thief in enumerate([staff.bearer(target.database, colleague), *thieves]):
        headers = {**thief, **said["headers"]}
        answer = target.client.post("/api/v1/patients", json=said["json"], headers=headers)
        if answer.headers.get("idempotency-replayed") or first.json()["id"] in answer.text:
            found.append(f"thief {number} is told the first one's answer")
    return found


def outlived_idempotency_key(target: Target) -> Evidence:
    """One's own key, after one has lost what one may."""
    said: dict[str, Any] = {"json": {"pseudonym": "OUTLIVED-1"}, "headers": {"Idempotency-Key": "mine"}}
    user = staff.hire(target.database, Role.CLINICIAN, OWN, login="demoted")
    headers = {**staff.bearer(target.database, user), "Idempotency-Key": "mine"}
    assert target.client.post("/api/v1/patients", json=said["json"], headers=headers).status_code == 201
    answer = target.ask("PATCH", f"/api/v1/users/{user.id}", Role.ADMINISTRATOR, json={"role": "auditor"})
    assert answer.status_code == 200, answer.text
    headers = {**staff.bearer(target.database, user), "Idempotency-Key": "mine"}
    again = target.client.post("/api/v1/patients", json=said["json"], headers=headers)
    return [f"an auditor is told: {again.text[:60]}"] if again.status_code < 300 else []


def weak_tags(target: Target) -> Evidence:
    """If-Match in every shape that is not the version: nothing may be overwritten by it."""
    found: Evidence = []
    made = target.ask("POST", "/api/v1/patients", json={})
    path = f"/api/v1/patients/{made.json()['id']}"
    target.ask("PATCH", path, json={"birth_year": 1980})
    for tag in ('"1"', 'W/"2"', "2", "", '"2', '"02"', '"2 "', '"1", W/"2"', "'2'", '"*"', "\u0662", '"2"x', '"-1"'):
        headers = {b"if-match": tag.encode("utf-8")}
        given = {**{k.encode(): v.encode() for k, v in target.headers().items()}, **headers}
        answer = target.client.request("PATCH", path, json={"birth_year": 1900}, headers=given)
        found += [f"{tag!r}: {answer.status_code}"] if answer.status_code != 412 else []
    return found


def plain_database(target: Target) -> Evidence:
    """Who steals the database: names, notes and samples in its bytes."""
    headers = target.headers()
    patient = target.client.post("/api/v1/patients", json={}, headers=headers).json()["id"]
    name, text = "Quastenflosser", "sleeps badly since the accident"
    put = target.client.put(f"/api/v1/patients/{patient}/identity", json={"family": name}, headers=headers)
    wrote = target.client.post(f"/api/v1/patients/{patient}/notes", json={"text": text}, headers=headers)
    assert put.status_code == 200, put.text
    assert wrote.status_code == 201, wrote.text
    whole = b"".join(each.read_bytes() for each in target.folder.rglob("*") if each.is_file())
    return [each for each in (name, text) if each.encode() in whole]


def oversized_upload(target: Target) -> Evidence:
    """An upload above what is set, said and unsaid."""
    most: int = target.app.state.settings.upload_bytes
    found: Evidence = []
    data = b"time,ecg\n" + b"0,0\n" * (most // 4 + 40_000)
    answer = target.ask("POST", "/api/v1/analyses", files={"files": ("a.csv", data, "text/csv")})
    found += [f"said: {answer.status_code}"] if answer.status_code != 413 else []

    def pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
        for begin in range(0, len(data), 65_536):
            yield data[begin : begin + 65_536]
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = target.ask("POST", "/api/v1/analyses", content=pieces(), headers=headers)
    return found + ([f"unsaid: {answer.status_code}"] if answer.status_code != 413 else [])


ATTACKS = (
    foreign_ids_in_bodies, foreign_ids_in_queries, foreign_lists, foreign_paths, another_persons_note, guessed_ids,
    merged_and_erased, every_action_of_every_role, pulled_up, stolen_idempotency_key, outlived_idempotency_key,
    weak_tags, plain_database, oversized_upload,
)  # fmt: skip
