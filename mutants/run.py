"""Mutation tests: change one thing in the product at a time, and see whether a test notices.

`make mutants` runs every group of `groups.toml`, `make mutants ARGS="config health"` only these, a
path only that module, `--sample 20` a fifth of the mutants, always the same ones.
What is committed is tested, in clones, so that the working tree is never changed. Survivors are
printed, each as a diff, then a table with a row per module. The exit code is 1 when the score of a
group is below the floor.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import attrs
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome

ROOT = Path(__file__).parent.parent
GROUPS = Path(__file__).with_name("groups.toml")

# Percent of a group's mutants that must be noticed.
FLOOR = 90

# Clones that are tested side by side; tests wait more than they compute.
WORKERS = 3

# A mutant that hangs counts as noticed after this many times what the tests take without one, and
# after this many seconds at least.
PATIENCE = 3
LEAST_PATIENCE = 20.0

# One mutant for each decision. The many ways to say the same with another operator are left out,
# and so are types: `int | None` is never computed.
OPERATORS = re.compile(
    r"core/(NumberReplacer|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr"
    r"|ReplaceOrWithAnd|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ZeroIterationForLoop"
    r"|ExceptionReplacer|ReplaceUnaryOperator_(USub_UAdd|Delete_Not)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_Add|Pow_Mul)"
    r"|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is|In_NotIn|NotIn_In"
    r"|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Lt_GtE|Gt_LtE))"
)


# No behaviour: whether a record's fields must be named, and the bare star of a signature, which one
# of the operators takes for a product.
NO_BEHAVIOUR = re.compile(r"kw_only=|^\s*\*,|[(,] ?\*, ")

# The operator that replaces an exception's class fails on a dotted one.
DOTTED = re.compile(r"\s*except\b.*\w\.\w")


@attrs.frozen
class Group:
    """Modules, and the tests that must notice a change of them.

    Attributes:
        name: as in `groups.toml`.
        modules: paths below the root.
        tests: paths below the root; the quick ones first.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def command(self, module: Path | None = None) -> str:
        """Return what tests a clone, started in it; stops at the first test that notices.

        Args:
            module: that was changed; the test of its name comes first.
        """
        own = f"/test_{module.stem.strip('_')}.py" if module else ""
        tests = sorted(self.tests, key=lambda test: not (own and test.endswith(own)))
        pytest = [sys.executable, "-m", "pytest", "-qx", "--no-cov", "-p", "no:cacheprovider"]
        return shlex.join([*pytest, *tests])


@attrs.frozen
class Verdict:
    """What became of one mutant.

    Attributes:
        module: that was changed.
        noticed: whether a test failed.
        diff: the change.
    """

    module: str
    noticed: bool
    diff: str


def main() -> int:
    """Run the groups asked for, print what survived and the scores."""
    groups = list(_groups())
    parser = argparse.ArgumentParser(prog="python -m mutants.run", description=__doc__)
    names = [each.name for each in groups]
    known = {*names, *(module for each in groups for module in each.modules)}
    parser.add_argument("what", nargs="*", help=f"paths of modules, or of {', '.join(names)}")
    parser.add_argument("--sample", type=int, default=100, metavar="PERCENT", help="of the mutants")
    options = parser.parse_args()
    if unknown := set(options.what) - known:
        parser.error(f"in no group: {', '.join(sorted(unknown))}")
    chosen = [_choose(each, options.what or names) for each in groups]
    verdicts = {each.name: _run(each, options.sample) for each in chosen if each.modules}
    print("\n| module | mutants | noticed | score |\n|---|---|---|---|")
    for name, found in verdicts.items():
        for module in dict.fromkeys(verdict.module for verdict in found):
            _print_row(f"`{module}`", [each for each in found if each.module == module])
        _print_row(f"**{name}**", found)
    return int(any(_score(found) < FLOOR for found in verdicts.values()))


def _groups() -> Iterator[Group]:
    for name, entry in tomllib.loads(GROUPS.read_text()).items():
        yield Group(name, tuple(entry["modules"]), tuple(entry["tests"]))


