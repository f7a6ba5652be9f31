"""Templates. The headers that keep a page safe are the server's, for every answer (api/middleware.py)."""

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from api.dashboard import assets, words


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unit"] = words.unit
    environment.filters["duration"] = words.duration
    return environment


def page(template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """A page in the common design."""
    content = _templates().get_template(template).render(assets=assets.ADDRESS, catalogue=words.catalogue(), **context)
    return HTMLResponse(content, status)
