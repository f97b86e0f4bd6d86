"""BigQuery: Google's client and table writers, which a service asks its contract for."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING

from msp_bigquery._config import BigQueryConfig
from msp_bigquery._delivery.delivery import Delivery
from msp_bigquery._delivery.insert_all import InsertAll
from msp_bigquery._delivery.patience import Stop
from msp_bigquery._delivery.workers import Workers
from msp_bigquery._google import Google, closed_error
from msp_bigquery._refused_row import DeadLetter
from msp_bigquery._rows.insert_ids import InsertIds
from msp_bigquery._rows.values import load_converter
from msp_bigquery._storage.storage import Storage
from msp_bigquery._writers.buffered_writer import BufferedWriter
from msp_bigquery._writers.table_writer import TableWriter
from msp_bigquery.errors import BigQueryError
from msp_core.authoring import PerProcess
from msp_core.deadline import Deadline
from msp_core.errors import UsageError

if TYPE_CHECKING:  # imported where BigQuery is opened
    from google.cloud import bigquery

_THREADS = 8  # requests of `TableWriter.write` at once


class BigQuery:
    """Gives Google's client for the configured project, and writers for the tables of its dataset.

    The runtime closes it. May be used from any thread.

    Args:
        config: which project and dataset.
    """

    def __init__(self, config: BigQueryConfig) -> None:
        self._google = Google(config)
        # Threads, connections and the locks of both do not outlive a fork.
        self._workers = PerProcess(lambda: Workers(_THREADS), closed=closed_error)
        self._deliveries = PerProcess(self._make_delivery, closed=closed_error)
        self._stop = PerProcess(Stop)
        self._insert_ids = InsertIds()
        self._buffered: list[BufferedWriter] = []

    def client(self) -> bigquery.Client:
        """Return Google's client, one per process, made when it is first asked for.

        Its `project` is that of the configuration, its default dataset the configured one. It is
        Google's as it is: it waits up to ten minutes for a BigQuery that is away unless calls are
        given `retry=` and `timeout=`, and it blocks the thread it is called in.

        Raises:
            google.auth.exceptions.GoogleAuthError: there are no credentials.
            WriterClosedError: the service has stopped.
        """
        return self._google.client()

    def table(self, name: str) -> str:
        """Return the full name of a table of the configured dataset, `project.dataset.name`.

        For calls of the client that want one, such as `client.list_rows(bigquery.table("visits"))`.
        """
        return self._google.table(name)

    def table_writer(
        self,
        table: str,
        *,
        storage: bool = False,
        insert_ids: bool = False,
        timeout: float = 30.0,
        dead_letter: DeadLetter | None = None,
    ) -> TableWriter:
        """Return a writer for a table of the configured dataset; opens nothing.

        Args:
            table: its name, without project and dataset. Need not exist yet.
            storage: whether to use the Storage Write API instead of streaming inserts: faster,
                cheaper, and without the lag before rows can be changed; needs the
                extra `storage`.
            insert_ids: whether retries must not duplicate rows. Streaming inserts then get an id
                for each row that has none; the Storage Write API a stream of its own with offsets.
            timeout: seconds that one call of `write` may take, retries included.
            dead_letter: gets the rows that BigQuery refuses for good, instead of an error.

        Raises:
            UsageError: the name has more parts, the dead-letter function is a coroutine function,
                or the extra `storage` is not installed.
            ConfigError: an emulator is configured, and no address of its Storage Write API.
            WriterClosedError: the service has stopped.
        """
        if not table or {".", "/", "`"} & set(table):
            raise UsageError("a table is named without project and dataset: give its own name only")
        if inspect.iscoroutinefunction(dead_letter):
            raise UsageError("a dead-letter function is called by threads: it cannot be async")
        load_converter()  # while the service opens, not with its first row
        delivery = partial(self._deliveries.get, table, storage, insert_ids and storage)
        delivery()  # what cannot work is an error here
        return TableWriter(
            table=table,
            timeout=timeout,
            delivery=delivery,
            workers=self._workers,
            stop=self._stop,
            insert_ids=self._insert_ids if insert_ids else None,
            dead_letter=dead_letter,
            keep=self._buffered.append,
        )

    def check(self) -> None:
        """Raise when one of the tables did not take the rows that were last sent to it.

        Asks nobody: with nothing written lately there is nothing to say.

        Raises:
            BigQueryError: names table and trouble.
        """
        deliveries = self._deliveries.made()
        outages = [text for delivery in deliveries if (text := delivery.outage.current())]
        if outages:
            raise BigQueryError("; ".join(outages))

    async def close(self, seconds: float) -> None:
        """Flush the buffers, for at most so many seconds, and close everything.

        When it is cancelled, what is left goes to the dead-letter functions at once.
        """
        closers = Workers(1)  # the others may all be busy
        closing = closers.submit(self._close, Deadline.after(seconds))
        closers.close()
        try:
            await asyncio.shield(asyncio.wrap_future(closing))
        finally:
            self._stop.get().stop()
            for writer in self._buffered:
                writer.abandon()

    def _close(self, deadline: Deadline) -> None:
        self._stop.get().hurry()
        for writer in self._buffered:
            writer.hurry()
        for writer in self._buffered:
            writer.close(deadline)
        self._stop.get().stop()
        for workers in self._workers.close():
            workers.close()
        for delivery in self._deliveries.close():
            delivery.transport.close()
        self._google.close()

    def _make_delivery(self, table: str, storage: bool, exactly_once: bool) -> Delivery:  # noqa: FBT001 - a key
        if storage:
            return Delivery(table, Storage(self._google, table, exactly_once=exactly_once))
        return Delivery(table, InsertAll(self._google.client, self._google.table_path(table)))
