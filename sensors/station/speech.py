"""Spoken prompts: texts of the visitor's catalogue, said by espeak-ng where it is installed. Nothing else is spoken."""

import asyncio
import contextlib
import logging
import shutil

from kiosk.visitor import WORDS

log = logging.getLogger(__name__)

PREFIX = "say."
PROGRAM = "espeak-ng"
WITHIN = 10.0
PACE = 150
"""Words a minute: calm; the program's own 175 is hard to follow for old people."""
MOST_BYTES = 3_000_000
"""Of one text: a minute of its sound."""


class Voice:
    """Says texts one at a time, and remembers their sound: the catalogue has some thirty of them."""

    def __init__(self, program: str | None = None) -> None:
        self._program = program or shutil.which(PROGRAM)
        self._said: dict[tuple[str, str], bytes] = {}
        self._turn = asyncio.Lock()

    @property
    def is_there(self) -> bool:
        """Whether anything can be spoken."""
        return self._program is not None

    async def say(self, language: str, key: str) -> bytes | None:
        """The sound of a text as a WAV file; None where there is no such text, or no voice."""
        text = WORDS.get(language, {}).get(key) if key.startswith(PREFIX) else None
        if not text or self._program is None:
            return None
        async with self._turn:
            if (language, key) not in self._said:
                sound = await self._speak(self._program, language, text)
                if sound is None:
                    return None
                self._said[language, key] = sound
            return self._said[language, key]

    async def _speak(self, program: str, language: str, text: str) -> bytes | None:
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                program, "-v", language, "-s", str(PACE), "--stdin", "--stdout",
                stdin=pipe, stdout=pipe, stderr=nothing,
            )  # fmt: skip
        except OSError as error:
            log.warning("the voice cannot be started: %s", type(error).__name__)
            return None
        try:
            async with asyncio.timeout(WITHIN):
                sound, _ = await process.communicate(text.encode())
        except TimeoutError:
            log.warning("the voice took too long")
            return None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0 or not sound.startswith(b"RIFF") or len(sound) > MOST_BYTES:
            log.warning("the voice said nothing")
            return None
        return sound
