"""The errors for problems that a user can solve."""


class UserError(Exception):
    """Say what failed, on which video, why, and what to do. The log shows no traceback of it."""


class Damaged(UserError, ValueError):
    """A file of ours cannot be read: something else cut it short or wrote to it."""
