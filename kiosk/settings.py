"""What an operator can set: `KIOSK_...` environment variables, read here and nowhere else."""

import os
import re
import ssl
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kiosk.errors import BadSettings
from kiosk.topics import NAME


class Settings(BaseSettings):
    """Every setting with its default; `kiosk doctor` prints them without the secrets."""

    model_config = SettingsConfigDict(env_prefix="KIOSK_", frozen=True, extra="ignore")

    id: str = Field("kiosk-1", description="Name of this kiosk on the wire.")
    data: Path = Field(Path.home() / ".local/share/health-kiosk", description="Folder for what is kept.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    broker_host: str = "127.0.0.1"
    broker_port: int = Field(1883, ge=1, le=65535)
    broker_username: str | None = None
    broker_password: SecretStr | None = None
    broker_tls: bool = Field(False, description="Speak TLS to the broker; on by itself when a CA is set.")
    broker_ca: Path | None = Field(None, description="CA certificate (PEM) of the broker.")
    broker_cert: Path | None = Field(None, description="Client certificate (PEM), where the broker asks for one.")
    broker_key: Path | None = None

    outbox_bytes: int = Field(2_000_000_000, ge=100_000, description="Size above which the oldest is given up.")

    camera: str = Field("0", description="Camera: an index, a device path, a video, a folder of pictures, or `page`.")
    camera_size: str = Field("640x480", description="Width and height that the camera is asked for.")
    camera_rate: float | None = Field(
        None, ge=1, le=240, description="Pictures a second: asked of a camera (30 if unset), or those of a folder."
    )
    camera_lock: bool = Field(True, description="Hold exposure, white balance and focus once they have settled.")
    microphone: str = Field(
        "default",
        description="Microphone: default, an index, a name, a sound file, a folder of them, or `page`.",
    )
    brainflow_board: str | None = Field(None, description="BrainFlow board: a name or number, as `cyton` or `-1`.")
    brainflow_params: str = Field("", description="How it is connected: `serial_port=/dev/ttyUSB0,...`.")
    lsl_streams: str = Field("", description="LSL streams: `type=EEG;name=X, type=ECG`; all of a known type if unset.")
    station_port: int = Field(8077, ge=0, le=65535, description="Port of the kiosk's own page, on 127.0.0.1 alone.")

    database_url: SecretStr | None = Field(None, description="SQLAlchemy URL; SQLite in the data folder if unset.")
    close_after: float = Field(600, ge=0, description="Seconds after which an incomplete session closes.")
    silence_ends: float = Field(1800, ge=1, description="Seconds of silence that end a session.")

    http_host: str = Field("127.0.0.1", description="Address of API and dashboard. Local until login exists.")
    http_port: int = Field(8000, ge=0, le=65535)
    metrics_port: int | None = Field(None, description="Port for the recorder's Prometheus metrics.")

    @field_validator("id")
    @classmethod
    def _is_a_topic_level(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError("letters, digits, dot, dash and underscore, at most 64")
        return value

    @field_validator("http_host")
    @classmethod
    def _stays_local(cls, value: str) -> str:
        if value not in ("127.0.0.1", "localhost", "::1") and not _in_container():
            raise ValueError("listens on this machine only until login exists")
        return value

    @field_validator("camera")
    @classmethod
    def _is_named(cls, value: str) -> str:
        if not value.strip() or "://" in value:
            raise ValueError("an index, a device path, a file, a folder, or page")
        return value.strip()

    @field_validator("microphone")
    @classmethod
    def _is_heard(cls, value: str) -> str:
        if not value.strip() or "://" in value:
            raise ValueError("default, an index, a name, a file, a folder, or page")
        return value.strip()

    @field_validator("camera_size")
    @classmethod
    def _is_a_size(cls, value: str) -> str:
        found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", value)
        if not found or not all(64 <= int(each) <= 4096 for each in found.groups()):
            raise ValueError("width x height in pixels, as 640x480; 64 to 4096 each")
        return value

    @cached_property
    def camera_pixels(self) -> tuple[int, int]:
        """Width and height that the camera is asked for."""
        width, height = self.camera_size.split("x")
        return int(width), int(height)

    @cached_property
    def database(self) -> str:
        """The database's URL, secret included."""
        if self.database_url is not None:
            # SQLAlchemy would pick psycopg2 for the plain names that hosters hand out
            return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", self.database_url.get_secret_value())
        return f"sqlite:///{self.data / 'kiosk.sqlite'}"

    @cached_property
    def outbox(self) -> Path:
        """The file of this kiosk's outbox."""
        return self.data / f"outbox-{self.id}.sqlite"

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """The TLS context for the broker, or None for plain TCP."""
        if not (self.broker_tls or self.broker_ca or self.broker_cert):
            return None
        try:
            context = ssl.create_default_context(cafile=self.broker_ca)
            if self.broker_cert:
                context.load_cert_chain(self.broker_cert, self.broker_key)
        except OSError as error:
            raise BadSettings(f"TLS for the broker: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _in_container() -> bool:
    """In a container the address is the container's own; what is published is the compose file's decision."""
    return os.environ.get("KIOSK_IN_CONTAINER") == "1"


def load() -> Settings:
    """The settings of this process, or BadSettings with the variable's name and what is wrong with it."""
    try:
        return Settings()
    except ValidationError as error:
        # never the value: it may be a secret
        wrong = "; ".join(f"KIOSK_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise BadSettings(wrong) from None


def child_environment(settings: Settings) -> dict[str, str]:
    """This environment with the given settings in place, for processes that we start."""
    values = {f"KIOSK_{name.upper()}": value for name, value in given(settings) if value is not None}
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value) for name, value in values.items()
    }
    return {**os.environ, **plain}


def given(settings: Settings) -> list[tuple[str, object]]:
    """Names and values of what can be set, secrets wrapped; not what is derived from it."""
    return [(name, getattr(settings, name)) for name in type(settings).model_fields]
