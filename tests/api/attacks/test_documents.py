"""What the threat model and the self-assessment claim has a test of that name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CLAIM = re.compile(r"`(tests/[\w/.-]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("document", ["threats.md", "asvs.md"])
def test_every_test_that_a_document_names_is_there(document: str) -> None:
    claims = CLAIM.findall((ROOT / "docs" / document).read_text())
    assert len(claims) > 30
    missing = []
    for path, name in claims:
        file = ROOT / path
        tree = ast.parse(file.read_text()) if file.exists() else ast.Module([], [])
        known = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        if not file.exists() or (name and name not in known):
            missing.append(f"{path}::{name}")
    assert not missing


def test_every_chapter_of_the_standard_is_judged() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text()
    for number in range(1, 18):
        assert re.search(rf"^\| V{number} [^|]+\| (met|partly|not met|not applicable)", text, re.MULTILINE), number
