"""The one kind of error a person sees without a traceback."""


class CannotRun(Exception):
    """A command cannot go on. The message says what is wrong, where, and how to mend it. Exit code 2."""
