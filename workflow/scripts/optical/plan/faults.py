"""Faults of the config as errors of the workflow manager, which shows its own in one line."""

from collections.abc import Callable
from functools import wraps
from types import ModuleType, SimpleNamespace
from typing import Any

from optical.errors import OpticalError


def raising(error: type[Exception], planned: Any) -> Any:
    """Return a function of the plan, or a module of such, whose faults of the config are errors of another class.

    Values and classes stay as they are; of a module only public names are there.

    >>> from optical.plan.experiment import Experiment
    >>> raising(RuntimeError, Experiment.from_config)({"step": 3})
    Traceback (most recent call last):
    RuntimeError: ConfigError: unknown key 'step' [config]. Hint: known are atlas, ...
    """
    if isinstance(planned, ModuleType):
        public = {name: value for name, value in vars(planned).items() if not isinstance(value, ModuleType)}
        return SimpleNamespace(**{name: raising(error, value) for name, value in public.items() if name[0] != "_"})
    if not callable(planned) or isinstance(planned, type):
        return planned
    return _guarded(error, planned)


def _guarded(error: type[Exception], planned: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(planned)
    def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return planned(*arguments, **named)
        except OpticalError as fault:
            raise error(f"{type(fault).__name__}: {fault}") from None

    return guarded
