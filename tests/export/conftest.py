"""One exported case for the tests that alter it, and one browser for all that ask a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.storage.store import Store
from tests.export.browser import CHROMIUM, Browser, browsing
from tests.export.house import School, a_case, a_picture
from tests.programs import needs


@pytest.fixture
def school(
    sqlite_store: Store, vault: Vault, signing_key: SigningKey, make: SimpleNamespace
) -> School:
    """A school with nothing in its log but the beginning."""
    return School(sqlite_store, vault, signing_key, make)


@pytest.fixture
def with_case(school: School) -> School:
    a_case(school)
    return school


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not CHROMIUM:
        needs("chromium")
    folder = tmp_path_factory.mktemp("profile")
    with browsing(folder) as opened:
        yield opened
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def exported(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    signing_key: SigningKey,
    make: SimpleNamespace,
) -> Path:
    """The ZIP of a case with WARC files and a picture, made once: it is copied to be altered."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copyfile(sqlite_template, folder / "a.sqlite3")
    with closing(Store(f"sqlite:///{folder}/a.sqlite3", mail_domain="school.example")) as store:
        store.log.open(make.origin, verifier=str(signing_key.verifier), at=make.now)
        school = School(store, Vault(folder / "vault"), signing_key, make)
        a_case(school)
        a_picture(school)
        return school.export(folder / "case.zip")