def _choose(group: Group, what: Sequence[str]) -> Group:
    """Return the group with the modules that were asked for."""
    if group.name in what:
        return group
    return attrs.evolve(group, modules=tuple(each for each in group.modules if each in what))


def _run(group: Group, percent: int) -> list[Verdict]:
    """Test the group's mutants, and print those that nobody noticed."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        patience = _try_unchanged(group, Path(folder, "unchanged"))
        context = get_context("spawn")
        clones: SimpleQueue[str] = context.SimpleQueue()
        for number in range(WORKERS):
            clones.put(str(_clone(Path(folder, str(number)))))
        mutants = _sample(_mutants(group, Path(folder, "session.sqlite")), percent)
        print(f"{group.name}: {len(mutants)} mutants", flush=True)
        with ProcessPoolExecutor(WORKERS, context, _enter, (clones,)) as pool:
            jobs = [
                pool.submit(_judge, each, group.command(each.module_path), patience)
                for each in mutants
            ]
            verdicts = [job.result() for job in jobs]
    for verdict in verdicts:
        if not verdict.noticed:
            print(verdict.diff, flush=True)
    return verdicts


def _clone(folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, folder], check=True)
    return folder


def _try_unchanged(group: Group, folder: Path) -> float:
    """Return the seconds that a mutant may take, from what the tests take without one."""
    began = time.monotonic()
    environ = _environ(_clone(folder))
    subprocess.run(shlex.split(group.command()), cwd=folder, env=environ, check=True)
    return max(LEAST_PATIENCE, PATIENCE * (time.monotonic() - began))


def _environ(clone: Path) -> dict[str, str]:
    """Return variables by which every process of a test imports the clone's packages."""
    roots = [clone, *sorted(clone.glob("plugins/*")), clone / "example"]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}


def _mutants(group: Group, session: Path) -> list[MutationSpec]:
    work = WorkDB(session, WorkDB.Mode.create)
    init([ROOT / module for module in group.modules], work, {})
    found = [mutation for item in work.work_items for mutation in item.mutations]
    work.close()
    return [
        each
        for each in found
        if OPERATORS.fullmatch(each.operator_name)
        and not NO_BEHAVIOUR.search(_line(each))
        and not (each.operator_name.endswith("ExceptionReplacer") and DOTTED.match(_line(each)))
    ]


def _sample(mutants: list[MutationSpec], percent: int) -> list[MutationSpec]:
    """Return a part of them, the same each time; each has the same chance."""
    chance = random.Random(0)  # noqa: S311 - no secret
    return [each for each in mutants if chance.random() * 100 < percent]


def _line(mutation: MutationSpec) -> str:
    """Return the line that is changed."""
    number: int = mutation.start_pos[0]
    return Path(mutation.module_path).read_text().splitlines()[number - 1]


def _enter(clones: SimpleQueue[str]) -> None:
    """Give this worker a clone of its own."""
    clone = Path(clones.get())
    os.chdir(clone)
    os.environ.update(_environ(clone))


def _judge(mutation: MutationSpec, command: str, patience: float) -> Verdict:
    """Change the worker's clone, test it, and change it back."""
    module = mutation.module_path.relative_to(ROOT)
    here = attrs.evolve(mutation, module_path=module)
    result = mutate_and_test([here], command, patience)
    if result.worker_outcome is not WorkerOutcome.NORMAL:
        raise RuntimeError(f"{module}, {mutation.operator_name}: {result.output}")
    return Verdict(str(module), result.test_outcome is not TestOutcome.SURVIVED, result.diff or "")


def _score(verdicts: Sequence[Verdict]) -> float:
    return 100 * sum(each.noticed for each in verdicts) / max(1, len(verdicts))


def _print_row(title: str, verdicts: Sequence[Verdict]) -> None:
    noticed = sum(verdict.noticed for verdict in verdicts)
    print(f"| {title} | {len(verdicts)} | {noticed} | {_score(verdicts):.0f} % |")


if __name__ == "__main__":
    sys.exit(main())
