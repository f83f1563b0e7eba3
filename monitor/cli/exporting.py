"""`evidence export`: a case, a mention or an access request as one ZIP that strangers can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, NoReturn

import typer

from monitor.app import App
from monitor.cli.common import FAILED, WRONG_USE, ByOption, ConfigOption, complain, who
from monitor.cli.records import opened
from monitor.evidence import entries
from monitor.storage.dossier import Chosen

if TYPE_CHECKING:
    from monitor.export.commands import Stamp
    from monitor.export.contents import Occasion
    from monitor.export.wording import Speech

CaseOption = Annotated[
    str | None, typer.Option("--case", help="All of a case, such as SM-2026-0007.")
]
MentionOption = Annotated[
    list[int] | None, typer.Option("--mention", help="One mention by its number; may be repeated.")
]
PersonOption = Annotated[
    str | None,
    typer.Option(
        "--person",
        help="Write a draft for this person's access request; nothing leaves yet.",
    ),
]
DraftOption = Annotated[
    Path | None, typer.Option("--draft", help="Export what a draft, decided to its end, releases.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept in the log.")]
RedactOption = Annotated[
    list[str] | None,
    typer.Option(
        "--redact",
        help="Fields to leave out (author, text, url, raw …), with commas or repeated.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="The file to write; named after the case and the time if not given."
    ),
]
RecipientOption = Annotated[
    list[str] | None,
    typer.Option("--recipient", help="Encrypt to this age key (age1…); may be repeated."),
]
ForOption = Annotated[str, typer.Option("--for", help="Who will be given it; stands in the log.")]
DespiteOption = Annotated[
    bool,
    typer.Option(
        "--despite-traces",
        help="Export even where what is left out can still be read elsewhere in it.",
    ),
]
RestrictedOption = Annotated[
    bool, typer.Option("--restricted", help="Needed where an allegation is part of it.")
]


def register(evidence: typer.Typer) -> None:
    """Add the command to the group `evidence`."""
    evidence.command("export")(export)


def export(
    reason: ReasonOption,
    case: CaseOption = None,
    mention: MentionOption = None,
    person: PersonOption = None,
    draft: DraftOption = None,
    redact: RedactOption = None,
    out: OutOption = None,
    recipient: RecipientOption = None,
    given_to: ForOption = "",
    despite_traces: DespiteOption = False,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    config: ConfigOption = None,
) -> None:
    """Write a ZIP with a report, the originals and the proofs, which anybody can check offline."""
    if sum(each is not None for each in (case, mention, person, draft)) != 1:
        _wrong("say what to export: one of --case, --mention, --person and --draft")
    if not reason.strip():
        _wrong("an export has a reason: --reason")
    # Slow imports: the typesetter is a large library that no other command needs.
    from monitor.export.bundle import Exporter  # noqa: PLC0415
    from monitor.export.draft import decided  # noqa: PLC0415
    from monitor.export.handing_over import write_file  # noqa: PLC0415
    from monitor.export.request import Request  # noqa: PLC0415
    from monitor.export.traces import told  # noqa: PLC0415

    per_entry: Mapping[int, frozenset[str]] = {}
    kept_back: Mapping[str, str] = {}
    with opened(config) as app:
        fields = frozenset(_split(redact or []))
        if person is not None:
            _draft(app, person, who(by), reason.strip(), out)
            return
        if draft is not None:
            reference = f"access request {app.today().isoformat()}"
            released = decided(draft, app.store.dossiers, reference)
            chosen, per_entry, kept_back = released.chosen, released.fields, released.kept_back
        else:
            chosen = _chosen(app, case, mention or [])
        if chosen.restricted and not restricted:
            _wrong("an allegation is part of this: add --restricted if you are cleared for it")
        occasion = _occasion(app, chosen, by=who(by), why=reason.strip(), given_to=given_to)
        occasion = replace(occasion, left_out=tuple(sorted(fields)), withheld=len(kept_back))
        request = Request(chosen, occasion, fields, per_entry, kept_back, despite_traces)
        exporter = Exporter(app.store, app.vault, app.key, _speech(app), lambda: _stamps(app))
        keys = tuple(recipient or ())
        path = out or _path(occasion, encrypted=bool(keys))
        traces = exporter.traces(request)
        if traces:
            complain(told(traces))
        if traces and not despite_traces:
            _wrong(
                "nothing was written: --redact more, or add --despite-traces where that is meant"
            )
        index = write_file(path, keys, lambda file: exporter.write(request, file))
    typer.echo(f"{path}\nentry {index} of the log says that it was made, by whom and why")


def _stamps(app: App) -> list[Stamp]:
    from monitor.export.commands import Stamp  # noqa: PLC0415 - with the typesetter, as above

    return [
        Stamp(
            size=each.size,
            token=each.token.response,
            chain=each.token.chain.encode(),
            authority=each.authority,
            at=each.token.at,
        )
        for each in app.store.stamps.all()
    ]


def _wrong(text: str) -> NoReturn:
    complain(text)
    raise typer.Exit(WRONG_USE)


def _split(given: list[str]) -> list[str]:
    return [name.strip() for each in given for name in each.split(",") if name.strip()]


def _chosen(app: App, case: str | None, mentions: list[int]) -> Chosen:
    if case is not None:
        found = app.store.dossiers.of_case(case)
        missing = f"there is no case {case}; numbers are like SM-2026-0007"
    else:
        numbers = "-".join(str(each) for each in mentions[:5])
        reference = f"mention {numbers}" if len(mentions) == 1 else f"mentions {numbers}"
        found = app.store.dossiers.of_mentions(mentions, reference)
        missing = "there is no mention with that number; see `staff-mentions mention list`"
    if found is None:
        complain(missing)
        raise typer.Exit(FAILED)
    return found


def _draft(app: App, person: str, by: str, why: str, out: Path | None) -> None:
    """Write the draft of an access request; that somebody read all of it is kept before."""
    from monitor.export.access import Decision, items  # noqa: PLC0415 - as above
    from monitor.export.draft import written  # noqa: PLC0415 - as above
    from monitor.export.handing_over import write_file  # noqa: PLC0415 - as above

    found = items(app.store.dossiers, person)
    at = app.clock.now()
    text = written(person, found, at).encode()
    path = out or Path(f"access-request-{at:%Y%m%dT%H%M%SZ}.toml")

    def write(file: IO[bytes]) -> int:
        what = "the draft of an access request"
        leaf = entries.access(at=at, what=what, mention_entry=None, by=by, why=why)
        app.store.log.append([leaf])
        return file.write(text)

    write_file(path, (), write)
    open_ones = sum(item.decision is Decision.UNDECIDED for item in found)
    typer.echo(f"{path}\n{len(found)} items, {open_ones} undecided: decide, then --draft {path}")


def _occasion(app: App, chosen: Chosen, *, by: str, why: str, given_to: str) -> Occasion:
    from monitor.export.contents import Occasion  # noqa: PLC0415 - as above

    return Occasion(
        reference=chosen.reference,
        at=app.clock.now(),
        by=by,
        why=why,
        school=" and ".join(school.name for school in app.config.schools[:3]),
        origin=app.key.name,
        key=str(app.key.verifier),
        recipient=given_to,
        restricted=chosen.restricted,
    )


def _speech(app: App) -> Speech:
    from monitor.export.wording import Speech  # noqa: PLC0415 - as above

    config = app.config
    names = {each.id: each.name for each in config.people}
    for school in config.schools:
        names |= {school.id: school.name} | {each.id: each.name for each in school.staff}
    return Speech(names, config.zone)


def _path(occasion: Occasion, *, encrypted: bool) -> Path:
    from monitor.export.bundle import folder_of  # noqa: PLC0415 - as above

    stem = f"{folder_of(occasion.reference)}-{occasion.at:%Y%m%dT%H%M%SZ}.zip"
    return Path(f"{stem}.age" if encrypted else stem)
