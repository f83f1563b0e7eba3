"""Redaction, Retry-After, spacing, and the wait after failures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.backoff import next_delay
from monitor.http.patience import LONGEST, Spacing, retry_after
from monitor.http.redact import keep_headers, redact
from monitor.testing import A_MORNING, FakeClock


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example/?key=s3same", "https://a.example/?key=<redacted>"),
        (
            "https://a.example/?q=1&access_token=s3same#x",
            "https://a.example/?q=1&access_token=<redacted>#x",
        ),
        (
            "https://a.example/?X-Amz-Signature=s3same",
            "https://a.example/?X-Amz-Signature=<redacted>",
        ),
        ("https://a.example/?API_KEY=s3same&b=2", "https://a.example/?API_KEY=<redacted>&b=2"),
        ("https://user:pw@a.example/x", "https://<redacted>@a.example/x"),
        (
            "https://a.example/?monkey=1&keyword=2&q=a@b",
            "https://a.example/?monkey=1&keyword=2&q=a@b",
        ),
        ("https://a.example/x@y", "https://a.example/x@y"),
    ],
)
def test_keys_and_passwords_are_taken_out_of_addresses(url: str, kept: str) -> None:
    assert redact(url) == kept


def test_named_secrets_are_taken_out_wherever_they_stand() -> None:
    assert redact("/feeds/12345/67", ("12345", "67")) == "/feeds/<redacted>/67"
    assert redact("abcd-abcdef", ("abcd", "abcdef")) == "<redacted>-<redacted>"


def test_headers_are_kept_as_they_came_without_cookies() -> None:
    came = [(b"X-A", b"\xe9"), (b"SET-Cookie", b"x"), (b"x-a", b"2"), (b"Authorization", b"x")]
    assert keep_headers(came) == (("X-A", "é"), ("x-a", "2"))


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta()),
        (" 30 ", timedelta(seconds=30)),
        ("999999999999", LONGEST),
        ("9999999999999999999", None),
        ("-5", None),
        ("1.5", None),
        ("Fri, 20 Nov 2026 09:00:30 GMT", timedelta(seconds=30)),
        ("Friday, 20-Nov-26 09:00:30 GMT", timedelta(seconds=30)),
        ("Fri, 20 Nov 2026 09:00:30", None),
        ("Fri, 99 Nov 2026 09:00:30 GMT", None),
        ("Sat, 01 Jan 9999 00:00:00 GMT", LONGEST),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_as_servers_write_it(value: str, wait: timedelta | None) -> None:
    assert retry_after(value, now=A_MORNING) == wait


async def test_spacing_forgets_hosts_that_nobody_asks() -> None:
    spacing = Spacing(FakeClock())
    for number in range(5_000):
        async with spacing.turn(f"{number}.example", seconds=1):
            pass
    assert len(spacing._lanes) <= 4_096


@given(
    failures=st.integers(-3, 10**9),
    random=st.floats(0, 1, exclude_max=True),
    minutes=st.integers(1, 60),
)
def test_the_wait_is_never_nothing_and_never_past_the_cap(
    failures: int, random: float, minutes: int
) -> None:
    base, cap = timedelta(minutes=minutes), timedelta(hours=6)
    wait = next_delay(failures, base=base, cap=cap, random=lambda: random)
    assert base / 2 <= wait <= cap


def test_the_wait_doubles_up_to_the_cap_and_stays_there() -> None:
    base, cap = timedelta(minutes=1), timedelta(minutes=10)
    waits = [next_delay(n, base=base, cap=cap, random=lambda: 1.0) for n in range(1, 8)]
    assert [wait.total_seconds() / 60 for wait in waits] == [1, 2, 4, 8, 10, 10, 10]


def test_a_wait_has_to_last() -> None:
    with pytest.raises(ValueError, match="last"):
        next_delay(1, base=timedelta(), cap=timedelta(hours=1), random=lambda: 0.5)
