"""What a test may ask of a process that is not its own child."""

from pathlib import Path


def runs(pid: int) -> bool:
    """Whether it is there, and no zombie that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
