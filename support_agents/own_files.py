"""A YAML file that an installation wrote itself, and in one line what is wrong where in it; it decides nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from support_agents.domain.errors import SupportError

Part = TypeVar("Part", bound=BaseModel)


class _Loader(yaml.CSafeLoader):
    """Leaves a date that no calendar has as it is written, so that the field that holds it can be named."""


def _timestamp(loader: _Loader, node: yaml.ScalarNode) -> object:
    try:
        return yaml.CSafeLoader.construct_yaml_timestamp(loader, node)
    except ValueError:
        return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)


@dataclass(frozen=True)
class OwnFile:
    """A file, the code of its errors, and the variable that names it, where only one does."""

    path: Path
    code: str
    variable: str = ""

    def read(self) -> bytes:
        """Return its bytes; `SupportError` if it is not there or is no file."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise self.refused(f"cannot be read: {error.strerror}") from error

    def parsed(self, content: bytes) -> object:
        """Return what its bytes say."""
        try:
            return yaml.load(content.decode("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
        except UnicodeDecodeError as error:
            number = content.count(b"\n", 0, error.start) + 1
            raise self.refused(f"line {number}: is not UTF-8: save it in that encoding") from error
        except yaml.MarkedYAMLError as error:
            line = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1}: "
            raise self.refused(f"{line}is not YAML: {error.problem}") from error
        except yaml.YAMLError as error:
            raise self.refused(f"is not YAML: {str(error).splitlines()[0]}") from error

    def part(self, model: type[Part], data: object, *place: str) -> Part:
        """Return `data`, which stands at `place`, as `model`; the first field that is wrong is named."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise self.refused(": ".join(filter(None, (*place, field, first["msg"])))) from error

    def refused(self, problem: str) -> SupportError:
        """Return the error that says what is wrong in this file."""
        named = f"{self.path} ({self.variable})" if self.variable else str(self.path)
        return SupportError(self.code, f"{named}: {problem}")
