"""The routes of the studio: collecting pictures, looking at them, training, and keeping runs."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.results.json_codec import to_json
from clearcnn.types import JsonObject, JsonValue
from clearcnn.web.access_control import require_this_computer
from clearcnn.web.assets import find_assets
from clearcnn.web.bounded_route import BoundedRoute
from clearcnn.web.page_language import answer_in_language, choose_page_language
from clearcnn.web.pixel_limits import count_pixels
from clearcnn.web.settings import ServeSettings
from clearcnn.web.thumbnails import Thumbnails
from clearcnn.workflows.studio.attempts import describe_attempts, describe_result
from clearcnn.workflows.studio.folder_errors import tell_missing
from clearcnn.workflows.studio.import_source import import_source
from clearcnn.workflows.studio.jobs import RunningJob
from clearcnn.workflows.studio.studio import (
    FEWEST_PICTURES,
    FEWEST_SCENES,
    Studio,
    has_bursts,
)

_MOST_PICTURES = 20_000
_MOST_THUMBNAILS = 100
_MOST_FILE_BYTES = 2**30

# The report has its own styles, script and images. In the sandbox, it cannot reach the studio.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src "
    "data:; frame-ancestors 'none'; sandbox allow-scripts"
)
_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".csv": "text/csv"}


class ClassBody(BaseModel):
    """A class."""

    name: str = Field(max_length=1_000)


class RenameBody(ClassBody):
    """A class and its new name."""

    new: str = Field(max_length=1_000)


class PicturesBody(BaseModel):
    """Pictures that are changed together."""

    pictures: list[str] = Field(max_length=_MOST_PICTURES)


class ThumbnailsBody(BaseModel):
    """Pictures whose thumbnails are sent together."""

    pictures: list[str] = Field(max_length=_MOST_THUMBNAILS)


class MoveBody(PicturesBody):
    """Pictures and the class that they move to."""

    name: str


class SourceBody(BaseModel):
    """A source to copy: what `load` takes."""

    source: str = Field(max_length=4_000)
    batch: str = Field("", max_length=50)


class MeasureBody(BaseModel):
    """A training of which the time is measured."""

    recipe: str = "default"
    seed: int = 777


class TrainBody(MeasureBody):
    """A training, with the options of `clearcnn train`."""

    epochs: int | None = None
    budget: float | None = Field(None, gt=0, le=86_400)


def make_studio_router(studio: Studio, settings: ServeSettings) -> APIRouter:
    """Make the routes of the studio: `/`, `/static/…` and `/studio/…`.

    Args:
      studio: what the routes call. The caller closes it.
      settings: the limits of one picture.
    """
    router = APIRouter(
        include_in_schema=False,
        route_class=BoundedRoute,
        dependencies=[Depends(require_this_computer)],
    )
    assets = find_assets()
    folder = studio.folder
    thumbnails = Thumbnails(folder.root)

    @router.get("/")
    def show_page(request: Request) -> Response:
        return assets["studio.html"].answer(request)

    @router.get("/static/{path:path}")
    def show_asset(path: str, request: Request) -> Response:
        if path not in assets:
            raise HTTPException(404, say("There is no file {path!r}", path=path))
        return assets[path].answer(request)

    @router.get("/studio/state")
    def show_state(known: str = "") -> JSONResponse:
        return JSONResponse(_describe_state(studio, known))

    @router.post("/studio/pictures")
    async def add_picture(
        request: Request, class_name: str, name: str, burst: str | None = None, batch: str = ""
    ) -> JSONResponse:
        content = await request.body()

        def keep() -> str:
            with suppress(DataError):  # The folder says it in the page's words.
                count_pixels([(name[:100], content)], settings)
            return folder.add(class_name, content, name, burst, batch[:50])

        return JSONResponse({"picture": await run_in_threadpool(keep)}, 201)

    @router.post("/studio/sources")
    def add_source(body: SourceBody) -> JSONResponse:
        return JSONResponse({"count": import_source(folder, body.source, body.batch)}, 201)

    @router.post("/studio/classes")
    def add_class(body: ClassBody) -> JSONResponse:
        return JSONResponse({"name": folder.add_class(body.name)}, 201)

    @router.post("/studio/classes/rename")
    def rename_class(body: RenameBody) -> JSONResponse:
        return JSONResponse({"name": folder.rename_class(body.name, body.new)})

    @router.post("/studio/classes/remove")
    def remove_class(body: ClassBody) -> Response:
        folder.remove_class(body.name)
        return Response(status_code=204)

    @router.post("/studio/move")
    def move(body: MoveBody) -> JSONResponse:
        return JSONResponse({"pictures": folder.move(body.pictures, body.name)})

    @router.post("/studio/remove")
    def remove(body: PicturesBody) -> Response:
        folder.remove(body.pictures)
        return Response(status_code=204)

    @router.post("/studio/undo")
    def undo() -> JSONResponse:
        kind, count = folder.undo() or ("", 0)
        return JSONResponse({"kind": kind, "count": count})

    @router.get("/studio/thumbnail")
    def show_thumbnail(picture: str, request: Request) -> Response:
        path = folder.path_of(picture)
        try:
            headers = {"Cache-Control": "private, no-cache", "ETag": thumbnails.tag(path)}
            if request.headers.get("if-none-match") == headers["ETag"]:
                return Response(status_code=304, headers=headers)
            content, kind = thumbnails.make(path)
        except OSError as error:  # Deleted by another program since the folder was listed.
            raise tell_missing(picture) from error
        return Response(content, media_type=kind, headers=headers)

    @router.post("/studio/thumbnails")
    def send_thumbnails(body: ThumbnailsBody) -> JSONResponse:
        # A request for each costs a browser and the server several times what a picture does.
        known = folder.list_known(body.pictures)
        return JSONResponse({name: thumbnails.as_address(path) for name, path in known.items()})

    @router.post("/studio/warm")
    def warm_up() -> Response:
        studio.jobs.warm_up()
        return Response(status_code=204)

    @router.post("/studio/look")
    def look() -> JSONResponse:
        return JSONResponse({"number": studio.look().number}, 202)

    @router.post("/studio/train")
    def train(body: TrainBody, request: Request) -> JSONResponse:
        job = studio.train(
            recipe=body.recipe,
            epochs=body.epochs,
            seed=body.seed,
            budget=body.budget,
            language=choose_page_language(request).code,
        )
        return JSONResponse({"number": job.number}, 202)

    @router.get("/studio/estimate")
    def estimate(recipe: str = "default", epochs: int | None = None) -> JSONResponse:
        found = studio.estimate(recipe, epochs)
        if found is None and studio.is_measuring:
            return JSONResponse({"seconds": None, "basis": "measuring"})
        return JSONResponse(None if found is None else to_json(found))

    @router.post("/studio/measure")
    def measure(body: MeasureBody) -> JSONResponse:
        return JSONResponse({"number": studio.measure(body.recipe, body.seed).number}, 202)

    @router.post("/studio/cancel")
    def cancel() -> Response:
        studio.jobs.cancel()
        return Response(status_code=204)

    @router.get("/studio/job")
    def show_job(request: Request, first: int = 0) -> JSONResponse:
        job = studio.jobs.latest
        described = None if job is None else _describe_job(job, max(0, first))
        return answer_in_language(request, described)

    @router.get("/studio/attempts")
    def list_attempts() -> JSONResponse:
        return JSONResponse(describe_attempts(studio.attempts.list_all()))

    @router.get("/studio/attempts/{run}")
    def show_attempt(run: str, request: Request) -> JSONResponse:
        attempt = studio.find_attempt(run)
        described: JsonObject = {
            **describe_result(attempt),
            "commands": {**studio.list_commands(attempt)},
            "folder": str(attempt.run.folder),
        }
        return answer_in_language(request, described)

    @router.get("/studio/attempts/{run}/neighbours")
    def show_neighbours(run: str, picture: str) -> JSONResponse:
        return JSONResponse(studio.find_neighbours(run, picture))

    @router.get("/studio/runs/{run}/{name:path}")
    def send_file(run: str, name: str) -> Response:
        content = studio.find_attempt(run).run.read(name, _MOST_FILE_BYTES)
        kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
        headers = {"Content-Security-Policy": _REPORT_POLICY}
        if not name.endswith(".html"):
            headers["Content-Disposition"] = "attachment"
        return Response(content, media_type=kind, headers=headers)

    @router.post("/studio/runs/{run}/inside")
    def open_inside(run: str) -> JSONResponse:
        studio.find_attempt(run)
        return JSONResponse({"address": f"inside/{quote(run)}/"})

    return router


def _describe_state(studio: Studio, known: str) -> JsonObject:
    folder, job = studio.folder, studio.jobs.latest
    version = folder.version()
    state: JsonObject = {
        "version": version,
        "job": None if job is None else {"number": job.number, "is_over": job.is_over},
    }
    if version == known:
        return state
    classes = folder.scan()
    listed: list[JsonValue] = [
        {"name": each.name, "scenes": each.num_scenes, "pictures": list(each.pictures)}
        for each in classes
    ]
    return {
        **state,
        "root": str(folder.root),
        "can_undo": folder.can_undo,
        "has_bursts": has_bursts(classes),
        "fewest_pictures": FEWEST_PICTURES,
        "fewest_scenes": FEWEST_SCENES,
        "classes": listed,
    }


def _describe_job(job: RunningJob, first: int) -> JsonObject:
    events: list[JsonValue] = [*job.events[first:]]
    return {
        "number": job.number,
        "kind": job.job["kind"],
        "command": job.job.get("command", ""),
        "is_over": job.is_over,
        "events": events,
    }
