"""The errors a user can mend: what went wrong, where, and how to put it right, in one line."""


class OpticalError(Exception):
    """An error with a place and a remedy.

    >>> print(DataError("the file is empty", where="qrels.txt", hint="give at least one judgement"))
    the file is empty [qrels.txt]. Hint: give at least one judgement
    """

    def __init__(self, what: str, where: object = "", hint: str = ""):
        self.what, self.where, self.hint = what, str(where), hint
        place = f" [{where}]" if str(where) else ""
        remedy = f". Hint: {hint}" if hint else ""
        super().__init__(f"{what}{place}{remedy}")


class ConfigError(OpticalError):
    """The configuration asks for something that does not exist or does not fit together."""


class DataError(OpticalError):
    """A file does not hold what it should."""


class ResourceError(OpticalError):
    """The machine, the network or the time does not suffice."""
