"""The names of people in imported files: checked like those that are typed, and never the sample's simulated ones."""

from collections.abc import Callable

from annotate.errors import BadRequestError
from annotate.judgement import SIMULATED_PREFIX, check_annotator, is_simulated

CheckName = Callable[[str], str]


def name_check() -> CheckName:
    """A function from a name to the name as it is stored; each name is checked once.

    It raises a BadRequestError for names that can't be stored, or that only simulated people have.
    """
    known: dict[str, str] = {}

    def check(name: str) -> str:
        if name not in known:
            tidy = check_annotator(name)
            if is_simulated(tidy):
                raise BadRequestError(f"Names that begin with {SIMULATED_PREFIX} are kept for the sample.")
            known[name] = tidy
        return known[name]

    return check
