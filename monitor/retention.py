"""Retention: lets go what its rules allow, and asks a person about everything in a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from loguru import logger

from monitor.config.schema import Config
from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.storage.expiry import Expired, Terms
from monitor.storage.store import Store

_AT_A_TIME = 100
"""Mentions erased in one commit: its entry lists their entries and has to fit into a leaf."""


@dataclass(frozen=True, slots=True)
class Retention:
    """One installation's rules over what it keeps."""

    store: Store
    config: Config
    vault: Vault

    @property
    def terms(self) -> Terms:
        """The rules of the config in force."""
        found = self.config.retention
        return Terms(
            neutral_days=found.neutral_days,
            after_abuse_months=found.neutral_kept_after_abuse_months,
            abusive_years=found.abusive_years_after_school_year,
            zone=self.config.zone,
            school_year_end=found.school_year_end,
        )

    def plan(self, now: datetime) -> tuple[Expired, ...]:
        """What would go, and why; what names a case goes only with `approve`."""
        return (
            *self.store.expiry.neutral(self.terms, now),
            *self.store.expiry.cases(self.terms, now),
        )

    def apply(self, *, by: str, at: datetime) -> int:
        """Erase what needs nobody's approval; how many mentions went."""
        found = self.store.expiry.neutral(self.terms, at)
        gone = 0
        for start in range(0, len(found), _AT_A_TIME):
            part = found[start : start + _AT_A_TIME]
            gone += self._erase([each.mentions[0] for each in part], part[0].why, by=by, at=at)
        if gone:
            logger.bind(mentions=gone).info("retention.applied")
        return gone

    def approve(self, reference: str, *, by: str, why: str, at: datetime) -> int:
        """Erase a case whose time is over, as a person approved; how many mentions went.

        Raises:
            EvidenceError: the case's time is not over, or it is held.
        """
        for each in self.store.expiry.cases(self.terms, at):
            if each.case == reference:
                return self._erase(each.mentions, f"{each.why}; approved: {why}", by=by, at=at)
        raise EvidenceError(
            f"{reference} is not among the cases whose time is over: nothing was erased;"
            " `retention` lists them"
        )

    def _erase(
        self, mentions: tuple[int, ...] | list[int], why: str, *, by: str, at: datetime
    ) -> int:
        done = self.store.erasing.erase(mentions, reason=why, by=by, at=at, basis="retention")
        self.store.erasing.settle(self.vault)
        return len(done.mentions)
