"""README.md is true: its tree, its commands, its Python versions; and it stays short."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from typer.testing import CliRunner

from kiosk.__main__ import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PROSE = re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE)
SPANS = re.findall(r"`([^`\n]+)`", PROSE)
SHELL = ("bash", "console", "sh", "shell")
# Written relative to the checkout: a/b, a/, or a file name with a suffix that we use. Not /api/v1, not {x}/y.
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/|[\w.-]+(/[\w.-]+)+|[\w-]+\.(lock|md|py|toml|ya?ml)")


def commands() -> list[str]:
    """Each command that the README shows, without prompt, comment and environment."""
    lines = [line for language, block in BLOCKS if language in SHELL for line in block.splitlines()]
    parts = [part for line in lines for part in re.split(r"&&|\|\||[;|&]", line.partition("#")[0])]
    calls = [re.sub(r"^\s*(\$ )?(\w+=\S* )*", "", part).strip() for part in parts]
    return sorted({call for call in [*calls, *SPANS] if re.match(r"(\S*/)?(kiosk|make) ", call)})


def paths() -> list[str]:
    """Each path that the README names: in prose, as a link, or first on a line of a tree."""
    tree = [
        line.split()[0] for language, block in BLOCKS if language in ("", "text") for line in block.splitlines() if line
    ]
    links = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", PROSE) if ":" not in target]
    return sorted({path for path in [*tree, *links, *SPANS] if PATH.fullmatch(path)})


@pytest.mark.parametrize("command", commands())
def test_a_command_exists(command: str) -> None:
    program, *words = shlex.split(command)
    if program.rpartition("/")[2] == "make":
        targets = [word for word in words if "=" not in word and not word.startswith("-")]
        variables = [word.partition("=")[0] for word in words if "=" in word]
        assert not [target for target in targets if not re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE)]
        assert not [variable for variable in variables if not re.search(rf"\b{re.escape(variable)}\b", MAKEFILE)]
    else:
        # --help parses what stands before it, so that a wrong word or option fails, and runs nothing.
        result = CliRunner().invoke(app, [*words, "--help"])
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", paths())
def test_a_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_tree_names_every_package() -> None:
    assert {"kiosk/", "sensors/", "analytics/", "api/", "tests/", "deploy/"} <= set(paths())


def test_commands_to_start_and_to_test_are_shown() -> None:
    assert {"make up", "make test"} <= {" ".join(command.split()[:2]) for command in commands()}


def test_python_versions_are_those_of_the_distribution() -> None:
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    named = {
        version
        for line in README.splitlines()
        if "Python" in line
        for version in re.findall(r"\b3\.\d+\b(?!\.)", line[line.index("Python") :])
    }
    assert named == {f"3.{minor}" for minor in range(30) if f"3.{minor}" in SpecifierSet(requires)}


def test_it_stays_short() -> None:
    assert len(README.splitlines()) <= 80
