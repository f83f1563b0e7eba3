"""The JSON lines of the command `match`: posts in, mentions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.model import Author, Certainty, Mention, Post, PostRef, Scope, TargetKind


class LineError(ValueError):
    """A line is not a post."""


def read_line(obj: object) -> tuple[str, Post, Scope, str | None, str | None]:
    """Read one post: (id, post, scope, source_school, place).

    Raises:
        LineError: where the line is not an object, has no text, or a field has the wrong type.
    """
    if not isinstance(obj, Mapping):
        raise LineError("must be a JSON object")
    fields = {key: _text(obj, key) for key in ("text", "title", "thread", "url", "author", "scope")}
    identity = obj.get("id", "")
    if not isinstance(identity, str | int):
        raise LineError("id must be a text or a number")
    if "text" not in obj or obj["text"] is None:
        raise LineError("text is missing")
    try:
        scope = Scope(fields["scope"] or "open")
    except ValueError:
        raise LineError('scope must be "school" or "open"') from None
    author = fields["author"]
    post = Post(
        PostRef("line", str(identity)),
        fields["text"],
        url=fields["url"],
        title=fields["title"],
        thread=fields["thread"],
        author=Author(handle=author) if author.startswith("@") else Author(name=author),
    )
    return (
        str(identity),
        post,
        scope,
        _text(obj, "source_school") or None,
        _text(obj, "place") or None,
    )


def _text(obj: Mapping[str, Any], key: str) -> str:
    value = obj.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LineError(f"{key} must be a text")
    return value


def write_line(identity: str, mentions: Sequence[Mention]) -> dict[str, Any]:
    """Return the answer for one post, in the form that the design gives for the command `match`."""
    staff, schools, possible = [], [], []
    for mention in mentions:
        if mention.certainty is Certainty.POSSIBLE:
            possible.append(mention.target.id)
        elif mention.target.kind is TargetKind.PERSON:
            staff.append(mention.target.id)
        else:
            schools.append(mention.target.id)
    return {
        "id": identity,
        "staff": staff,
        "schools": schools,
        "possible": possible,
        "matches": [
            {
                "target": match.target.id,
                "field": match.field.value,
                "rule": match.rule,
                "start": match.start,
                "end": match.end,
                "text": match.text,
                "confidence": match.confidence,
            }
            for mention in mentions
            for match in mention.matches
        ],
    }
