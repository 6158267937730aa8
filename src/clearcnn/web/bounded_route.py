"""Routes that parse JSON within a memory limit."""

from collections.abc import Callable, Coroutine

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from clearcnn.bounded_json import JsonError, parse_json
from clearcnn.language import say


class _BoundedRequest(Request):
    """A request whose JSON is parsed within a memory limit."""

    async def json(self) -> object:
        """Parse the body.

        Raises:
          HTTPException: 400, it is not JSON, or needs too much memory.
        """
        try:
            return parse_json(await self.body())
        except JsonError as error:
            raise HTTPException(
                400, say("The body cannot be read: {error}", error=error)
            ) from error


class BoundedRoute(APIRoute):
    """A route that parses JSON within a memory limit."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[object, object, Response]]:
        """Return FastAPI's handler, given a bounded request."""
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            return await handle(_BoundedRequest(request.scope, request.receive))

        return handle_bounded
