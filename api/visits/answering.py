"""What a visitor answered at the kiosk, kept as what staff enter is: answers sealed, the score a reading, alerts."""

from api import responding
from api.store import Transaction, responses, sessions, vault_of
from api.store.visits import VISITOR
from kiosk import questionnaires
from kiosk.messages import Answered, Entry


def keep(db: Transaction, stream: int, entry: Entry, answered: Answered, now: int) -> None:
    """Keep checked answers, once: another recorder may have kept them already."""
    session = entry.stream.session
    name = f"q-{vault_of(db).purpose('visits').digest('answers', session, str(stream), str(entry.seq))[:16]}"
    row = sessions.hold(db, session)
    if row is None or responses.get(db, name) is not None:
        return
    asked = questionnaires.listed()[answered.questionnaire]
    responding.keep(
        db, row, asked, answered.answers, name=name, language=answered.language, by=VISITOR, at_ns=entry.time, now=now
    )
