"""The clinician's pages: rendered here, filled by small scripts from the REST interface and the live socket.

Everything that a page loads comes from this process: no CDN, no build step, no internet.
"""

from fastapi import FastAPI

from api.dashboard import assets, entrance
from api.dashboard.pages import router
from api.dashboard.problems import PagesForProblems

__all__ = ["mount", "router"]


def mount(app: FastAPI) -> None:
    """Serve the static files, and say errors outside the API as pages. `router` is included beside this."""
    app.include_router(entrance.router)
    assets.serve(app)
    app.add_middleware(PagesForProblems)
