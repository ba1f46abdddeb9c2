"""The error whose text a user can act on."""


class UserError(Exception):
    """What failed, on what, why, and what to do: shown without a traceback, because the cause is outside the code."""
