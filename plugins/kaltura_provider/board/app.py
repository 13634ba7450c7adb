"""The application of the board. Every route needs an Airflow user; nothing is public."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from kaltura_provider.board.actions import actions
from kaltura_provider.board.pages import pages
from kaltura_provider.board.rendering import render

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.responses import Response

__all__ = ["app"]

# No schema, and no page that shows it: those would need no user.
app = FastAPI(
    title="Kaltura board",
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
    dependencies=[Depends(get_user)],
)
app.include_router(pages)
app.include_router(actions)


@app.exception_handler(HTTPException)
def _refused(request: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)
    return _error_page(request, refused.status_code, refused.detail)


@app.exception_handler(RequestValidationError)
def _malformed(request: Request, error: Exception) -> Response:
    problems = cast("RequestValidationError", error).errors()
    said = "; ".join(f"{'.'.join(map(str, problem['loc'][1:]))}: {problem['msg']}" for problem in problems)
    return _error_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, said)


def _error_page(request: Request, code: int, detail: str) -> Response:
    status = HTTPStatus(code)
    return render(request, "error.html", {"status": status, "detail": detail}, code=code)
