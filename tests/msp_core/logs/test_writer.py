"""The writer: nobody waits, nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import itertools
import queue
import select
import threading
import time
import weakref
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from msp_core._logs import writer as _log_writer
from msp_core._logs.writer import Writer


class Reader:
    """An output that may be held up, or gone."""

    def __init__(self) -> None:
        self.taken = b""
        self.threads: set[int] = set()
        self.reads = threading.Event()
        self.reads.set()
        self.entered = threading.Event()
        self.gone = False

    def __call__(self, data: bytes) -> None:
        self.entered.set()
        assert self.reads.wait(30)

        if self.gone:
            raise BrokenPipeError
        self.threads.add(threading.get_ident())
        self.taken += data


def describe(lines: int) -> bytes:
    """Return the line that says how many were lost."""
    return b"lost %d\n" % lines


@pytest.fixture
def reader() -> Reader:
    """Give an output that takes everything at once."""
    return Reader()


@pytest.fixture
def writer(reader: Reader) -> Iterator[Writer]:
    """Give a writer to that output."""
    writer = Writer(reader, describe)
    yield writer
    reader.reads.set()
    writer.close()


def hold_up(writer: Writer, reader: Reader) -> None:
    """Make the thread hang in the output, as a reader that has stopped reading does."""
    reader.reads.clear()
    reader.entered.clear()
    writer.write(b"held\n")
    assert reader.entered.wait(10)


def test_lines_are_written_in_order_by_another_thread(writer: Writer, reader: Reader) -> None:
    """Lines arrive whole and in order, and who logs does not write."""
    lines = [b"%d\n" % number for number in range(10_000)]
    for line in lines:
        writer.write(line)

    assert writer.flush(10)
    assert reader.taken == b"".join(lines)
    assert threading.get_ident() not in reader.threads


def test_writing_does_not_wait_for_the_reader(writer: Writer, reader: Reader) -> None:
    """A reader that has stopped reading does not stop who logs."""
    hold_up(writer, reader)
    writer.write(b"next\n")
    flushed = writer.flush(0.01)
    reader.reads.set()

    assert not flushed
    assert writer.flush(10)
    assert reader.taken == b"held\nnext\n"


def test_close_writes_what_waits(writer: Writer, reader: Reader) -> None:
    """After closing, everything given before is written."""
    hold_up(writer, reader)
    writer.write(b"next\n")
    closed_in_time = writer.close(0.01)
    reader.reads.set()

    assert not closed_in_time
    assert writer.close()
    assert reader.taken == b"held\nnext\n"


def test_lines_after_close_are_written_at_once(writer: Writer, reader: Reader) -> None:
    """The last lines of an ending process are written by whoever logs them."""
    writer.close()
    writer.write(b"late\n")

    assert reader.taken == b"late\n"
    assert threading.get_ident() in reader.threads
    assert writer.flush(0)
    assert writer.close()


def test_line_from_inside_a_write(writer: Writer, reader: Reader) -> None:
    """A destructor or signal handler that logs in the middle of a late write does not hang."""

    class Nested:
        def __call__(self, data: bytes) -> None:
            reader(data)
            if data == b"outer\n":
                writer.write(b"inner\n")

    writer._output = Nested()
    writer.close()
    writer.write(b"outer\n")

    assert reader.taken == b"outer\ninner\n"


def test_late_line_does_not_wait_for_a_stopped_thread(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that was stopped at exit while it wrote does not hold up the last lines."""
    monkeypatch.setattr(_log_writer, "PATIENCE", 0.01)
    writer.close()
    stopped, leave = threading.Event(), threading.Event()

    def stop_while_writing() -> None:
        with writer._draining:
            stopped.set()
            leave.wait(30)

    thread = threading.Thread(target=stop_while_writing)
    thread.start()
    stopped.wait(30)
    writer.write(b"late\n")
    leave.set()
    thread.join()

    assert reader.taken == b"late\n"


