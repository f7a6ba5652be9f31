"""An identity provider for tests: a real HTTP server with keys of its own, that lies where it is told to."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "kiosk-client", "a client's secret"
Json = dict[str, Any]


class Idp:
    """What the provider knows, and how it misbehaves."""

    def __init__(self) -> None:
        self.issuer = ""
        self._first = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.reset()

    def reset(self) -> None:
        """Honest again, with its first key, and somebody who was never here before."""
        self.keys: dict[str, RSAKey | ECKey] = {"k1": self._first}
        self.signs_with = "k1"
        self.codes: dict[str, Json] = {}
        self.subject, self.claims = f"subject-{secrets.token_hex(4)}", Json()
        self.changed: Callable[[Json], Json] = lambda claims: claims
        self.forge: Callable[[Json], str] | None = None
        self.metadata = Json()
        self.extra_keys: list[Json] = []
        self.asked: list[str] = []
        self.down = False

    def discovery(self) -> Json:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **self.metadata,
        }

    def jwks(self) -> Json:
        return {"keys": [*(key.as_dict(private=False) for key in self.keys.values()), *self.extra_keys]}

    def authorize(self, address: str) -> str:
        """Somebody logs in there: the address that the browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: Json, authorization: str) -> tuple[int, Json]:
        """The token endpoint: a code counts once, from whom it was given to, with the verifier of its challenge."""
        asked = self.codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != expected:
            return 401, {"error": "invalid_client"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or asked["code_challenge"] != challenge.decode().rstrip("=")
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = self.changed(
            {
                "iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300,
                "nonce": asked["nonce"], **self.claims,
            }
        )  # fmt: skip
        token = self.forge(claims) if self.forge is not None else self.signed(claims)
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": token}

    def signed(self, claims: Json, key: RSAKey | ECKey | None = None, kid: str | None = None) -> str:
        key = key or self.keys[self.signs_with]
        algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
        return jwt.encode({"alg": algorithm, "kid": kid or self.signs_with}, claims, key, algorithms=[algorithm])

    def with_public_key_as_secret(self, claims: Json) -> str:
        """The classic confusion: HMAC under what everybody may read."""
        pem = self.keys["k1"].as_pem(private=False)
        return jwt.encode({"alg": "HS256", "kid": "k1"}, claims, OctKey.import_key(pem), algorithms=["HS256"])

    @staticmethod
    def unsigned(claims: Json, algorithm: str = "none") -> str:
        parts = [{"alg": algorithm, "typ": "JWT"}, claims]
        return (
            ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
        )


@contextmanager
def provider() -> Iterator[Idp]:
    """A provider that listens on this machine."""
    idp = Idp()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            idp.asked.append(self.path)
            found = {"/.well-known/openid-configuration": idp.discovery, "/jwks": idp.jwks}.get(self.path)
            self._answer(*((404, {}) if found is None else (200, found())))

        def do_POST(self) -> None:
            idp.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*idp.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, said: Json) -> None:
            data = json.dumps(said).encode()
            self.send_response(503 if idp.down else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    idp.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield idp
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
