"""What a backup and a restore cost beside a plain copy: `python -m bench.backup [MENTIONS]`.

One installation on SQLite: a case of so many mentions, each with its original in the vault, and a
hundred thousand other entries. A plain copy is the database, the vault and the key, written to the
disk and synced. It is neither of one moment nor encrypted nor verified: it is the least that could
be done. Each turn does all three, one after the other; the figures are medians.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.export import AT, ORIGIN, fill
from bench.measure import table
from monitor.backup import archive, making, restoring, staging
from monitor.backup.staging import Place
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.storage import schema
from monitor.storage.store import Store

TURNS = 3
T = TypeVar("T")


@dataclass(slots=True)
class Times:
    """Seconds that each thing took, one for each turn."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, what: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        found = work()
        self.taken.setdefault(what, []).append(time.perf_counter() - began)
        return found

    def rows(self, least: str) -> Iterator[list[str]]:
        floor = statistics.median(self.taken[least])
        for what, found in self.taken.items():
            median = statistics.median(found)
            yield [what, f"{median:.2f} s", f"{median / floor:.1f}"]


def place_in(folder: Path) -> Place:
    folder.mkdir()
    url = f"sqlite:///{folder}/staff-mentions.sqlite3"
    return Place(url, folder, folder / "vault", folder / "signing-key")


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def copied(source: Path, target: Path) -> None:
    """Every file as it lies there, synced."""
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = place_in(folder / "house")
        schema.migrate(place.url)
        key, vault = SigningKey.generate(ORIGIN), Vault(place.vault)
        key.save(place.key_file)
        with closing(Store(place.url, mail_domain="hillview.example")) as store:
            store.log.open(ORIGIN, verifier=str(key.verifier), at=AT)
            fill(store, vault, count)
        measure(folder, place, count)


def turn(times: Times, folder: Path, place: Place, path: Path) -> int:
    """Copy, back up and restore once; how many entries the log then has."""
    path.unlink(missing_ok=True)
    times.measure("a plain copy", lambda: copied(place.data_dir, folder / "copy"))
    shutil.rmtree(folder / "copy")
    recipient, identity = archive.new_identity("")
    with closing(Store(place.url, mail_domain="hillview.example")) as store:
        copier = making.Making(store, Vault(place.vault), place.key_file)
        times.measure(
            "`backup`: read, encrypted, synced",
            lambda: copier.make(path, [recipient], by="bench", at=AT),
        )
        entries = store.log.head()[0]
    there, keys = place_in(folder / "there"), archive.identities_of(identity, str)
    staged = times.measure(
        "`restore`: opened, every entry verified", lambda: staging.stage(path, keys, there)
    )
    times.measure("`restore`: put in place", lambda: put(staged, there))
    shutil.rmtree(there.data_dir)
    return entries


def measure(folder: Path, place: Place, count: int) -> None:
    times, path = Times(), folder / "one.backup.age"
    for _ in range(TURNS):
        entries = turn(times, folder, place, path)
    database = Path(place.url.removeprefix("sqlite:///")).stat().st_size
    whole, blobs = size_of(place.data_dir), sum(1 for _ in Vault(place.vault).walk())
    load = os.getloadavg()[0]
    print(
        f"{count:,} mentions, {entries:,} entries, {blobs:,} originals; SQLite, median of {TURNS}"
        f" turns; load {load:.1f}. A plain copy syncs every file, a backup its one.\n"
    )
    table(["", "measured", "to a plain copy"], list(times.rows("a plain copy")))
    rows = [
        ["all files of the installation", f"{whole / 1e6:.1f} MB", "1.0"],
        ["of them the database", f"{database / 1e6:.1f} MB", f"{database / whole:.2f}"],
        [
            "the backup",
            f"{path.stat().st_size / 1e6:.1f} MB",
            f"{path.stat().st_size / whole:.2f}",
        ],
    ]
    table(["", "size", "to all files"], rows)


def put(staged: staging.Staged, there: Place) -> None:
    compared = restoring.compare(staged, old=None, known=())
    restoring.put(staged, compared, there, by="bench", why="bench", at=AT)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
