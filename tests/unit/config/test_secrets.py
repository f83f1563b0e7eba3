"""Secrets come from files, variables or credentials, and are shown to nobody."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from monitor.config.schema import Config
from monitor.config.secrets import Secret, exposures
from monitor.errors import ConfigError

if TYPE_CHECKING:
    Read = Callable[..., Config]
    Write = Callable[..., Path]

PASSWORD = "correct horse battery"
VARIABLE = "STAFF_MENTIONS_CHANNELS_MAIL_PASSWORD"
GIVEN_AS_FILE = {'kind = "email"\n': 'kind = "email"\npassword_file = "mail-password"\n'}


def password_of(config: Config) -> str:
    secret = getattr(config.channels["mail"].settings, "password", None)
    assert isinstance(secret, SecretStr)
    return secret.get_secret_value()


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "mail-password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return path


def test_a_secret_comes_from_a_file_without_its_line_end(
    read: Read, write: Write, secret_file: Path
) -> None:
    assert password_of(read(write(replace=GIVEN_AS_FILE))) == PASSWORD


def test_a_secret_comes_from_the_environment(read: Read, write: Write) -> None:
    assert password_of(read(write(), {VARIABLE: PASSWORD})) == PASSWORD


def test_a_secret_comes_from_systemds_credentials(read: Read, write: Write, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "channels.mail.password").write_text(PASSWORD)

    config = read(write(), {"CREDENTIALS_DIRECTORY": str(credentials)})

    assert password_of(config) == PASSWORD


def test_the_database_password_is_a_secret_like_any_other(read: Read, write: Write) -> None:
    url = "postgresql+psycopg://sm@db.example:5433/mentions"
    path = write(f'database_url = "{url}"')

    engine = read(path, {"STAFF_MENTIONS_ENGINE_DATABASE_PASSWORD": "p@ss/w:rd"}).engine

    assert engine.database_url == url
    assert engine.connection_url() == (
        "postgresql+psycopg://sm:p%40ss%2Fw%3Ard@db.example:5433/mentions"
    )


def test_a_secret_that_is_given_twice_is_a_problem(
    read: Read, write: Write, secret_file: Path
) -> None:
    with pytest.raises(ConfigError, match="is given twice") as refused:
        read(write(replace=GIVEN_AS_FILE), {VARIABLE: "other"})

    assert len(refused.value.problems) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xff\xfe\x00", "is not text"),
        (b"x" * 100_000, "is far too long"),
    ],
)
def test_a_file_that_can_be_no_secret_is_a_problem(
    content: bytes, said: str, read: Read, write: Write, secret_file: Path
) -> None:
    secret_file.write_bytes(content)

    with pytest.raises(ConfigError, match=said) as refused:
        read(write(replace=GIVEN_AS_FILE))

    assert len(refused.value.problems) == 1


def test_a_folder_is_no_secret(read: Read, write: Write, tmp_path: Path) -> None:
    (tmp_path / "mail-password").mkdir()

    with pytest.raises(ConfigError, match="cannot read"):
        read(write(replace=GIVEN_AS_FILE))


def test_a_pipe_is_no_secret_and_does_not_hang(read: Read, write: Write, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mail-password", 0o600)

    with pytest.raises(ConfigError, match="is not a file"):
        read(write(replace=GIVEN_AS_FILE))


@pytest.mark.parametrize(("mode", "said"), [(0o604, "anybody"), (0o620, "others may change")])
def test_a_secret_that_others_can_get_at_is_a_problem_with_the_command_that_mends_it(
    mode: int, said: str, read: Read, write: Write, secret_file: Path
) -> None:
    secret_file.chmod(mode)

    with pytest.raises(ConfigError, match=said) as refused:
        read(write(replace=GIVEN_AS_FILE))

    assert f"chmod 600 {secret_file}" in str(refused.value)


@pytest.mark.parametrize(
    ("owner", "reader", "warned"),
    [
        pytest.param(991, 991, True, id="the service lets its group read"),
        pytest.param(0, 991, False, id="root lets the service's group read"),
        pytest.param(0, 0, False, id="root looks after root's file"),
    ],
)
def test_a_group_that_may_read_is_a_warning_where_the_owner_could_have_kept_it(
    owner: int, reader: int, warned: bool
) -> None:
    status = os.stat_result((0o100640, 0, 0, 1, owner, owner, 10, 0, 0, 0))

    found = list(exposures(status, Path("secret"), ("channels",), reader=reader))

    assert [finding.grave for finding in found] == ([False] if warned else [])


def test_a_variable_that_nothing_reads_is_told_with_the_one_that_was_meant(
    read: Read, write: Write
) -> None:
    warnings = read(write(), {"STAFF_MENTIONS_CHANNELS_MAIL_PASWORD": PASSWORD}).warnings

    assert len(warnings) == 1
    assert f"did you mean {VARIABLE}?" in str(warnings[0])
    assert PASSWORD not in str(warnings[0])


def test_variables_of_other_programs_are_passed_over(read: Read, write: Write) -> None:
    assert read(write(), {"PATH": "/bin", "STAFF_MENTIONS_CONFIG": "x"}).warnings == ()


# --- shown to nobody --------------------------------------------------------------------------


def test_nothing_that_shows_a_configuration_shows_a_secret(
    read: Read, write: Write, secret_file: Path
) -> None:
    config = read(write(replace=GIVEN_AS_FILE))

    shown = (repr(config), str(config), f"{config.redacted()}", config.model_dump_json())

    assert config.redacted()["channels"]["mail"]["settings"]["password"] == "<redacted>"
    assert "Secret(<redacted>)" in repr(config)
    assert not any(PASSWORD in text for text in shown)


def test_a_secret_formats_as_redacted() -> None:
    secret = Secret(PASSWORD)

    assert (str(secret), f"{secret}", repr(secret)) == (
        "<redacted>",
        "<redacted>",
        "Secret(<redacted>)",
    )


def test_the_digest_does_not_depend_on_a_secret(
    read: Read, write: Write, secret_file: Path
) -> None:
    path = write(replace=GIVEN_AS_FILE)
    before = read(path).digest()
    secret_file.write_text("another")

    assert read(path).digest() == before


@pytest.mark.parametrize(
    "written",
    [
        'password = "correct horse battery"',
        'pasword = "correct horse battery"',
        'port = "correct horse battery"',
        'password = ["correct horse battery"]',
        'password_file = ["correct horse battery"]',
    ],
)
def test_a_secret_in_a_wrong_place_is_not_repeated_in_the_problem(
    written: str, read: Read, write: Write
) -> None:
    path = write(replace={'kind = "email"\n': f'kind = "email"\n{written}\n'})

    with pytest.raises(ConfigError) as refused:
        read(path)

    assert PASSWORD not in str(refused.value)
    assert PASSWORD not in repr(refused.value.problems)


def test_keys_in_a_feeds_address_are_left_out_of_what_is_shown(read: Read, write: Write) -> None:
    url = "https://me:hunter2@gazette.example/feed?api_key=abc123&page=2"
    config = read(write(replace={"https://gazette.example/feed.xml": url}))

    shown = config.redacted()["sources"]["gazette"]["settings"]["url"]

    assert shown == "https://<redacted>@gazette.example/feed?api_key=<redacted>&page=2"
    assert config.sources["gazette"].settings.model_dump()["url"] == url


# --- of a table in a list ---------------------------------------------------------------------

AUTHORITY = """
[[evidence.authorities]]
name = "stamps-one"
url = "https://stamps.example/tsa"
ca_file = "root.pem"

