"""The error of a command that cannot go on."""


class CommandError(Exception):
    """One sentence for the user: what is wrong, with which value, what to do. Exit code 2."""
