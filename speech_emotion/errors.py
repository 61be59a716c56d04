"""The one kind of error a user can cause and cure: a single line, exit code 2."""


class UserError(Exception):
    """Bad input. The message is one line that names the file, the value and the remedy."""


class CheckFailed(Exception):
    """A check the command exists to make did not hold: exit code 1, one line."""
