"""What an operator can set: `KIOSK_...` environment variables, read here and nowhere else."""

import os
import re
import ssl
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kiosk.errors import BadSettings
from kiosk.topics import NAME

KNOWN_SECRETS = frozenset(
    {
        "admin", "change-me", "change_me", "changeit", "changeme", "default", "demo", "example", "guest", "kiosk",
        "health-kiosk", "letmein", "mosquitto", "password", "passw0rd", "postgres", "postgresql", "qwerty", "secret",
        "test", "user", "your-password", "your_password",
    }
)  # fmt: skip
"""What manuals, images and examples hand out: refused where it is no demonstration."""
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+")


class Settings(BaseSettings):
    """Every setting with its default; `kiosk doctor` prints them without the secrets."""

    model_config = SettingsConfigDict(env_prefix="KIOSK_", frozen=True, extra="ignore")

    id: str = Field("kiosk-1", description="Name of this kiosk on the wire.")
    data: Path = Field(Path.home() / ".local/share/health-kiosk", description="Folder for what is kept.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = Field("text", description="Lines for people, or JSON lines for programs.")
    demo: bool = Field(False, description="A demonstration: a login that is printed, and secrets made up by itself.")

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

    assistant_address: str | None = Field(
        None,
        description="Language model behind the assistant: https://HOST/v1, as OpenAI speaks. Rules if unset.",
    )
    assistant_model: str = Field("default", description="What that endpoint calls its model.")
    assistant_key: SecretStr | None = Field(None, description="The endpoint's key, where it wants one.")
    emergency_number: str = Field("112", pattern=r"^[0-9 +-]{2,20}$", description="Whom visitors are told to call.")

    database_url: SecretStr | None = Field(None, description="SQLAlchemy URL; SQLite in the data folder if unset.")
    master_key: SecretStr | None = Field(
        None, description="32 bytes in base64 that wrap all other keys; the key file's if unset."
    )
    master_key_file: Path | None = Field(None, description="Where the master key is; master.key in the data folder.")
    keys_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of the key store, in no backup of the database; SQLite in the data folder."
    )
    close_after: float = Field(600, ge=0, description="Seconds after which an incomplete session closes.")
    silence_ends: float = Field(1800, ge=1, description="Seconds of silence that end a session.")
    keep_waveforms_days: float | None = Field(
        None, ge=1, le=36500, description="Days after which samples go and readings stay; for ever if unset."
    )
    keep_sessions_days: float | None = Field(
        None, ge=1, le=36500, description="Days after which a session is erased; for ever if unset."
    )
    keep_unassigned_days: float | None = Field(
        None, ge=1, le=36500, description="Days after which a session that is nobody's is erased; for ever if unset."
    )
    keep_quarantine_days: float | None = Field(
        30, ge=0, le=36500, description="Days that a payload which could not be taken is kept aside."
    )

    upload_bytes: int = Field(200_000_000, ge=1000, description="Size above which an upload is refused.")
    upload_memory: int = Field(4 * 1024**3, ge=2**28, description="Bytes that the analysis of an upload may use.")
    upload_seconds: float = Field(600, ge=1, description="Seconds after which the analysis of an upload is given up.")

    research_k: int = Field(
        5, ge=2, le=1000, description="People of one age band and sex below which researchers see none of them."
    )
    research_waveforms: bool = Field(
        False, description="Researchers may export waveforms too: these identify people as fingerprints do."
    )

    http_cert: Path | None = Field(None, description="Certificate (PEM) of API and dashboard: they speak TLS.")
    http_key: Path | None = Field(None, description="Its private key (PEM).")
    behind_proxy: bool = Field(
        False, description="A proxy in front speaks TLS, hands on the Host, and adds the client to X-Forwarded-For."
    )
    http_names: str = Field("", description="Names with a dot under which pages are reached: `kiosk.example.org, ...`.")
    http_host: str = Field("127.0.0.1", description="Address of API and dashboard. Local, unless they come over TLS.")
    http_port: int = Field(8000, ge=0, le=65535)
    public_address: str | None = Field(
        None, description="Where visitors' phones reach the pages: https://NAME. Behind it their results are shown."
    )
    results_link_minutes: float = Field(60, ge=1, le=1440, description="For how long a link opens a visitor's results.")
    second_factor: Literal["optional", "required"] = Field(
        "optional", description="required: who has no second factor can do nothing but set one up."
    )
    oidc_issuer: str | None = Field(None, description="Identity provider (OpenID Connect): its issuer address.")
    oidc_title: str = Field("", description="What the login page calls it; its host's name if unset.")
    oidc_client_id: str | None = Field(None, description="What this clinic is called there.")
    oidc_client_secret: SecretStr | None = Field(None, description="The secret shared with it, where there is one.")
    oidc_callback: str | None = Field(
        None, description="The address it sends browsers back to: https://NAME/api/v1/oidc/callback."
    )
    oidc_role_claim: str = Field("groups", description="The claim of the ID token that says who somebody is.")
    oidc_roles: str = Field("", description="What its values mean: `doctors=clinician, it=administrator@*, ...`.")
    oidc_create: bool = Field(False, description="Whoever has such a role and is not known yet becomes a user.")
    metrics_port: int | None = Field(None, description="Port for the recorder's Prometheus metrics.")

    @field_validator("id")
    @classmethod
    def _is_a_topic_level(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError("letters, digits, dot, dash and underscore, at most 64")
        return value

    @field_validator("http_key")
    @classmethod
    def _has_both(cls, value: Path | None, given: ValidationInfo) -> Path | None:
        if (value is None) != (given.data.get("http_cert") is None):
            raise ValueError("a certificate and its key go together")
        return value

    @field_validator("http_host")
    @classmethod
    def _is_safe_there(cls, value: str, given: ValidationInfo) -> str:
        over_tls = given.data.get("http_cert") is not None or given.data.get("behind_proxy")
        if value not in ("127.0.0.1", "localhost", "::1") and not over_tls and not _in_container():
            raise ValueError(
                "listens on this machine only, unless KIOSK_HTTP_CERT and KIOSK_HTTP_KEY give it TLS,"
                " or KIOSK_BEHIND_PROXY says that a proxy does"
            )
        return value

    @field_validator("http_names")
    @classmethod
    def _are_names(cls, value: str) -> str:
        if not all(_HOST.fullmatch(name) for name in _listed(value)):
            raise ValueError("host names, comma between them, without scheme, port or *")
        return value

    @field_validator("public_address")
    @classmethod
    def _is_public(cls, value: str | None) -> str | None:
        if value is None:
            return None
        # what is read there is somebody's health; plain only where it leaves no machine
        local = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?"
        if not re.fullmatch(
            rf"https://[A-Za-z0-9.-]+(:\d{{1,5}})?|https://\[[0-9a-fA-F:]+\](:\d{{1,5}})?|{local}", value.rstrip("/")
        ):
            raise ValueError("https://NAME, without a path; http:// of this very machine alone")
        return value.rstrip("/")

    @field_validator("broker_password", "database_url", "keys_url", "master_key", "oidc_client_secret")
    @classmethod
    def _is_not_known(cls, value: SecretStr | None, given: ValidationInfo) -> SecretStr | None:
        if value is not None and not given.data.get("demo") and _is_known(value.get_secret_value()):
            raise ValueError("a secret that everybody knows: make one up, for instance by `openssl rand -hex 24`")
        return value

    @field_validator("assistant_address")
    @classmethod
    def _is_private(cls, value: str | None) -> str | None:
        # what a visitor says goes there
        if value is not None and not re.fullmatch(
            r"https://[^\s@]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s@]*)?", value
        ):
            raise ValueError("https://..., or http:// of this very machine; the key goes into KIOSK_ASSISTANT_KEY")
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
    def https(self) -> bool:
        """Whether browsers reach the pages over TLS."""
        return self.http_cert is not None or self.behind_proxy

    @cached_property
    def host_names(self) -> frozenset[str]:
        """Names with a dot under which pages are reached, in lower case."""
        public = re.sub(r":\d+$", "", (self.public_address or "").partition("://")[2])
        return frozenset(name.lower() for name in (*_listed(self.http_names), *([public] if "." in public else [])))

    @cached_property
    def visitors_address(self) -> str | None:
        """Where visitors' phones reach the pages; None where they do not, or nobody said how."""
        if self.public_address is not None:
            return self.public_address
        names = sorted(self.host_names)
        if self.behind_proxy:
            return f"https://{names[0]}" if names else None
        host = f"[{self.http_host}]" if ":" in self.http_host else self.http_host
        if self.http_cert is not None:
            name = names[0] if names else None if self.http_host in ("0.0.0.0", "::") else host  # noqa: S104
            return f"https://{name}:{self.http_port}" if name else None
        # a demonstration on one machine shows the page on it
        return f"http://{host}:{self.http_port}" if self.demo and host in _LOCAL else None

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
    def key_file(self) -> Path:
        """Where the master key is, if it is not given itself."""
        return self.master_key_file or self.data / "master.key"

    @cached_property
    def keys(self) -> str:
        """The key store's URL, secret included."""
        if self.keys_url is not None:
            return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", self.keys_url.get_secret_value())
        return f"sqlite:///{self.data / 'keys.sqlite'}"

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


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _is_known(secret: str) -> bool:
    """Whether a secret, or the password in an address, is one that manuals and examples show."""
    said = secret
    if "://" in secret:
        # not urlsplit: it raises on what is no address
        said = unquote(secret.partition("://")[2].rpartition("@")[0].partition(":")[2])
    # 32 equal bytes in base64, or a word of the list with figures behind it
    return bool(said) and (
        said.lower().rstrip("0123456789!-_") in KNOWN_SECRETS or re.fullmatch(r"(.)\1{7,}=*", said) is not None
    )


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
