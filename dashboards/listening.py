"""Where the studio listens, under which names it answers, and what is told of it; TLS by uvicorn's own means."""

import errno
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from annotate.guard import LOOPBACK_HOSTS
from reward.errors import RewardError

HOST: Final = "127.0.0.1"
PORT: Final = 7860


class StudioError(RewardError):
    """The studio can't be served as asked; the message says what to change."""


@dataclass(frozen=True)
class Listening:
    """An address to listen at. `names` are further host names under which browsers reach it.

    Raises:
        StudioError: a name is none, or certificate and key don't go together.
    """

    host: str = HOST
    port: int = PORT
    names: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        for name in self.names:
            if not _is_host(name):
                raise StudioError(f"--allow-host {name}: a host's name stands there, such as studio.example.org")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise StudioError("--tls-cert and --tls-key go together: a certificate and its private key, as PEM files")
        if self.tls_cert is not None and self.tls_key is not None:
            try:
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.tls_cert, self.tls_key)
            except (OSError, ssl.SSLError) as error:
                raise StudioError(f"--tls-cert {self.tls_cert} can't be used with its key: {error}") from error

    @property
    def others_reach_it(self) -> bool:
        """Whether it is meant to be reached from another computer, be it through a proxy on this one."""
        return not all(map(is_loopback, (self.host, *self.names)))

    def hosts(self) -> tuple[str, ...]:
        """What may stand in a request's Host header, without port: names that nobody else can point here."""
        own = (_bracketed(self.host),) if not self._any_address else (socket.gethostname(), *_own_addresses())
        names = (_bracketed(name.strip("[]")) for name in self.names)
        return tuple(dict.fromkeys((*LOOPBACK_HOSTS, *own, *names)))

    def url(self, port: int) -> str:
        """The address to open."""
        shown = self.names[0].strip("[]") if self.names else socket.gethostname() if self._any_address else self.host
        return f"{'https' if self.tls_cert else 'http'}://{_bracketed(shown)}:{port}"

    def words(self) -> str:
        """What to tell whoever starts it; nothing for this computer alone."""
        if not self.others_reach_it:
            return ""
        told = f"It answers at {', '.join(self.hosts())}; --allow-host NAME adds a name."
        if self.tls_cert is None and not is_loopback(self.host):
            told += (
                "\nPasswords travel unencrypted: give --tls-cert and --tls-key, or put it behind a proxy on this "
                "computer that speaks TLS."
            )
        return told

    def bind(self) -> socket.socket:
        """A socket bound to the port of the address; 0 takes any free one.

        Raises:
            StudioError: the port is taken or not allowed, or the address isn't this computer's.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # asyncio gives TCP_NODELAY only to sockets that say they are TCP's; else each answer waits 40 ms for an ACK.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host.strip("[]"), self.port))
            listener.listen()  # now, not when all is built: a second studio that starts meanwhile is told
        except OSError as error:
            listener.close()
            raise StudioError(self._why_not(error)) from error
        return listener

    def tls(self) -> dict[str, Any]:
        """uvicorn's options for certificate and key."""
        if self.tls_cert is None:
            return {}
        return {"ssl_certfile": str(self.tls_cert), "ssl_keyfile": str(self.tls_key)}

    @property
    def _any_address(self) -> bool:
        return self.host.strip("[]") in {"", "0.0.0.0", "::"}

    def _why_not(self, error: OSError) -> str:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            return f"--host {self.host} is no address of this computer; 0.0.0.0 listens at all of them"
        taken = "is taken, perhaps by another studio"
        reason = taken if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
        other = self.port + 1 if 1024 <= self.port < 65535 else 7861
        return f"Port {self.port} {reason}; choose another one with --port {other}"


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this computer alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_host(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return bool(name) and not any(character in name for character in "/@ *:[]")
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host.lower()


def _own_addresses() -> list[str]:
    import psutil

    found = [address.address for addresses in psutil.net_if_addrs().values() for address in addresses
             if address.family in {socket.AF_INET, socket.AF_INET6}]  # fmt: skip
    return sorted(_bracketed(address) for address in found if "%" not in address and not is_loopback(address))
