"""Where the emulator is kinder than AWS, or loses what AWS would keep: one function per difference.

Every patch names the private pieces of the emulator that it replaces or relies on, each with a fingerprint of the source
it was written for. A piece that is gone or reads differently stops the start: a patch that silently no longer bites would
let tests pass that prove nothing.
"""

import hashlib
import importlib
import inspect
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


class Misfit(Exception):
    """The installed emulator is not the one the patches were written for."""


@dataclass(frozen=True)
class Patch:
    name: str
    apply: Callable[[], None]
    relies_on: Mapping[str, str]
    """`module:attribute` of the emulator and the fingerprint of what should be found there."""

    @property
    def summary(self) -> str:
        return inspect.getdoc(self.apply).splitlines()[0]

    def check(self) -> None:
        for place, expected in self.relies_on.items():
            found = fingerprint(place)
            if found != expected:
                raise Misfit(
                    f"patch {self.name}: ministack's {place} is not what this patch was written for "
                    f"(expected {expected}, found {found}). Read the new source, mend the patch in "
                    "infra/local/patches and run infra/local/tests."
                )


def patch(name: str, relies_on: Mapping[str, str]) -> Callable[[Callable[[], None]], Patch]:
    """Declare a patch; its docstring says what AWS does and what the emulator does."""
    return lambda apply: Patch(name, apply, relies_on)


def fingerprint(place: str) -> str:
    """Twelve hex digits for a function's source or a constant's value; `absent` if there is no such thing."""
    module, _, attribute = place.partition(":")
    try:
        found = operator.attrgetter(attribute)(importlib.import_module(f"ministack.{module}"))
    except (ImportError, AttributeError):
        return "absent"
    text = inspect.getsource(found) if inspect.isroutine(found) else repr(found)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def every() -> tuple[Patch, ...]:
    """All patches, in the order in which they are applied."""
    from . import apis, bus, mappings, queues

    return (*queues.PATCHES, *bus.PATCHES, *mappings.PATCHES, *apis.PATCHES)


def names() -> list[str]:
    return [each.name for each in every()]


def apply(patches: Iterable[Patch]) -> None:
    """Check all of them against the emulator as it came, then apply them."""
    patches = tuple(patches)
    for each in patches:
        each.check()
    for each in patches:
        each.apply()
