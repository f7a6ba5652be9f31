"""How the app is served: uvicorn on uvloop, one process, quiet."""

import asyncio
from pathlib import Path

import uvicorn
from fastapi import FastAPI


async def serve(app: FastAPI, host: str, port: int, tls: tuple[Path, Path | None] | None = None) -> None:
    """Serve until the process is told to stop; over TLS with a certificate and its key."""
    served = server(app, host, port, tls)
    serving = asyncio.ensure_future(served.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        # cancelled within, it would drop its sockets, and log the lifespan's end as an error
        served.should_exit = True
        await serving
        raise


def server(app: FastAPI, host: str, port: int, tls: tuple[Path, Path | None] | None = None) -> uvicorn.Server:
    """A server with our settings, not yet started."""
    certificate, key = (None, None) if tls is None else tls
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            # it waits for a slow socket instead of buffering for it
            ws="websockets-sansio",
            # base64 of samples deflates badly, and each message would pay for it
            ws_per_message_deflate=False,
            # pages have nothing to say on a live socket
            ws_max_size=4096,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            # paths hold ids: counts are in /metrics
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=5,
            lifespan="on",
            ssl_certfile=certificate,
            ssl_keyfile=key,
            # anybody on this machine could write X-Forwarded-For: `api.login.throttle` knows whom to believe
            proxy_headers=False,
        )
    )
