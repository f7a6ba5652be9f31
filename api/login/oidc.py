"""Logging in at an identity provider: OpenID Connect, the authorization code flow with PKCE.

Everything that must be the same at both ends of the way - state, nonce, PKCE verifier - is sealed in a cookie of the
browser that began it, for ten minutes. Of the ID token are checked signature (RS256 or ES256 by the provider's
published keys, no other algorithm), issuer, audience, authorized party, expiry, time of issue and nonce.
OpenID Connect Core 1.0 section 3.1.3.7; RFC 9700 (OAuth 2.0 security, 2025) sections 2.1 and 4.
"""

import asyncio
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeGuard
from urllib.parse import urlsplit

import msgspec
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.store import Tampered, Vault, clock
from kiosk.errors import BadSettings, KioskError
from kiosk.messages import SECOND
from kiosk.settings import Settings

ALGORITHMS = ("RS256", "ES256")
"""Asymmetric alone: with `none` nobody signs, with HS256 everybody could who knows the published key."""
LASTS = 600 * SECOND
"""How long somebody may take to log in at the provider."""
LEEWAY = 60
"""Seconds that the provider's clock may be ahead or behind."""
TIMEOUT = 10.0
KEYS_LAST = 3600.0
"""Seconds after which the provider is asked for its addresses and keys again."""
KEYS_AGAIN = 30.0
"""Seconds between two questions because of a key that is not known: anybody can name one."""
MOST_USED = 10_000
SCOPE = "openid profile email"
_PLACE = "oidc:transaction"


class Failed(KioskError):
    """A login at the provider that does not count. The text is for the log, and holds nothing that was sent."""


class ProviderDown(KioskError):
    """The provider does not answer, or not what it should."""


def configured(settings: Settings) -> bool:
    """Whether there is a provider to log in at."""
    return bool(settings.oidc_issuer)


class Transaction(msgspec.Struct, frozen=True):
    """What must be the same when the browser comes back."""

    state: str
    nonce: str
    verifier: str
    begun: int
    next: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser is sent, and what it is to bring back."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says it was."""

    issuer: str
    subject: str
    claims: Mapping[str, object]
    next: str


