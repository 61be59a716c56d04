"""The one kind of error a user can cause and cure: a single line, exit code 2."""


class UserError(Exception):
    """Bad input. The message is one line that names the file, the value and the remedy."""


class CheckFailed(Exception):
    """A check the command exists to make did not hold: exit code 1, one line."""


_LONGEST = 40


def shown(value: object) -> str:
    """A value that a stranger may have written, as a message shows it: escaped, on one line, and short
    however large it is. Only text and numbers are shown themselves; of anything else, what it is."""
    if isinstance(value, str):
        text = repr(str(value[: _LONGEST + 1]))
        return text if len(value) <= _LONGEST else f"{text[:_LONGEST]}...'"
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a whole number of {value.bit_length()} bits"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
