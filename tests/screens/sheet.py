"""A page with all the pictures, side by side."""

import html
from pathlib import Path

from tests.screens.walk import Walk

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 2rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886 }
.row { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start }
figure { margin: 0; width: 300px }
img { width: 100%; max-height: 420px; object-fit: cover; object-position: top }
img { border: 1px solid #8886; border-radius: 6px }
figcaption { font-size: 12px; opacity: .8 }
li { color: #b3261e }
"""


def write(walk: Walk, path: Path, said: str) -> None:
    """The contact sheet."""
    names = list(dict.fromkeys(name for name, _, _ in walk.pictures))
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Every page</title>",
        f"<style>{STYLE}</style><h1>Every page</h1><p>{html.escape(said)}</p>",
    ]
    wrong = [*sorted(walk.missing), *dict.fromkeys(walk.complaints)]
    if wrong:
        parts.append(
            "<h2>What went wrong</h2><ul>" + "".join(f"<li>{html.escape(each)}</li>" for each in wrong) + "</ul>"
        )
    for name in names:
        parts.append(f"<h2>{html.escape(name)}</h2><div class='row'>")
        for each, look, file in walk.pictures:
            if each == name:
                parts.append(
                    f"<figure><a href='{file.name}'><img src='{file.name}' alt='' loading='lazy'></a>"
                    f"<figcaption>{html.escape(look.name)}</figcaption></figure>"
                )
        parts.append("</div>")
    path.write_text("".join(parts), encoding="utf-8")
