"""The table of the second opinion: another model, on a server of the school's own."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from monitor.config.fields import (
    LongText,
    Part,
    Text,
    UnfitError,
    WebAddress,
    Whole,
    is_this_machine,
)

_ENDPOINT = "/chat/completions"


class SecondOpinionConfig(Part):
    """A local model that re-reads what the grader is unsure about; off where left out."""

    url: WebAddress = Field(
        description="Where a server with the OpenAI form of chat listens (Ollama, llama.cpp), up "
        "to and with its `/v1`. This machine, or another one that `where` describes."
    )
    model: Text = Field(description="The name of the model, as the server calls it.")
    where: LongText | None = Field(
        default=None,
        validate_default=True,
        description="Where that server stands and whose it is; needed unless it is this machine.",
    )
    timeout_seconds: Whole = Field(
        default=120, ge=1, le=600, description="An answer that takes longer is no opinion."
    )
    most_per_hour: Whole = Field(
        default=30,
        ge=1,
        le=1000,
        description="Mentions that are read again in an hour; the rest wait.",
    )

    @field_validator("url")
    @classmethod
    def _the_base(cls, url: str) -> str:
        base = url.rstrip("/")
        if base.endswith(_ENDPOINT) or urlsplit(base).query or urlsplit(base).username:
            raise UnfitError(
                "must be the base of the server's addresses", "such as http://127.0.0.1:11434/v1"
            )
        return base

    @field_validator("where")
    @classmethod
    def _known_if_elsewhere(cls, where: str | None, known: ValidationInfo) -> str | None:
        url = known.data.get("url")
        if where is None and url and not is_this_machine(url):
            raise UnfitError(
                "is missing: the address is not this machine's",
                "write where the server stands and whose it is; posts are sent to it, names masked",
            )
        return where
