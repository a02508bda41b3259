"""Who may rate under which name: the one check that every route makes of the name it is given."""

from collections.abc import Callable

from annotate.errors import BadRequestError
from annotate.identity import Person
from annotate.judgement import SIMULATED_PREFIX, is_simulated
from annotate.project import Project

CheckPerson = Callable[[Person, str], str]


def person_check(project: Project) -> CheckPerson:
    """A function from whoever sends a request and the name in it to the name as it is stored.

    It raises an OtherPersonError for a name that isn't the account's, and a BadRequestError for names that can't be
    stored and, in the sample, for the simulated people's.
    """

    def check(person: Person, name: str) -> str:
        annotator = person.rates_as(name)
        if is_simulated(annotator) and project.is_sample:
            raise BadRequestError(
                f"Names that begin with {SIMULATED_PREFIX} are kept for the sample's simulated people; choose another."
            )
        return annotator

    return check
