"""What pages load beside themselves: scripts, the style sheet, and plotly.js from the installed package.

The address holds a digest of the content, so that a browser may keep a file for ever and still never mixes two
versions: modules import each other by relative paths and so stay within one digest.
"""

import hashlib
from importlib.metadata import version
from importlib.resources import files
from os import PathLike, stat_result
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
KEEP = "public, max-age=31536000, immutable"


def _digest() -> str:
    """Changes whenever a file or plotly does."""
    content = hashlib.sha256(version("plotly").encode())
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            content.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:16]


ADDRESS = f"/static/{_digest()}"


class _Kept(StaticFiles):
    """Static files that browsers keep."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = KEEP
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


async def _plotly() -> FileResponse:
    path = Path(str(files("plotly") / "package_data" / "plotly.min.js"))
    return FileResponse(path, media_type="text/javascript", headers={"Cache-Control": KEEP})


def serve(app: FastAPI) -> None:
    """Add the addresses of the static files."""
    app.add_api_route(f"{ADDRESS}/plotly.min.js", _plotly, include_in_schema=False)
    app.mount(ADDRESS, _Kept(directory=FOLDER), name="static")
