"""What one would write in an afternoon: the list of sessions with a heart rate each, and nothing around it."""

import sys
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI
from sqlmodel import Session, col, create_engine, select

from api.tables import PatientRow, ReadingRow, SessionRow

app = FastAPI()
engine = create_engine(sys.argv[1])


def _session() -> Session:
    return Session(engine)


@app.get("/api/v1/health/live")
def live() -> dict[str, str]:
    """It answers."""
    return {"status": "ok"}


@app.get("/api/v1/sessions")
def sessions(db: Annotated[Session, Depends(_session)], limit: int = 50) -> list[dict[str, object]]:
    """The newest ones."""
    with db:
        rows = db.exec(select(SessionRow).order_by(col(SessionRow.first_seen_ns).desc()).limit(limit)).all()
        ids = [row.id for row in rows]
        rates = db.exec(
            select(ReadingRow).where(col(ReadingRow.session_id).in_(ids), ReadingRow.measure == "heart_rate")
        ).all()
        people = db.exec(select(PatientRow).where(col(PatientRow.id).in_([row.patient_id for row in rows]))).all()
        rate, name = {each.session_id: each.value for each in rates}, {each.id: each.pseudonym for each in people}
        return [
            {**row.model_dump(), "heart_rate": rate.get(row.id), "who": name.get(row.patient_id or "")} for row in rows
        ]


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
