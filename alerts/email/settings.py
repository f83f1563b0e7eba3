"""What the config says about the mail server, and what an e-mail address is."""

from __future__ import annotations

import ipaddress
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from monitor.contract import Settings


def well_formed(address: str) -> Address:
    """Read an address as `local@domain`, its domain in the letters that DNS uses.

    Raises:
        ValueError: when it is not one address, or holds a line break or a control character.
    """
    if any(not character.isprintable() for character in address):
        raise ValueError("an e-mail address holds no control characters")
    try:
        plain = Address(addr_spec=address)
    except (HeaderParseError, IndexError) as error:
        raise ValueError("this is not an e-mail address") from error
    if not plain.username or not plain.domain:
        raise ValueError("this is not an e-mail address: it needs a name, @ and a domain")
    domain = plain.domain if plain.domain.isascii() else plain.domain.encode("idna").decode()
    return Address(username=plain.username, domain=domain)


class EmailSettings(Settings):
    """How to reach the mail server, and in whose name mails are sent.

    `password` is filled by the config loader from `password_file` or a systemd credential.
    `ca_file` adds a certificate authority of the school's own to those of the system.
    """

    host: str = Field(min_length=1, max_length=255)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    from_address: str
    from_name: str = "staff-mentions"
    reply_to: str | None = None
    timeout_seconds: float = Field(default=20.0, ge=0.1, le=120)
    ca_file: Path | None = None

    @field_validator("from_address", "reply_to")
    @classmethod
    def _addresses_are_addresses(cls, value: str | None) -> str | None:
        return None if value is None else well_formed(value).addr_spec

    @model_validator(mode="after")
    def _a_password_travels_only_under_cover(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both, or neither")
        if self.security == "none" and self.username is not None and not _is_loopback(self.host):
            raise ValueError(
                'security = "none" would send the password in the clear: use "starttls" or "tls"'
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
