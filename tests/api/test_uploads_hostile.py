"""Uploads of somebody who means harm: names, archives, headers that lie, files that cost. Each costs a bounded time."""

import io
import resource
import shutil
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.store import Database
from api.uploads import places
from api.uploads.unpacking import LONGEST, Bounds, plain, unpack
from api.uploads.worker import Uploads
from kiosk.bus import MemoryBus
from kiosk.commands.services import read_upload
from kiosk.errors import BadRecording
from kiosk.recording import Recording
from kiosk.settings import Settings
from tests import databases
from tests.api import staff
from tests.api.greedy import crashing, endless, greedy, stuck, writing
from tests.api.uploading import ADDRESS, become, dumped, send

BOUNDS = Bounds(50_000_000)
MEMORY = 3 * 1024**3


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", upload_bytes=200_000_000, upload_memory=MEMORY, upload_seconds=60)


@pytest.fixture
def database(sqlite_template: Path, settings: Settings) -> Iterator[Database]:
    settings.data.mkdir()
    shutil.copy(sqlite_template, settings.data / "kiosk.sqlite")
    opened = databases.database(settings.data)
    yield opened
    opened.close()


@pytest.fixture
def client(database: Database, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings=settings, database=database, bus=MemoryBus())) as opened:
        opened.headers.update(staff.bearer(database, staff.hire(database, "clinician")))
        yield opened


# --- names


@pytest.mark.parametrize(
    "name",
    [
        "../../x", "/etc/passwd", "..\\..\\x", "C:\\x", "a\0b", ".", "..", "", ".hidden", "con.csv", "NUL", "a/../../b",
        "\u202egnp.csv", "x" * 5000 + ".csv", "-rf", "a\nb", "\ud800", "%2e%2e%2fx",
    ],
    ids=lambda name: ascii(name)[:24],
)  # fmt: skip
def test_no_name_leads_anywhere(name: str) -> None:
    made = plain(name, set())
    assert made == Path(made).name
    assert made not in ("", ".", "..")
    assert not made.startswith((".", "-"))
    assert len(made) <= LONGEST + 10
    assert all(c.isprintable() and c not in "/\\\0" for c in made)
    assert made.split(".")[0].lower() not in ("con", "nul")


def test_names_that_are_equal_differ_in_the_end_and_keep_their_endings() -> None:
    taken: set[str] = set()
    assert [plain(name, taken) for name in ("a/r.csv", "b/r.csv", "R.CSV")] == ["r.csv", "r-2.csv", "R-3.CSV"]


def test_an_upload_writes_nowhere_but_into_its_own_folder(client: TestClient, settings: Settings) -> None:
    before = {path for path in settings.data.parent.rglob("*") if "sqlite" not in path.name and "key" not in path.name}
    said = send(client, ("../../../evil.csv", b"1\n2\n"), ("/tmp/evil2.csv", b"1\n")).json()
    after = {path for path in settings.data.parent.rglob("*") if "sqlite" not in path.name and "key" not in path.name}
    folder = places.sealed(settings.data, said["id"])
    assert after - before == {settings.data / "uploads", folder, folder / "0", folder / "1", folder / "manifest"}
    assert not Path("/tmp/evil2.csv").exists()


# --- archives


