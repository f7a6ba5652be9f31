"""The clinician's pages: rendered here, filled by small scripts from the REST interface and the live socket.

Everything that a page loads comes from this process: no CDN, no build step, no internet.
"""

from fastapi import FastAPI

from api.dashboard import admin, assets, comparing, devices, drop, entrance, people, visitor, wall
from api.dashboard.languages import Tongue
from api.dashboard.pages import router
from api.dashboard.problems import PagesForProblems
from api.login.throttle import Throttle

__all__ = ["mount", "router"]


def mount(app: FastAPI) -> None:
    """Serve the static files, and say errors outside the API as pages. `router` is included beside this."""
    app.include_router(entrance.router)
    app.include_router(visitor.router)
    app.state.link_throttle = Throttle()
    for part in (people, comparing, wall, devices, drop, admin):
        app.include_router(part.router)
    assets.serve(app)
    app.add_middleware(PagesForProblems)
    app.add_middleware(Tongue)
