"""The composition root: a `Config` in, running objects out; it alone knows every room."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType

from monitor.briefing import Briefing
from monitor.changes import record_changes
from monitor.clock import Clock, SystemClock
from monitor.config.evidence import AuthorityConfig
from monitor.config.load import load
from monitor.config.rosters import reload_staff, roster_digest
from monitor.config.schema import Config
from monitor.contract import Alerter, SourceInfo, Tools
from monitor.errors import EvidenceError
from monitor.evidence.clockstate import clock_state
from monitor.evidence.cosignature import CosignerKey
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.fence import ProcessFence
from monitor.grading.grader import Grader
from monitor.http import HttpLimits, PoliteHttp
from monitor.judge import Judge
from monitor.matching.masking import Masker
from monitor.matching.matcher import Matcher
from monitor.opinion import SecondReader, limits
from monitor.outbox import Outbox
from monitor.people.audience import Audience
from monitor.picturing import Picturing
from monitor.pipeline import Pipeline, Source
from monitor.registry import alerter_plugins, connector_plugins
from monitor.roster import insulting_of, roster_of
from monitor.rotation import demand_key
from monitor.rounds import Rounds
from monitor.stamping import Authority, Customer, Stamper
from monitor.storage.store import Store

MEGABYTE = 1_000_000
VAULT = "vault"


def read_config(path: Path, *, clock: Clock) -> Config:
    """Load the config with the settings of every plugin that is installed."""
    return load(
        path,
        connectors={kind: plugin.config for kind, plugin in connector_plugins().items()},
        channels={kind: plugin.config for kind, plugin in alerter_plugins().items()},
        read_key=CosignerKey.parse,
        today=clock.now().date(),
    )


def customer_of(authority: AuthorityConfig) -> Customer | None:
    """As whom an authority knows the school; None where it asks nobody who they are."""
    if authority.username is None or authority.password is None:
        return None
    return Customer(authority.username, authority.password)


def mail_domain(config: Config) -> str:
    """The right side of our Message-IDs: the administrator's mail domain."""
    administrator = config.person(config.tell.administrator)
    address = administrator.email if administrator else ""
    return address.rpartition("@")[2] or "staff-mentions.invalid"


@dataclass(slots=True)
class LazyGrader:
    """Loads the model when the first text asks for it, and once only."""

    directory: Path | None = None
    _grader: Grader | None = None

    def __call__(self, thresholds: Mapping[str, float] = MappingProxyType({})) -> Grader:
        """The grader under a school's own thresholds.

        Raises:
            GradingError: where the model is missing or corrupt.
        """
        if self._grader is None:
            self._grader = Grader.load(self.directory)
        return self._grader.under(**thresholds) if thresholds else self._grader


