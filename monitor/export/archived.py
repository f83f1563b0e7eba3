"""The WARC file of an entry that an export shows: as it was kept, or made from what is shown.

Logs from before WARC files were kept say enough to make one; that file says only what is disclosed,
and the sealed entry, not the file, is then the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from monitor.evidence.vault import Vault
from monitor.evidence.verify import BLOB_FIELD, WARC_FIELD
from monitor.evidence.warc import packed
from monitor.export.redact import Shown


def archived(entry: Shown, vault: Vault, raw_sha256: str, log: str) -> bytes | None:
    """Return the file, or None where the answer that the item stood in is withheld.

    `log` is the log's origin; it goes into the names of records that are made here.

    Raises:
        EvidenceError: the vault does not have it whole.
    """
    kept = entry.get(WARC_FIELD)
    if isinstance(kept, str) and kept:
        return vault.get(kept)
    answer = entry.get("answer")
    if not isinstance(answer, dict):
        return None
    return packed(
        vault.get(raw_sha256),
        str(entry.get("raw_media_type") or ""),
        str(answer["url"]),
        str(answer["received_at"]),
        [(name, str(value)) for name, value in _facts(entry, answer)],
        f"{log}/{entry.index}",
    )


def originals(entries: Sequence[Shown], vault: Vault, log: str) -> Iterator[tuple[int, bytes]]:
    """The entry and the bytes of every original that is shown: as it arrived, and its WARC file.

    Raises:
        EvidenceError: the vault does not have one whole.
    """
    for each in entries:
        digest = each.opened.secret.get(BLOB_FIELD)
        if isinstance(digest, str) and digest and not each.erased:
            yield each.index, vault.get(digest)
            yield each.index, archived(each, vault, digest, log) or b""


def _facts(entry: Shown, answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "http-status", answer["status"]
    for name, value in answer["headers"]:
        yield "http-header", f"{name}: {value}"
    yield "answer-size", answer["size"]
    yield "answer-sha256", answer["sha256"]
    offset = entry.get("raw_offset")
    if offset is not None:
        yield "item-offset", offset
    yield "log-entry", entry.index
