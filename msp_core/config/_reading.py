"""Reading one config class from variables: values where they fit, problems where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from msp_core.config._hiding import hidden_texts
from msp_core.config._kinds import Refusal
from msp_core.config._tree import Embedded, Section, Setting
from msp_core.errors import InvalidValue, Problem

MISSING = "is missing"
NONE_CHOSEN = "are missing"


def is_missing(problem: Problem) -> bool:
    """Return whether the problem is that nothing is set, and not what is set."""
    return problem.wrong in {MISSING, NONE_CHOSEN}


class Reading:
    """One config class being read.

    Exceptions of converters and validators may hold values, so they end here: each becomes a
    Refusal, and none is chained.

    Attributes:
        problems: found so far, in order of declaration.
        ignored: the same about values that are ignored.
    """

    def __init__(self, environ: Mapping[str, str], owner: str, *, msp: bool) -> None:
        self.problems: list[Problem] = []
        self.ignored: list[Problem] = []
        self._environ = environ
        self._owner = owner
        self._msp = msp

    def load(self, section: Section, hint: str = "") -> Any:  # noqa: ANN401 - an instance of section.config
        """Return an instance of the section's class; None when it has problems.

        Args:
            section: to load.
            hint: what to say about each variable that is missing.
        """
        before = len(self.problems)
        values: dict[str, Any] = {}
        for part in section.parts:
            value = (
                self._setting(part, hint)
                if isinstance(part, Setting)
                else self._load_embedded(part, hint)
            )
            if value is not attrs.NOTHING:
                values[part.argument] = value
        return self._make(section, values) if len(self.problems) == before else None

    def load_optional(self, section: Section) -> Any:  # noqa: ANN401 - as load
        """Return an instance when the environment mentions the section; otherwise None.

        What is set of a section that is not mentioned is checked all the same.
        """
        if section.is_mentioned(self._environ):
            return self.load(section, _together_hint(section, self._environ))
        for setting in section.settings():
            if setting.text(self._environ) is not None and not setting.declared.alone_is_unset:
                self._setting(setting)
        return None

    def _load_embedded(self, embedded: Embedded, hint: str) -> Any:  # noqa: ANN401 - as load
        if len(embedded.fragments) == 1:
            only = embedded.fragments[0]
            return self.load_optional(only) if embedded.optional else self.load(only, hint)
        taken = next((one for one in embedded.fragments if one.is_mentioned(self._environ)), None)
        if taken is None and not embedded.optional:
            self._report_none_chosen(embedded, hint)
        value = None
        for fragment in embedded.fragments:
            if taken is None or fragment is taken:
                value = self.load_optional(fragment)
            else:
                self._check_forbidden(fragment)
        return value

    def _setting(self, setting: Setting, hint: str = "") -> Any:  # noqa: ANN401 - of the field's type
        """Return the value; NOTHING when it is the field's default, or there is a problem."""
        text = setting.text(self._environ)
        if text is None:
            return self._unset(setting, hint)
        value, refusals = self._read(setting, text)
        if not refusals:
            return value
        if setting.declared.invalid_is_unset:
            for refusal in refusals:
                self._ignore(setting, refusal)
            return (
                _value_when_absent(setting) if setting.dispensable else self._unset(setting, hint)
            )
        for refusal in refusals:
            self._report(setting, refusal)
        return attrs.NOTHING

    def _read(self, setting: Setting, text: str) -> tuple[Any, Sequence[Refusal]]:
        """Return the value of a text, or why it will not do; of JSON there may be many reasons."""
        refusal = self._refused_text(setting, text)
        if refusal is not None:
            return None, [refusal]
        value, refusals = _convert(setting, text)
        if not refusals:
            refusal = self._forbidden_value(setting, value) or _validate(setting, value, text)
        return value, [refusal] if refusal else refusals

    def _ignore(self, setting: Setting, refusal: Refusal) -> None:
        hint = ", ".join(filter(None, ("the value is ignored", refusal.hint)))
        hinted = attrs.evolve(refusal, hint=hint)
        self.ignored.append(self._problem(setting.name, hinted, setting.declared.help))

    def _unset(self, setting: Setting, hint: str) -> Any:  # noqa: ANN401 - as _setting
        if setting.required:
            self._report(setting, Refusal(MISSING, setting.kind.form, hint))
        return _value_when_absent(setting)

    def _refused_text(self, setting: Setting, text: str) -> Refusal | None:
        if self._forbidden(setting) and not setting.has_default:
            return Refusal("is not allowed with MSP=true", hint="unset it")
        return None if text else _refuse_empty(setting)

    def _forbidden_value(self, setting: Setting, value: object) -> Refusal | None:
        if not self._forbidden(setting) or not setting.has_default or value == setting.default:
            return None
        accepted = "" if setting.kind.secret else setting.default_text
        return Refusal(
            "is not allowed with MSP=true", accepted or "", "unset it to use its default"
        )

    def _forbidden(self, setting: Setting) -> bool:
        return self._msp and setting.declared.forbidden_when_msp

    def _check_forbidden(self, section: Section) -> None:
        for setting in section.settings():
            if self._forbidden(setting) and setting.text(self._environ) is not None:
                self._setting(setting)

    def _make(self, section: Section, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as load
        name = section.config.__name__
        try:
            return section.config(**values)
        except InvalidValue as error:
            refusal = Refusal(
                f"will not do for {name}", _words(error, section.settings(), self._environ)
            )
        except Exception as error:  # noqa: BLE001 - user code; its text may hold values
            refusal = _refusal_of(f"will not do for {name}", error)
        names = ", ".join(setting.name for setting in section.settings())
        self._add(names or name, refusal)
        return None

    def _report_none_chosen(self, embedded: Embedded, hint: str) -> None:
        names = dict.fromkeys(name for names in embedded.choices for name in names)
        expected = ", or ".join(" with ".join(names) for names in embedded.choices)
        self._add(", ".join(names), Refusal(NONE_CHOSEN, expected, hint))

    def _report(self, setting: Setting, refusal: Refusal) -> None:
        self._add(setting.name, refusal, setting.declared.help)

    def _add(self, variable: str, refusal: Refusal, help_text: str = "") -> None:
        self.problems.append(self._problem(variable, refusal, help_text))

    def _problem(self, variable: str, refusal: Refusal, help_text: str) -> Problem:
        return Problem(
            variable=variable,
            owner=self._owner,
            wrong=refusal.wrong,
            expected=refusal.expected,
            help=help_text,
            hint=refusal.hint,
            path=refusal.path,
        )


def _together_hint(section: Section, environ: Mapping[str, str]) -> str:
    """Return which variables have to be set together, of those that come closest to it."""
    present = section.present(environ)
    needed = max(section.needs, key=lambda names: len(present.intersection(names)))
    found = [name for name in needed if name in present]
    if not found:
        return ""
    amount = "both" if len(needed) == 2 else "all"  # noqa: PLR2004 - both is two
    verb = "is" if len(found) == 1 else "are"
    return f"{' and '.join(found)} {verb} set without it, set {amount} or none"


def _value_when_absent(setting: Setting) -> Any:  # noqa: ANN401 - as Reading._setting
    return attrs.NOTHING if setting.default is not attrs.NOTHING else None


def _refuse_empty(setting: Setting) -> Refusal:
    hint = ""
    if setting.has_default:
        hint = "unset it to use its default"
    elif setting.nullable:
        hint = "unset it to do without"
    return Refusal("is set but empty", setting.kind.form, hint)


def _convert(setting: Setting, text: str) -> tuple[Any, Sequence[Refusal]]:
    if setting.kind.schema is not None:
        from msp_core.config._json_values import read_json  # noqa: PLC0415 - imports cattrs

        def say(error: InvalidValue) -> str:
            return _words(error, [setting], {setting.name: text})

        return read_json(text, setting.annotation, say)
    try:
        return setting.kind.parse(text), ()
    except ValueError:
        return None, [Refusal(f"is not {setting.kind.noun}", setting.kind.form)]


def _validate(setting: Setting, value: object, text: str) -> Refusal | None:
    validator = setting.declared.validator
    if validator is None:
        return None
    try:
        validator(value)
    except InvalidValue as error:
        return Refusal("will not do", _words(error, [setting], {setting.name: text}))
    except Exception as error:  # noqa: BLE001 - user code; its text may hold the value
        return _refusal_of("is refused by its validator", error)
    return None


def _words(error: InvalidValue, settings: Iterable[Setting], environ: Mapping[str, str]) -> str:
    """Return what a validator says; nothing when it says a secret, against the rules."""
    words = str(error)
    hidden = (
        hidden_texts(environ.get(one.name, ""), one.kind.name, one.kind.schema, secret=True)
        for one in settings
        if one.kind.secret
    )
    return "" if any(text in words for texts in hidden for text in texts) else words


def _refusal_of(wrong: str, error: Exception) -> Refusal:
    return Refusal(wrong, hint=f"it raised {type(error).__name__}")
