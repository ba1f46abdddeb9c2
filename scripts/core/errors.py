"""The error for problems that a user can solve."""


class UserError(Exception):
    """Say what failed, on which video, why, and what to do. The log shows no traceback of it."""
