"""Who may rate under which name: the one check that every route makes of the name it is given."""

from collections.abc import Callable

from annotate.errors import BadRequestError
from annotate.judgement import SIMULATED_PREFIX, check_annotator, is_simulated
from annotate.project import Project

CheckPerson = Callable[[str], str]


def person_check(project: Project) -> CheckPerson:
    """A function from the name in a request to the name as it is stored.

    It raises a BadRequestError for names that can't be stored and, in the sample, for the simulated people's.
    """

    def check(name: str) -> str:
        annotator = check_annotator(name)
        if project.is_sample and is_simulated(annotator):
            raise BadRequestError(
                f"Names that begin with {SIMULATED_PREFIX} are kept for the sample's simulated people; choose another."
            )
        return annotator

    return check
