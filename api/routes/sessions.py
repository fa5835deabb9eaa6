"""Signing in and out by JSON; the console has its own form on the same functions."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.deps import ContainerDep, InteractiveDep, PersonDep, peer_of, session_cookie
from api.errors import documented
from api.schemas import FactorCode, SessionBody, SignIn
from support_agents.domain.ids import DEFAULT_WORKSPACE

router = APIRouter(prefix="/v1", tags=["session"])


@router.post(
    "/session",
    status_code=201,
    response_model=SessionBody,
    responses=documented("bad_credentials", "invalid", "locked_out", "busy"),
)
async def sign_in(body: SignIn, request: Request, container: ContainerDep) -> Response:
    """Open a session: the cookie comes with the answer, the CSRF token in it."""
    signed_in = await container.auth.sign_in(
        DEFAULT_WORKSPACE, email=body.email, password=body.password.get_secret_value(), peer=peer_of(request)
    )
    operator = signed_in.operator
    shown = SessionBody(email=operator.email, name=operator.name, role=operator.role, csrf=signed_in.csrf)
    headers = {"Set-Cookie": session_cookie(container, signed_in.token), "Cache-Control": "no-store"}
    return JSONResponse(shown.model_dump(mode="json"), status_code=201, headers=headers)


@router.get("/session", responses=documented("unauthenticated", "person_needed"))
async def who_am_i(interactive: InteractiveDep) -> SessionBody:
    """Tell who is signed in."""
    person = interactive.person
    return SessionBody(email=person.email, name=interactive.name, role=person.role, csrf=interactive.csrf)


@router.post(
    "/session/factor",
    status_code=204,
    responses=documented(
        *("unauthenticated", "person_needed", "csrf", "not_allowed", "factor_needed", "factor_wrong"),
        *("invalid", "locked_out"),
    ),
)
async def prove_factor(body: FactorCode, person: PersonDep, container: ContainerDep) -> Response:
    """Prove the second factor in this session; decisions on money then need no further code for ten minutes."""
    await container.factors.prove(person, body.code.get_secret_value())
    return Response(status_code=204)


@router.delete("/session", status_code=204, responses=documented("unauthenticated", "person_needed", "csrf"))
async def sign_out(person: PersonDep, container: ContainerDep) -> Response:
    """End the session everywhere it is open."""
    await container.auth.sign_out(person)
    return Response(status_code=204, headers={"Set-Cookie": session_cookie(container, "")})