def test_gone_reader(writer: Writer, reader: Reader) -> None:
    """Without a reader nobody is disturbed; lines are counted, and writing goes on later."""
    reader.gone = True
    writer.write(b"one\n")
    flushed = writer.flush(10)
    reader.gone = False
    writer.write(b"two\n")

    assert not flushed
    assert writer.flush(10)
    assert writer.lost == 1
    assert reader.taken == b"two\nlost 1\n"


def test_thread_waits_for_room(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When very many lines wait, a thread is slowed down to the reader's pace and loses none."""
    monkeypatch.setattr(_log_writer, "LIMIT", 2)
    lines = [b"%d\n" % number for number in range(100)]
    for line in lines:
        writer.write(line)

    assert writer.flush(10)
    assert writer.lost == 0
    assert reader.taken == b"".join(lines)


async def test_event_loop_never_waits(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When very many lines wait, an event loop goes on without its line, which is counted."""
    monkeypatch.setattr(_log_writer, "LIMIT", 2)
    hold_up(writer, reader)
    monkeypatch.setattr(writer, "flush", pytest.fail)
    for number in range(5):
        writer.write(b"%d\n" % number)
    lost = writer.lost
    monkeypatch.undo()
    reader.reads.set()
    await asyncio.to_thread(writer.flush, 10)

    assert lost == 3
    assert reader.taken == b"held\nlost 3\n0\n1\n"


def test_thread_gives_up_waiting(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that never reads again costs lines in the end, not the service."""
    monkeypatch.setattr(_log_writer, "LIMIT", 1)
    monkeypatch.setattr(_log_writer, "PATIENCE", 0.01)
    hold_up(writer, reader)
    writer.write(b"one\n")
    writer.write(b"two\n")
    reader.reads.set()
    writer.flush(10)

    assert writer.lost == 1
    assert reader.taken == b"held\nlost 1\none\n"


def test_forked_child_writes_itself(writer: Writer, reader: Reader) -> None:
    """A child has no writer thread, and must not write its parent's lines and losses again."""
    writer.close()
    writer._waiting.put(b"parents\n")
    writer._lose(1)
    writer._start_afresh(direct=True)
    writer.write(b"childs\n")

    assert reader.taken == b"childs\n"


def test_closed_writer_is_forgotten(reader: Reader) -> None:
    """Being told of forks does not keep a writer that nobody uses any more."""
    writer = Writer(reader, describe)
    writer.close()
    forgotten = weakref.ref(writer)
    del writer
    gc.collect()

    assert forgotten() is None


def test_many_threads(writer: Writer, reader: Reader) -> None:
    """Lines that threads log while the writer is closed under them are all written, once."""
    ready = threading.Barrier(5)

    def log(name: int) -> None:
        ready.wait()
        for number in range(500):
            writer.write(b"%d-%d\n" % (name, number))

    threads = [threading.Thread(target=log, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    ready.wait()
    writer.close()
    for thread in threads:
        thread.join()
    expected = {b"%d-%d" % (name, number) for name in range(4) for number in range(500)}

    assert set(reader.taken.split()) == expected
    assert len(reader.taken.split()) == 2_000


def test_lines_of_processes_do_not_mix(reader: Reader) -> None:
    """What is written at once is whole lines, and no more than a pipe takes whole."""
    chunks: list[bytes] = []
    reader.reads.clear()

    def output(data: bytes) -> None:
        reader(data)
        chunks.append(data)

    writer = Writer(output, describe)
    lines = [b"x" * (number % 200) + b"\n" for number in range(1_000)]
    lines[500] = b"y" * select.PIPE_BUF + b"\n"
    for line in lines:
        writer.write(line)
    reader.reads.set()
    writer.close()
    long = [chunk for chunk in chunks if len(chunk) > select.PIPE_BUF]

    assert b"".join(chunks) == b"".join(lines)
    assert all(chunk.endswith(b"\n") for chunk in chunks)
    assert long == [lines[500]]


async def test_how_many_lines_wait(writer: Writer, reader: Reader) -> None:
    """A hundred thousand lines wait for a reader before the first one is lost."""
    hold_up(writer, reader)
    for _ in range(100_000):
        writer.write(b"\n")
    lost = writer.lost
    writer.write(b"\n")
    reader.reads.set()

    assert (lost, writer.lost) == (0, 1)


async def test_how_many_bytes_wait(writer: Writer, reader: Reader) -> None:
    """Of long lines fewer wait: 512 bytes begun take one place of a hundred thousand."""
    hold_up(writer, reader)
    writer.write(b"x" * (99_998 * 512) + b"\n")  # 99,999 places
    writer.write(b"x" * 510 + b"\n")
    lost = writer.lost
    writer.write(b"\n")
    reader.reads.set()

    assert (lost, writer.lost) == (0, 1)


async def test_line_that_takes_a_place_more(writer: Writer, reader: Reader) -> None:
    """A line of 512 bytes takes two places; those that were taken are not written."""
    hold_up(writer, reader)
    writer.write(b"x" * (99_997 * 512) + b"\n")  # 99,998 places
    writer.write(b"y" * 511 + b"\n")
    writer.write(b"\n")
    lost = writer.lost
    reader.reads.set()
    await asyncio.to_thread(writer.flush, 30)

    assert lost == 1
    assert reader.taken.endswith(b"x\n" + b"y" * 511 + b"\n")


def test_loss_is_reported_until_it_is_written(writer: Writer, reader: Reader) -> None:
    """Lines are counted until a reader that is back has got the number; no report counts as one."""
    reader.gone = True
    for _ in range(3):
        writer.write(b"one\n")
        writer.flush(10)
    reader.gone = False
    writer.write(b"two\n")
    writer.flush(10)
    writer.write(b"three\n")

    assert writer.close(10)
    assert writer.lost == 3
    assert reader.taken == b"two\nlost 3\nthree\n"


def test_last_loss_is_reported(writer: Writer, reader: Reader) -> None:
    """What was lost after the last line is said when the log is closed."""
    reader.gone = True
    writer.write(b"one\n")
    writer.flush(10)
    reader.gone = False

    assert writer.close(10)
    assert reader.taken == b"lost 1\n"


def test_loss_that_goes_on(writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """While more and more lines are lost, that is said at once and then every minute."""
    seconds = iter([100.0, 159.9, 160.0])
    monkeypatch.setattr(_log_writer, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    writer.close()
    for number in range(3):
        writer._lose(1)
        writer._waiting.put(b"waits\n")  # as it does where more comes than is read
        writer._write_lines([b"%d\n" % number])
        writer._report_loss()

    assert reader.taken == b"0\nlost 1\n1\n2\nlost 2\n"


def test_loss_while_it_is_reported(reader: Reader) -> None:
    """A line that is lost while a report is made is in the next one."""
    more = iter([1])

    def describe_late(lines: int) -> bytes:
        late._lose(next(more, 0))
        return describe(lines)

    late = Writer(reader, describe_late)
    late.close()
    late._lose(2)
    late.write(b"first\n")
    late.write(b"second\n")

    assert reader.taken == b"first\nlost 2\nsecond\nlost 1\n"


def test_lost_lines_of_many_threads(writer: Writer) -> None:
    """Threads that lose lines at the same time count each of them."""

    class One(int):
        """Lets other threads run in the middle of an addition."""

        def __radd__(self, other: int) -> int:
            time.sleep(1e-6)
            return other + 1

    def lose() -> None:
        for _ in range(100):
            writer._lose(One(1))

    threads = [threading.Thread(target=lose) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert writer.lost == 400


def test_how_long_a_thread_waits(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread whose line finds no room waits five seconds for it."""
    waited: list[float] = []
    monkeypatch.setattr(_log_writer, "LIMIT", 0)
    monkeypatch.setattr(writer, "flush", waited.append)
    writer.write(b"lost\n")

    assert waited == [5.0]
    assert writer.lost == 1


def chunks_of(*lines: bytes) -> list[bytes]:
    """Return what is written at a time when all of these wait."""
    chunks: list[bytes] = []
    held, entered = threading.Event(), threading.Event()

    def output(data: bytes) -> None:
        entered.set()
        assert held.wait(30)

        chunks.append(data)

    writer = Writer(output, describe)
    writer.write(b"held\n")
    entered.wait(30)
    for line in lines:
        writer.write(line)
    held.set()
    writer.close()
    return chunks[1:]


def test_lines_that_wait_are_written_together() -> None:
    """A reader that was slow gets all that waits, not each line by itself."""
    assert [len(chunk) for chunk in chunks_of(*[b"x\n"] * 600)] == [1200]


def test_as_much_as_a_pipe_takes_whole() -> None:
    """What just fits into a pipe is written at once; a byte more is not."""
    half = b"x" * (select.PIPE_BUF // 2 - 1) + b"\n"

    assert chunks_of(half, half) == [half + half]
    assert chunks_of(half, b"x" + half) == [half, b"x" + half]


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lines that come fast gather until somebody asks for them."""
    monkeypatch.setattr(_log_writer, "PAUSE", 60.0)
    monkeypatch.setattr(_log_writer, "FAST", 120.0)


@pytest.mark.usefixtures("endless")
def test_first_lines_do_not_gather(reader: Reader) -> None:
    """A line that comes alone is written when it comes, and so is the one after it."""
    writer = Writer(reader, describe)
    for line in (b"first\n", b"second\n"):
        reader.entered.clear()
        writer.write(line)
        assert reader.entered.wait(10)
    writer.close()

    assert reader.taken == b"first\nsecond\n"


class Pauses:
    """Stands in for the queue that ends a pause: each lasts until the test lets it end."""

    def __init__(self) -> None:
        self.timeouts: list[float] = []
        self.begun = threading.Semaphore(0)
        self.over = threading.Semaphore(0)

    def get(self, timeout: float) -> None:
        self.timeouts.append(timeout)
        self.begun.release()
        assert self.over.acquire(timeout=30)
        raise queue.Empty

    def put(self, item: None) -> None:
        self.over.release()


def test_lines_gather_in_a_pause(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """After two writes in ten milliseconds lines gather for five, and are written together."""
    seconds = itertools.chain([0.0, 0.0099, 0.0198, 0.0299], itertools.count(1))
    monkeypatch.setattr(_log_writer, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    chunks: list[bytes] = []

    def output(data: bytes) -> None:
        reader(data)
        chunks.append(data)

    writer = Writer(output, describe)
    pauses = Pauses()
    monkeypatch.setattr(writer, "_hurry", pauses)
    writer.write(b"first\n")
    assert reader.entered.wait(10)
    writer.write(b"second\n")
    assert pauses.begun.acquire(timeout=10)
    writer.write(b"third\n")
    writer.write(b"fourth\n")
    waiting = reader.taken
    pauses.over.release()
    assert pauses.begun.acquire(timeout=10)
    pauses.over.release()
    writer.write(b"fifth\n")
    writer.flush(10)
    writer.close()

    assert waiting == b"first\nsecond\n"
    assert chunks == [b"first\n", b"second\n", b"third\nfourth\n", b"fifth\n"]
    assert pauses.timeouts == [0.005, 0.005]


@pytest.mark.usefixtures("endless")
def test_who_waits_ends_the_pause(reader: Reader) -> None:
    """Flushing and closing do not wait until enough lines have gathered."""
    writer = Writer(reader, describe)
    for number in range(4):
        writer.write(b"%d\n" % number)
        assert writer.flush(30)
    writer.write(b"last\n")

    assert writer.close(30)
    assert reader.taken == b"0\n1\n2\n3\nlast\n"