[[evidence.authorities]]
name = "stamps-two"
url = "https://two.example/tsa"
ca_file = "root.pem"
username = "thornleigh"
"""
OF_AUTHORITY = "STAFF_MENTIONS_EVIDENCE_AUTHORITIES_STAMPS_TWO_PASSWORD"


def password_of_second(config: Config) -> str | None:
    one, two = config.evidence.authorities
    assert one.password is None
    return two.password.get_secret_value() if two.password else None


def test_the_password_of_an_authority_comes_from_a_file_a_variable_or_a_credential(
    read: Read, write: Write, secret_file: Path, tmp_path: Path
) -> None:
    path = write(AUTHORITY)
    assert password_of_second(read(path, {OF_AUTHORITY: PASSWORD})) == PASSWORD
    (tmp_path / "evidence.authorities.stamps-two.password").write_text(PASSWORD)
    given = read(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert password_of_second(given) == PASSWORD
    config = read(write(AUTHORITY + f'password_file = "{secret_file.name}"\n'))
    assert password_of_second(config) == PASSWORD
    assert PASSWORD not in repr(config) + str(config.redacted())


def test_a_variable_that_names_no_authority_is_doubtful(read: Read, write: Write) -> None:
    one = OF_AUTHORITY.replace("TWO", "TOW")
    config = read(write(AUTHORITY), {OF_AUTHORITY: PASSWORD, one: PASSWORD})
    (told,) = [each for each in config.warnings if one in each.message]
    assert OF_AUTHORITY in told.suggestion


def test_no_password_travels_in_the_clear_save_on_this_machine(read: Read, write: Write) -> None:
    there = AUTHORITY.replace("https://two", "http://two")
    with pytest.raises(ConfigError, match="would send the password in the clear") as refused:
        read(write(there), {OF_AUTHORITY: PASSWORD})
    (problem,) = refused.value.problems
    assert (problem.path, problem.line) == ("evidence.authorities[2]", 52)
    here = AUTHORITY.replace("https://two.example", "http://127.0.0.1:318")
    assert password_of_second(read(write(here), {OF_AUTHORITY: PASSWORD})) == PASSWORD


@pytest.mark.parametrize(
    ("more", "variable", "names"),
    [
        (
            AUTHORITY.replace("stamps-one", "stamps.two"),
            OF_AUTHORITY,
            "evidence.authorities.stamps.two.password and evidence.authorities.stamps-two.password",
        ),
        (
            """
[sources.town-news]
kind = "feed"
url = "https://one.example/feed"
[sources.town_news]
kind = "feed"
url = "https://two.example/feed"
""",
            "STAFF_MENTIONS_SOURCES_TOWN_NEWS_TOKEN",
            "sources.town-news.token and sources.town_news.token",
        ),
    ],
)
def test_names_that_differ_only_in_punctuation_do_not_share_a_secret(
    read: Read, write: Write, more: str, variable: str, names: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(write(more), {variable: PASSWORD})
    told = [each for each in refused.value.problems if variable in each.message]
    assert [each.message.startswith(names) for each in told] == [True]
    assert "_file in each" in told[0].suggestion
    if "sources" in more:
        assert "town-news" in read(write(more)).sources, "nothing is shared where it is not set"