@dataclass
class App:
    """One installation, opened: everything that a command or the service needs."""

    config: Config
    path: Path
    clock: Clock
    store: Store
    vault: Vault
    key: SigningKey
    http: PoliteHttp
    fence: ProcessFence
    grader: LazyGrader = field(default_factory=LazyGrader)
    _staff_digest: str = ""

    def __post_init__(self) -> None:
        self._staff_digest = roster_digest(self.config)

    @classmethod
    def open(cls, path: Path, *, clock: Clock | None = None) -> App:
        """Open the database, vault and key that a config names.

        Raises:
            ConfigError: with every problem in the file.
            SchemaError: when the database must be migrated first.
            EvidenceError: when the log has begun but its signing key is gone or is another.
        """
        clock = clock or SystemClock()
        config = read_config(path, clock=clock)
        store = Store(config.engine.connection_url(), mail_domain=mail_domain(config))
        try:
            key = open_key(config, log_is_empty=store.log.head()[0] == 0)
            vault = Vault(config.engine.data_dir / VAULT)
        except BaseException:
            store.close()
            raise
        try:
            store.log.open(config.evidence.origin, verifier=str(key.verifier), at=clock.now())
            demand_key(store, key, config.evidence.key_file)
        except BaseException:
            store.close()
            raise
        return cls(
            config=config,
            path=path,
            clock=clock,
            store=store,
            vault=vault,
            key=key,
            http=_http(config, clock),
            fence=_fence(config),
        )

    async def aclose(self) -> None:
        """Hang up, end the parsers, give back the database."""
        await self.http.aclose()
        await self.reader_http.aclose()
        await self.fence.aclose()
        self.store.close()

    # --- parts ----------------------------------------------------------------------------------

    @cached_property
    def reader_http(self) -> PoliteHttp:
        """Connections of the second reader alone: its long answers hold up no source."""
        return PoliteHttp(clock=self.clock)

    @cached_property
    def rounds(self) -> Rounds:
        """The service without its schedule."""
        judge = self.judge()
        outbox = Outbox(
            store=self.store,
            channels=self.channels(),
            briefing=Briefing(self.store, judge.audience, self.clock),
            audience=judge.audience,
            clock=self.clock,
        )
        pipeline = Pipeline(
            store=self.store,
            vault=self.vault,
            judge=judge,
            clock=self.clock,
            clock_state=clock_state,
        )
        return Rounds(
            store=self.store,
            pipeline=pipeline,
            outbox=outbox,
            sources=self.sources(),
            key=self.key,
            origin=self.config.evidence.origin,
            clock=self.clock,
            stamper=self.stamper(),
            reader=self.second_reader(lambda: pipeline.judge),
            picturing=self.picturing(),
            limit=asyncio.Semaphore(self.config.engine.poll_concurrency),
        )

    def stamper(self) -> Stamper:
        """The round that has checkpoints time-stamped, by the authorities in force."""
        return Stamper(
            stamps=self.store.stamps,
            authorities=tuple(
                Authority(
                    name=given.name,
                    url=given.url,
                    ca_file=given.ca_file,
                    http=self.http.for_source(
                        allow_private=given.allow_private_addresses, home=given.url
                    ),
                    customer=customer_of(given),
                )
                for given in self.config.evidence.authorities
            ),
            clock=self.clock,
        )

    def second_reader(self, judge: Callable[[], Judge]) -> SecondReader | None:
        """Whoever is asked for second opinions; None where nobody is."""
        given = self.config.grading.second_opinion
        if given is None:
            return None
        masker = Masker(roster_of(self.config, self.today()))
        return SecondReader(
            store=self.store,
            judge=judge,
            clock=self.clock,
            http=self.reader_http.for_source(
                allow_private=True, home=given.url, limits=limits(given)
            ),
            given=given,
            mask=lambda words: masker.mask(words).text,
        )

    def picturing(self) -> Picturing | None:
        """Whoever has pages pictured; None where nobody does."""
        given = self.config.evidence.pictures
        return Picturing(self.store, self.vault, self.clock, given) if given else None

    def judge(self) -> Judge:
        """The two judgements for the config in force today."""
        matcher = Matcher(roster_of(self.config, self.today()))
        grader = partial(self.grader, self.config.grading.thresholds())
        return Judge(matcher, grader, Audience(self.config), insulting_of(self.config))

    def today(self) -> date:
        return self.clock.now().astimezone(self.config.zone).date()

    def sources(self) -> Mapping[str, Source]:
        """Every enabled source with its connector."""
        plugins = connector_plugins()
        found = {}
        for name, given in self.config.sources.items():
            if not given.enabled:
                continue
            info = SourceInfo(name, given.scope, given.school, given.place)
            tools = Tools(
                http=self.http.for_source(
                    allow_private=given.allow_private_addresses,
                    home=str(getattr(given.settings, "url", "")),
                ),
                fence=self.fence,
                clock=self.clock,
                source=info,
            )
            found[name] = Source(
                info=info,
                kind=given.kind,
                interval=timedelta(minutes=given.every_minutes),
                connector=plugins[given.kind].build(given.settings, tools),
            )
        return found

    def channels(self) -> Mapping[str, Alerter]:
        """Every configured channel, ready to send."""
        plugins = alerter_plugins()
        return {
            name: plugins[given.kind].build(given.settings, self.clock)
            for name, given in self.config.channels.items()
        }

    # --- a change of config ---------------------------------------------------------------------

    def apply(self, config: Config, why: str) -> None:
        """Put a new config in force without stopping; what is running ends under the old one.

        The place of the data (data_dir, database, key, origin) cannot change under a running
        service: it stays as it was, and the caller says so.
        """
        self.config = config
        rounds = self.rounds
        rounds.pipeline.judge = replace(self.judge(), distrust=rounds.pipeline.judge.distrust)
        rounds.outbox.audience = rounds.pipeline.judge.audience
        rounds.outbox.briefing = Briefing(self.store, rounds.audience, self.clock)
        rounds.outbox.channels = self.channels()
        rounds.sources = self.sources()
        rounds.stamper = self.stamper()
        rounds.reader = self.second_reader(lambda: rounds.pipeline.judge)
        rounds.picturing = self.picturing()
        self.record_config(why)

    def reread(self) -> Config:
        """The config as its file says now. Raises ConfigError with every problem."""
        return read_config(self.path, clock=self.clock)

    def with_fresh_staff(self) -> Config | None:
        """The config with its staff files read again; None where they have not changed.

        Raises:
            ConfigError: where a changed file is bad; it is not read again until it changes again.
        """
        found = roster_digest(self.config)
        if found == self._staff_digest:
            return None
        self._staff_digest = found
        return reload_staff(self.config)

    def record_config(self, why: str) -> None:
        """Seal that the config or the roster is not what it was when last seen."""
        record_changes(self.store, self.config, why=why, at=self.clock.now())


def _http(config: Config, clock: Clock) -> PoliteHttp:
    cap = config.engine.body_limit_mb * MEGABYTE
    return PoliteHttp(
        clock=clock,
        contact=config.engine.user_agent_contact or "",
        limits=HttpLimits(wire_bytes=cap, body_bytes=cap),
    )


def _fence(config: Config) -> ProcessFence:
    return ProcessFence(
        seconds=config.engine.parser_seconds,
        memory_mb=config.engine.parser_memory_mb,
        workers=min(2, os.cpu_count() or 1),
    )


def open_key(config: Config, *, log_is_empty: bool) -> SigningKey:
    """The key that signs checkpoints; made where the log has not begun.

    Raises:
        EvidenceError: when the log has begun and its key is not there. A new key would look like
            a new log, so none is made.
    """
    path = config.evidence.key_file
    if path.exists():
        return SigningKey.load(path)
    if not log_is_empty:
        raise EvidenceError(
            f"the log has begun, but its signing key is not at {path}: put the key back from the"
            " backup (evidence.key_file in the config says where it is looked for)"
        )
    key = SigningKey.generate(config.evidence.origin)
    with suppress(FileExistsError):
        path.parent.mkdir(parents=True)
    key.save(path)
    return key
