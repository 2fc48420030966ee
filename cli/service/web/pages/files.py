"""Styles and scripts of the pages."""

from fastapi import APIRouter, Response

from cli.service.errors import NotFoundError
from cli.service.web.render.html import STATIC, static_file

router = APIRouter(include_in_schema=False)
# Addresses change with the contents, see `cli.service.web.render.html`.
FOR_A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/static/{name}")
def show_file(name: str) -> Response:
    """A file that pages load."""
    if name not in STATIC:
        raise NotFoundError(f"there is no file {name[:100]!r}.")
    return Response(static_file(name), media_type=STATIC[name], headers=FOR_A_YEAR)
