"""The error of a wrong command."""


class UsageError(Exception):
    """A command that cannot be carried out as given; the message is one line and names the choices."""
