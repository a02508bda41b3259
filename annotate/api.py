"""The FastAPI app of the rating desk; the studio mounts its pages on it, tests serve it as it is."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from annotate.accounts import Accounts
from annotate.agreement_desk import AgreementDesk
from annotate.agreement_routes import agreement_router
from annotate.declared import declared_needs
from annotate.errors import AnnotateError, PairRevisedError, RevisedError
from annotate.exporting.routes import export_router
from annotate.exports import Exporter
from annotate.gate import Gate
from annotate.guard import LOOPBACK_HOSTS, Guard
from annotate.guidelines_routes import guidelines_router
from annotate.pad_files import pad_router
from annotate.person import person_check
from annotate.preference_routes import choice_out, preference_router
from annotate.project import Project
from annotate.routes import current_out, rating_router
from annotate.same_studio import studio_check
from annotate.sessions import Sessions
from annotate.sign_in import sign_in_router
from annotate.store import Store


def build_api(
    project: Project,
    store: Store,
    exporter: Exporter,
    allowed_hosts: Iterable[str] = LOOPBACK_HOSTS,
    sessions: Sessions | None = None,
) -> FastAPI:
    """The rating routes with guard and gate. Serving the app starts the exporter; ending it writes what is outstanding.

    Args:
        sessions: who is signed in; else that of the accounts in the project's own database.
    """
    signed_in = sessions or Sessions(Accounts.open(project.database))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        exporter.start()
        yield
        exporter.stop()

    # No docs pages: they would load scripts from another host.
    app = FastAPI(
        title="Reward studio: rating",
        version="1",
        description=f"Rate the images of {project.root.name} on five aspects, and compare them in pairs.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(Gate, sessions=signed_in)
    app.add_middleware(Guard, allowed_hosts=tuple(allowed_hosts))
    check_person = person_check(project)
    for router in (
        rating_router(store, exporter, check_person),
        guidelines_router(store),
        preference_router(store, exporter, check_person),
        agreement_router(store, AgreementDesk(store)),
    ):
        app.include_router(router, dependencies=[Depends(studio_check(store.identity))])
    app.include_router(pad_router())
    app.include_router(export_router(store))
    app.include_router(sign_in_router(signed_in))

    @app.exception_handler(AnnotateError)
    async def refuse(_request: Request, error: AnnotateError) -> JSONResponse:
        return JSONResponse(error.answer(), error.status)

    @app.exception_handler(RevisedError)
    async def show_current(_request: Request, error: RevisedError) -> JSONResponse:
        current = None if error.current is None else store.rating(error.current)
        shown = None if current is None else current_out(current).model_dump()
        return JSONResponse({"detail": str(error), "current": shown}, error.status)

    @app.exception_handler(PairRevisedError)
    async def show_current_pair(_request: Request, error: PairRevisedError) -> JSONResponse:
        shown = None if error.current is None else choice_out(error.current).model_dump()
        return JSONResponse({"detail": str(error), "current": shown}, error.status)

    @app.exception_handler(RequestValidationError)
    async def explain(_request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": "; ".join(_sentence(fault) for fault in error.errors()[:5]) + "."}, 422)

    declared_needs(app)
    return app


def _sentence(fault: dict[str, object]) -> str:
    """One validation fault as `place: what is wrong`, without echoing what was sent."""
    place = fault.get("loc")
    names = [str(part) for part in place if part not in {"body", "query", "path"}] if isinstance(place, tuple) else []
    return f"{'.'.join(names) or 'The request'}: {str(fault.get('msg', 'is not right')).rstrip('.')}"
