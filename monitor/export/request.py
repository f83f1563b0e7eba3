"""What a person asks an export to be of, and what to leave out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.export.contents import Occasion
from monitor.storage.dossier import Chosen


@dataclass(frozen=True, slots=True)
class Request:
    """An export as asked for. `fields` are left out everywhere, `per_entry` in single entries.

    `despite_traces`: also where what is left out can still be read elsewhere in the export.
    """

    chosen: Chosen
    occasion: Occasion
    fields: frozenset[str] = frozenset()
    per_entry: Mapping[int, frozenset[str]] = field(default_factory=dict)
    kept_back: Mapping[str, str] = field(default_factory=dict)
    despite_traces: bool = False

    def asked(self, entry: int) -> frozenset[str]:
        """What is to be left out of one entry, as a person named it."""
        return self.fields | self.per_entry.get(entry, frozenset())
