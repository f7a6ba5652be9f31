"""The shape of the source: who may import whom, what lives where, what may be called what."""

import ast
import importlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import require

ROOT = Path(__file__).parents[1]
PACKAGES = ("kiosk", "sensors", "analytics", "api")
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "kiosk": frozenset(),
    "sensors": frozenset({"kiosk"}),
    "analytics": frozenset({"kiosk"}),
    "api": frozenset({"kiosk", "analytics"}),
}
# The composition root is one file, or that file and the folder it grew into.
COMPOSITION_ROOT = ("kiosk.__main__", "kiosk.commands")
HOMES: Mapping[str, tuple[str, ...]] = {
    "onnxruntime": ("kiosk.models.opening",),
    "paho": ("kiosk.mqtt",),
    "sqlalchemy": ("api.store", "api.tables", "api.migrations"),
    "sqlmodel": ("api.store", "api.tables", "api.migrations"),
    "torch": ("analytics.training",),
}
TOP_LEVEL = {
    *PACKAGES,
    *("tests", "deploy", "docs", ".ci"),
    *("pyproject.toml", "requirements.lock", "requirements-dev.lock", "Makefile", "README.md", "LICENSE"),
    *(".dockerignore", ".editorconfig", ".gitattributes", ".gitignore"),
}
NAMELESS = {"base", "common", "helper", "helpers", "manager", "managers", "util", "utils"}


def name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, *homes: str) -> bool:
    return any(module == home or module.startswith(f"{home}.") for home in homes)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = path.relative_to(ROOT).parent.parts
            above = here[: len(here) - node.level + 1] if node.level else ()
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def reads_environment(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Attribute):
            found = isinstance(node.value, ast.Name) and node.value.id == "os" and [node.attr]
        elif isinstance(node, ast.ImportFrom):
            found = node.module == "os" and [alias.name for alias in node.names]
        else:
            continue
        if found and {"environ", "environb", "getenv", "getenvb"}.intersection(found):
            return True
    return False


SOURCES = {name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
IMPORTS = [(module, target) for module, path in SOURCES.items() for target in imports(path)]


def test_every_package_is_there() -> None:
    assert set(PACKAGES) <= SOURCES.keys()


def test_imports_follow_the_arrows() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, target in IMPORTS
        if (package := target.partition(".")[0]) in PACKAGES
        and package != (own := module.partition(".")[0])
        and package not in MAY_IMPORT[own]
        and not within(module, *COMPOSITION_ROOT)
    ]
    assert not wrong


def test_nobody_imports_the_composition_root() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, target in IMPORTS
        if within(target, *COMPOSITION_ROOT) and not within(module, *COMPOSITION_ROOT)
    ]
    assert not wrong


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_in_its_home_alone(library: str) -> None:
    wrong = [module for module, target in IMPORTS if within(target, library) and not within(module, *HOMES[library])]
    assert not wrong


def test_the_environment_is_read_in_settings_alone() -> None:
    readers = [module for module, path in SOURCES.items() if reads_environment(path)]
    assert all(within(module, "kiosk.settings") for module in readers), readers


def test_no_foreign_distribution_owns_our_names() -> None:
    owners = packages_distributions()
    foreign = {package: set(owners.get(package, ())) - {"health-kiosk"} for package in PACKAGES}
    assert not any(foreign.values()), foreign


def test_top_level_holds_what_the_design_allows() -> None:
    git = shutil.which("git")
    require(git and (ROOT / ".git").exists(), "git, and a checkout to list")
    assert git
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {file.partition("/")[0] for file in listed.split("\0") if file} <= TOP_LEVEL


def test_every_module_has_a_name_of_its_own() -> None:
    modules = [*SOURCES, *(name(path) for path in (ROOT / "tests").rglob("*.py"))]
    assert not [module for module in modules if NAMELESS.intersection(module.replace("_", ".").split("."))]


@pytest.mark.parametrize("registry", ["sensors.registry:DRIVERS", "analytics.registry:ANALYZERS"])
def test_every_registered_name_resolves(registry: str) -> None:
    module, attribute = registry.split(":")
    entries: Mapping[str, str] = getattr(importlib.import_module(module), attribute)
    assert entries
    for entry in entries.values():
        target, _, thing = entry.partition(":")
        # A string imports, too: it must not lead around the arrows.
        assert within(target, module.partition(".")[0]), entry
        assert callable(getattr(importlib.import_module(target), thing, None)), entry