def archive(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return path


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = 0o120777 << 16
    return info


def lying(path: Path) -> Path:
    """An archive whose directory says that a member is small."""
    archive(path, ("a.csv", b"0" * 100_000))
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(content)
    return path


def overlapping(path: Path) -> Path:
    """Two entries of the directory that are one and the same file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", b"1\n" * 1000)
        twin = zipfile.ZipInfo("b.csv")
        first = packed.filelist[0]
        for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type", "flag_bits"):
            setattr(twin, name, getattr(first, name))
        packed.filelist.append(twin)
        packed.NameToInfo["b.csv"] = twin
    return path


HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "outside": (lambda path: archive(path, ("../../x.csv", b"1\n")), "leads out"),
    "absolute": (lambda path: archive(path, ("/etc/x.csv", b"1\n")), "leads out"),
    "drive": (lambda path: archive(path, ("C:x.csv", b"1\n")), "leads out"),
    "link": (lambda path: archive(path, (link(), b"/etc/passwd")), "link"),
    "ratio": (lambda path: archive(path, ("zeros.csv", bytes(45_000_000))), "-fold"),
    "size": (lambda path: archive(path, *((f"{n}.csv", bytes(30_000_000)) for n in range(2))), "at most"),
    "many": (lambda path: archive(path, *((f"{n}.csv", b"") for n in range(2001))), "2001 files"),
    "nested": (lambda path: archive(path, ("inner.zip", b"PK\x03\x04")), "another archive"),
    "empty": (archive, "empty"),
    "lying": (lying, "damaged|larger"),
    "overlapping": (overlapping, "overlap"),
    "truncated": (lambda path: _cut(archive(path, ("a.csv", b"1\n" * 10_000))), "damaged"),
}


def _cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-30])
    return path


@pytest.mark.parametrize("what", HOSTILE)
def test_an_archive_that_means_harm_is_refused(what: str, tmp_path: Path) -> None:
    make, words = HOSTILE[what]
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    made = make(tmp_path / "a.zip")
    with pytest.raises(BadRecording, match=words):
        unpack(made, inside, BOUNDS, lambda _: None)
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "a.zip"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert sum(path.stat().st_size for path in inside.rglob("*") if path.is_file()) <= 100_000


def test_a_good_archive_is_unpacked_and_counted(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.zip", ("one/a.csv", b"1\n"), ("two/a.csv", b"22\n"), ("__MACOSX/one/._a.csv", b"x"))
    inside = tmp_path / "inside"
    inside.mkdir()
    assert unpack(made, inside, BOUNDS, lambda _: None) == 5
    assert sorted(path.read_bytes() for path in inside.rglob("*.csv")) == [b"1\n", b"22\n"]


# --- files that lie or cost


def edf(records: int, signals: int = 1, samples: int = 256) -> bytes:
    """A header that promises; there is next to nothing behind it."""
    head = "0".ljust(8) + "".ljust(160) + "01.01.2501.00.00" + f"{256 * (signals + 1)}".ljust(8) + "".ljust(44)
    head += f"{records}".ljust(8)[:8] + "1".ljust(8) + f"{signals}".ljust(4)[:4]
    for width, value in ((16, "ECG"), (80, ""), (8, "mV"), (8, "-1"), (8, "1"), (8, "-32768"), (8, "32767"), (80, "")):
        head += value.ljust(width) * max(0, min(signals, 10))
    head += f"{samples}".ljust(8) * max(0, min(signals, 10)) + "".ljust(32) * max(0, min(signals, 10))
    return head.encode() + bytes(1024)


class Evil:
    """What a pickle does when somebody opens it."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("/tmp/kiosk-was-here"),)


def pickled() -> bytes:
    made = io.BytesIO()
    np.save(made, np.array([Evil()], dtype=object), allow_pickle=True)
    return made.getvalue()


def passwd() -> tuple[tuple[str, bytes], ...]:
    header = b"r 1 250 100\n/etc/passwd 16 200/mV 16 0 0 0 0 II\n"
    return ("r.hea", header), ("r.dat", b"")


def outside() -> tuple[tuple[str, bytes], ...]:
    return (("r.hea", b"r 1 250 100\n../../0 16 200/mV 16 0 0 0 0 II\n"),)


Files = tuple[tuple[str, bytes], ...]
BOMBS: dict[str, Callable[[], Files]] = {
    "edf of 2^31 records": lambda: (("a.edf", edf(2**31 - 1, samples=99_999_999)),),
    "edf of negative counts": lambda: (("a.edf", edf(-7, signals=-3)),),
    "line of 100 MB": lambda: (("a.csv", b"ecg," * 25_000_000),),
    "a header of the whole machine": passwd,
    "a header that leads out": outside,
    "pickle as npy": lambda: (("a.npy", pickled()),),
    "pickle as mat": lambda: (("a.mat", pickled()),),
    "fif of noise": lambda: (("a.fif", struct.pack(">iiii", 100, 31, 2**31 - 1, 0) + bytes(4096)),),
    "video of absurd size": lambda: (
        ("a.avi", b"RIFF" + struct.pack("<I", 2**31) + b"AVI LIST" + struct.pack("<I", 200) + b"hdrlavih"
         + struct.pack("<I", 56) + struct.pack("<14I", *[2**31 - 1] * 14)),
    ),
    "nothing at all": lambda: (("a.csv", b""),),
    "a picture called ecg": lambda: (("ecg.csv", b"\x89PNG\r\n\x1a\n" + bytes(5000)),),
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_a_file_that_means_harm_fails_in_words_within_the_limits(
    what: str, client: TestClient, database: Database, settings: Settings
) -> None:
    begun, before = monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    said = become(client, database, settings, *BOMBS[what]())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    # pytest -s shows what each costs
    sys.stderr.write(f"{what}: {monotonic() - begun:.1f} s, {spent:.1f} s of processor, {said['error']}\n")
    sys.stderr.write(f"  the largest process until now: {used.ru_maxrss / 1024:.0f} MiB\n")
    assert (said["state"], said["session_id"]) == ("failed", None), dumped(said)
    assert said["error"]
    assert "root:" not in said["error"]
    assert str(settings.data) not in said["error"]
    assert "/dev/shm" not in said["error"]
    assert not Path("/tmp/kiosk-was-here").exists()
    assert used.ru_maxrss * 1024 <= MEMORY
    assert client.get("/api/v1/sessions").json()["items"] == []
    assert not places.sealed(settings.data, said["id"]).exists()
    assert client.get(ADDRESS).json()["items"][0]["state"] == "failed"


@pytest.mark.parametrize("read", [greedy, endless, stuck, writing, crashing])
def test_what_a_reader_may_use_ends(
    read: Callable[..., Recording],
    client: TestClient,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.uploads.worker.START", 20.0)
    settings = Settings(data=tmp_path / "data", upload_bytes=2_000_000, upload_memory=2 * 1024**3, upload_seconds=6)
    answer = send(client, ("a.csv", b"1\n2\n")).json()
    assert Uploads(database, settings, read).work()
    said = client.get(f"{ADDRESS}/{answer['id']}").json()
    assert said["state"] == "failed"
    words = {
        greedy: "memory", endless: "stopped", stuck: "given up", writing: "cannot be read", crashing: "stopped"
    }[read]  # fmt: skip
    assert words in said["error"]
    # and the next one is served
    good = send(client, ("a.csv", b"1\n2\n")).json()
    assert Uploads(database, settings, read_upload).work()
    assert client.get(f"{ADDRESS}/{good['id']}").json()["state"] == "failed"
