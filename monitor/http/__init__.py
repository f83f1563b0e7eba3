"""One polite HTTP client, and the one place where a status becomes an error."""

from monitor.http.client import PoliteHttp, SourceHttp
from monitor.http.limits import HttpLimits

__all__ = ["HttpLimits", "PoliteHttp", "SourceHttp"]
