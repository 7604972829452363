"""A YAML file into a pydantic model, with file and line in every complaint.

`${NAME}` and `${NAME:-default}` in strings are taken from the environment, so that secrets and
machine-dependent addresses need not be written into the file. The models themselves live in the rooms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from stats_assets.shared.failures import ConfigurationMistake

Model = TypeVar("Model", bound=BaseModel)

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def wrong_secret(message: str) -> PydanticCustomError:
    """What a validator raises about a value that must not be shown, as it may hold a secret."""
    return PydanticCustomError("secret", "{message}", {"message": message})


_PASSWORD = re.compile(r"(?<=://)[^/@\s]*:[^/\s]*(?=@)")


class _Loader(yaml.SafeLoader):
    """Leaves dates as text: the model reads them, and tells the line of a 30th of February."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Problem(NamedTuple):
    """Something wrong at a place of a file, such as ("apps", "game", "tables", 0)."""

    where: Sequence[str | int]
    message: str


class Section(BaseModel):
    """A part of stats.yaml: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_config(path: Path, model: type[Model], environ: Mapping[str, str]) -> Model:
    """The file as a validated model. Raises ConfigurationMistake naming every problem on a line of its own."""
    return parse_config(read_text(path, "STATS_CONFIG"), model, environ, source=str(path))


def read_text(path: Path, setting: str) -> str:
    """The file's text; `setting` is what names the file. Raises ConfigurationMistake."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationMistake(
            f"{path}: cannot be read ({error.strerror}); set {setting} to the file you mean"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationMistake(f"{path}: is not UTF-8 text (byte {error.start})") from error


def parse_config(
    text: str,
    model: type[Model],
    environ: Mapping[str, str],
    source: str,
    also: Callable[[Model], Iterable[Problem]] = lambda value: (),
) -> Model:
    """As `read_config`, from a text. `also` finds what is wrong between parts that are right each."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationMistake(f"{source}:{line}: not YAML: {error.problem}") from error
    if root is None:
        root = yaml.compose("{}", Loader=_Loader)
    _refuse_repeated_keys(root, source)
    value = _substitute(yaml.load(text, Loader=_Loader) or {}, environ, root, source)  # noqa: S506 - a SafeLoader
    try:
        made = model.model_validate(value)
    except ValidationError as error:
        problems = [_explain(problem, model, root, source) for problem in error.errors()]
        raise ConfigurationMistake("\n".join(problems)) from error
    if found := [f"{source}:{_line(root, at)}: {_dotted(at)}: {message}" for at, message in also(made)]:
        raise ConfigurationMistake("\n".join(found))
    return made


def _refuse_repeated_keys(node: yaml.Node, source: str) -> None:
    """YAML keeps the last of two equal keys in silence; a forgotten section would vanish with it."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigurationMistake(f"{source}:{key.start_mark.line + 1}: {key.value!r} is given twice")
            seen.add(key.value)
            _refuse_repeated_keys(value, source)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, source)


def _substitute(value: Any, environ: Mapping[str, str], root: yaml.Node, source: str, at: tuple = ()) -> Any:
    if isinstance(value, dict):
        return {k: _substitute(v, environ, root, source, (*at, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_substitute(v, environ, root, source, (*at, i)) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match[str]) -> str:
        found = environ.get(match["name"], match["default"])
        if found is None:
            raise ConfigurationMistake(
                f"{source}:{_line(root, at)}: {_dotted(at)} needs the environment variable {match['name']},"
                " which is not set"
            )
        return found

    return _VARIABLE.sub(replacement, value)


def _explain(problem: Any, model: type[BaseModel], root: yaml.Node, source: str) -> str:
    where: Sequence[str | int] = problem["loc"]
    place = f"{source}:{_line(root, where)}: {_dotted(where)}"
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_allowed_keys(model, where[:-1])))
        return f"{place}: unknown key; allowed here: {allowed}"
    if problem["type"] == "missing":
        return f"{place}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    is_secret = problem["type"] == "secret" or any("secret" in str(part) for part in where)
    found = "" if is_secret else _found(problem["input"])
    return f"{place}: {message}{found}" if where else f"{place}{message}"


def _found(value: Any) -> str:
    """A single value as it was given, without the password of a URL; a whole section would show those of its keys."""
    if isinstance(value, dict | list | tuple | BaseModel):
        return ""
    return f" (found {_PASSWORD.sub('***', repr(value)):.80})"


def _dotted(where: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")


def _line(root: yaml.Node, where: Sequence[str | int]) -> int:
    """The line of the deepest node on the way to `where` (a missing key has its parent's line)."""
    node, line = root, root.start_mark.line + 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _allowed_keys(model: type[BaseModel], where: Sequence[str | int]) -> set[str]:
    """The keys of the model that sits at `where`, found by walking the annotations."""
    current: Any = model
    for part in where:
        if isinstance(part, int):
            continue
        if get_origin(current) is dict:
            current = get_args(current)[1]
            continue
        field = current.model_fields.get(part) if _is_model(current) else None
        if field is None:
            return set()
        current = field.annotation if get_origin(field.annotation) is dict else _model_inside(field.annotation)
    return {field.alias or name for name, field in current.model_fields.items()} if _is_model(current) else set()


def _model_inside(annotation: Any) -> Any:
    """The model in `Model`, `list[Model]`, `Model | None` and the like."""
    if _is_model(annotation):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_inside(argument)
        if _is_model(found):
            return found
    return annotation


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)
