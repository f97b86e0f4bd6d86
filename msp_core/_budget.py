"""Budget: how the seconds between the request to stop and the platform's kill are divided.

    9 s, on Kubernetes 25 s, or MSP_SHUTDOWN_BUDGET; then the watchdog ends the process
    |- last_lines           kept back for the line that sums up, and the flush of the logs
    '- all the rest
       |- work              two thirds: the drain window, then the routine or the execution
       |  '- HTTPServer     its requests, but for requests_reserve and return_margin
       '- resources         what is left in fair shares, telemetry last; unused time flows on

A job that runs out of time is asked to end job_margin seconds before the platform's kill.

Every function here is pure: seconds in, seconds out. So the whole division can be added up in one
place, and none of its steps can take what belongs to a later one.
"""

from __future__ import annotations

# Enough to write and flush what is waiting; of a very small budget it is only a fifth.
_LAST_LINES = 0.3
_LAST_LINES_SHARE = 0.2

# Most of the time is for what the life is about: what waits there are people's requests, while
# resources usually close at once.
_WORK_SHARE = 2 / 3

# A start that is abandoned gets a third: what it has opened must be closed afterwards.
_START_SHARE = 1 / 3

# Of a job's time limit, that the margin is never larger than: a short job keeps its time to work.
_MARGIN_SHARE = 0.2
# Of the margin, that is left unused: the process must be gone before the kill, not at it.
_MARGIN_UNUSED = 0.1
# Seconds of the margin beyond the budget, to notice the deadline and say so.
_NOTICE = 1.0

# Seconds in which abandoned requests are cancelled, and the application ends its lifespan.
_REQUESTS_RESERVE = 0.5
# Seconds to return in, so that a time-out is reported where its cause is known.
_RETURN_MARGIN = 0.05
# Seconds an idle connection is kept: a request on its way is answered with `connection: close`
# instead of meeting a closed socket.
_LINGER = 1.0
# Of the time for requests, that linger and reserve are never larger than.
_REQUESTS_SHARE = 1 / 4


def last_lines(remaining: float) -> float:
    """Return the seconds kept back at the end for the ledger line and the flush of the logs."""
    return min(_LAST_LINES, remaining * _LAST_LINES_SHARE)


def flush_of_last_lines() -> float:
    """Return the seconds for a flush when the process leaves at once; the kill is near."""
    return _LAST_LINES


def work(remaining: float) -> float:
    """Return the seconds for the routine or the execution, its drain window included."""
    return remaining * _WORK_SHARE


def abandoned_start(remaining: float) -> float:
    """Return the seconds in which a start that a stop has overtaken must be over."""
    return remaining * _START_SHARE


def drain(window: float, remaining: float) -> float:
    """Return the seconds to go on accepting: the platform's window, unless less is left."""
    return min(window, remaining)


def job_margin(budget: float, time_limit: float) -> float:
    """Return how many seconds before its time limit a job is asked to end."""
    return min(budget + _NOTICE, time_limit * _MARGIN_SHARE)


def unused_margin(margin: float) -> float:
    """Return the seconds of a job's margin that must be left when the process is gone."""
    return margin * _MARGIN_UNUSED


def requests_reserve(remaining: float) -> float:
    """Return the seconds kept back from requests, for cancelling those that are not over."""
    return min(_REQUESTS_RESERVE, remaining * _REQUESTS_SHARE)


def linger(remaining: float) -> float:
    """Return the seconds an idle connection is kept while the server drains."""
    return min(_LINGER, remaining * _REQUESTS_SHARE)


def until_return(remaining: float) -> float:
    """Return the seconds to wait for the application's end, and still return in time."""
    return max(0.0, remaining - _RETURN_MARGIN)
