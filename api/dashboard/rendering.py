"""Templates. The headers that keep a page safe are the server's, for every answer (api/middleware.py)."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from api.dashboard import assets, languages, words


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
    environment.globals["t"] = languages.t
    environment.globals["plural"] = languages.plural
    return environment


def page(template: str, *, status: int = 200, texts: Sequence[str] = (), **context: object) -> HTMLResponse:
    """A page in the common design and the reader's language; `texts` are the catalogue's parts that its scripts say."""
    content = (
        _templates()
        .get_template(template)
        .render(
            assets=assets.ADDRESS,
            catalogue=words.catalogue(),
            language=languages.language(),
            languages={code: told["frame.name"] for code, told in languages.CATALOGUES.items()},
            texts=languages.part("frame", *texts),
            **context,
        )
    )
    return HTMLResponse(content, status, {"Content-Language": languages.language(), "Vary": "Cookie, Accept-Language"})