class Provider:
    """The identity provider, and its keys as far as they are known."""

    def __init__(
        self,
        vault: Vault,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        callback: str,
        title: str = "",
    ) -> None:
        self.issuer, self.title = issuer, title or urlsplit(issuer).hostname or issuer
        self._vault = vault
        self._id, self._secret, self._callback = client_id, client_secret, callback
        self._known: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._asked = self._asked_again = -KEYS_LAST
        self._lock = asyncio.Lock()
        self._used: OrderedDict[str, None] = OrderedDict()

    @classmethod
    def to(cls, settings: Settings, vault: Vault) -> Self | None:
        """The provider that the settings describe, if any."""
        if not settings.oidc_issuer:
            return None
        if not settings.oidc_client_id or not settings.oidc_callback:
            raise BadSettings("KIOSK_OIDC_ISSUER needs KIOSK_OIDC_CLIENT_ID and KIOSK_OIDC_CALLBACK")
        if not is_safe(settings.oidc_issuer) or not is_safe(settings.oidc_callback):
            raise BadSettings("KIOSK_OIDC_ISSUER and KIOSK_OIDC_CALLBACK are https addresses, except on this machine")
        secret = settings.oidc_client_secret
        return cls(
            vault,
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret is not None else None,
            callback=settings.oidc_callback,
            title=settings.oidc_title,
        )

    async def begin(self, after: str) -> Begun:
        """A new way in; `after` is the page to go on with."""
        known = await self._discovered()
        made = Transaction(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            begun=clock.utc_now(),
            next=page_of(after),
        )
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                _safe(known["authorization_endpoint"]),
                state=made.state,
                nonce=made.nonce,
                code_verifier=made.verifier,
            )
        sealed = await asyncio.to_thread(self._vault.purpose("oidc").seal, msgspec.json.encode(made), _PLACE)
        return Begun(address=address, cookie=sealed.hex())

    async def finish(self, cookie: str, answer: Mapping[str, str]) -> Person:
        """Who came back, or Failed. A way is gone once."""
        made = await asyncio.to_thread(self._opened, cookie)
        if not hmac.compare_digest(answer.get("state", "").encode(), made.state.encode()):
            raise Failed("the state is another one: the answer belongs to another browser")
        # who answers says so, where it can (RFC 9207): against a mix-up of providers
        if answer.get("iss", self.issuer) != self.issuer:
            raise Failed("the answer is of another issuer")
        if made.state in self._used:
            raise Failed("this way was gone before")
        self._used[made.state] = None
        while len(self._used) > MOST_USED:
            self._used.popitem(last=False)
        if "error" in answer or not answer.get("code"):
            raise Failed("the provider did not let them in")
        token = await self._exchanged(answer["code"], made.verifier)
        claims = await self._checked(token, made.nonce)
        return Person(self.issuer, str(claims["sub"]), claims, made.next)

    # --- the browser's cookie

    def _opened(self, cookie: str) -> Transaction:
        try:
            plain = self._vault.purpose("oidc").open(bytes.fromhex(cookie), _PLACE)
            made = msgspec.json.decode(plain, type=Transaction)
        except (ValueError, Tampered, msgspec.DecodeError):
            raise Failed("there is no login under way in this browser") from None
        if not 0 <= clock.utc_now() - made.begun < LASTS:
            raise Failed("the login took too long")
        return made

    # --- the provider's answers

    async def _exchanged(self, code: str, verifier: str) -> str:
        known = await self._discovered()
        try:
            async with self._client() as client:
                answer = await client.fetch_token(
                    _safe(known["token_endpoint"]), code=code, code_verifier=verifier, grant_type="authorization_code"
                )
        except ProviderDown:
            raise
        except Exception as error:
            # the library's own errors, the network's, and those of what is no JSON
            raise Failed(f"the code was not taken: {type(error).__name__}") from None
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > 100_000:
            raise Failed("there is no ID token in the answer")
        return token

    async def _checked(self, token: str, nonce: str) -> Mapping[str, Any]:
        try:
            decoded = jwt.decode(token, await self._key_set(), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError, KeyError):
            # perhaps signed with a key that is new
            try:
                decoded = jwt.decode(token, await self._key_set(again=True), algorithms=list(ALGORITHMS))
            except (JoseError, ValueError, KeyError) as error:
                raise Failed(f"the ID token's signature does not count: {type(error).__name__}") from None
        claims = decoded.claims
        checked = CodeIDToken(
            claims,
            decoded.header,
            {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._id}},
            {"nonce": nonce, "client_id": self._id},
        )
        now = clock.utc_now() // SECOND
        try:
            checked.validate(now=now, leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Failed(f"the ID token does not count: {type(error).__name__}") from None
        issued, expires, subject = claims.get("iat"), claims.get("exp"), claims.get("sub")
        # what the library leaves open: a token of long ago, one without an end in sight, a nonce of another type
        if not _is_number(issued) or not _is_number(expires) or not now - LASTS // SECOND <= issued <= now + LEEWAY:
            raise Failed("the ID token was issued at another time")
        if expires <= now - LEEWAY or claims.get("nonce") != nonce or claims.get("iss") != self.issuer:
            raise Failed("the ID token does not count")
        audience = claims.get("aud")
        if self._id not in (audience if isinstance(audience, list) else [audience]):
            raise Failed("the ID token is for somebody else")
        if not isinstance(subject, str) or not 0 < len(subject) <= 200:
            raise Failed("the ID token is of nobody")
        return claims

    # --- the provider's addresses and keys

    async def _discovered(self) -> Mapping[str, Any]:
        async with self._lock:
            if self._known is None or time.monotonic() - self._asked > KEYS_LAST:
                known = await self._fetched(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                if known.get("issuer") != self.issuer:
                    raise ProviderDown("the provider says that it is another issuer")
                self._keys = await self._fetched_keys(known)
                self._known, self._asked = known, time.monotonic()
            return self._known

    async def _key_set(self, *, again: bool = False) -> KeySet:
        known = await self._discovered()
        async with self._lock:
            if again and time.monotonic() - self._asked_again > KEYS_AGAIN:
                self._asked_again = time.monotonic()
                self._keys = await self._fetched_keys(known)
            assert self._keys is not None
            return self._keys

    async def _fetched_keys(self, known: Mapping[str, Any]) -> KeySet:
        said = await self._fetched(_safe(known.get("jwks_uri")))
        listed = said.get("keys")
        keys = [
            each
            for each in (listed if isinstance(listed, list) else [])
            # a symmetric key among the published ones is nobody's secret
            if isinstance(each, dict) and each.get("kty") in ("RSA", "EC") and each.get("use", "sig") == "sig"
        ]
        try:
            return KeySet.import_key_set({"keys": keys})
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderDown("the provider's keys cannot be read") from None

    async def _fetched(self, address: str) -> Mapping[str, Any]:
        try:
            async with self._client() as client:
                answer = await client.request("GET", _safe(address), withhold_token=True)
                answer.raise_for_status()
                said = answer.json()
        except ProviderDown:
            raise
        except Exception as error:
            raise ProviderDown(f"the provider does not answer: {type(error).__name__}") from None
        if not isinstance(said, dict):
            raise ProviderDown("the provider answers something else")
        return said

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._id,
            client_secret=self._secret,
            scope=SCOPE,
            redirect_uri=self._callback,
            code_challenge_method="S256",
            timeout=TIMEOUT,
            # a redirect could lead the secret elsewhere
            follow_redirects=False,
            trust_env=False,
        )


def page_of(after: str) -> str:
    """A page of ours to go on with; anything that could lead elsewhere is the first page."""
    plain = after.isascii() and after.isprintable() and "\\" not in after and len(after) <= 400
    return after if plain and after.startswith("/") and not after.startswith(("//", "/api/")) else "/"


def is_safe(address: str) -> bool:
    """Whether what is sent there is read by nobody else: TLS, or this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    return parts.scheme == "http" and local


def _safe(address: object) -> str:
    if not isinstance(address, str) or not is_safe(address):
        raise ProviderDown("the provider names an address without TLS")
    return address


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
