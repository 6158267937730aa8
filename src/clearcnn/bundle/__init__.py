"""The only reader and writer of run folders."""

from clearcnn.bundle.keras_file import (
    LayerShapes,
    limit_network_bytes,
    read_network_weights,
)
from clearcnn.bundle.manifest import (
    MANIFEST_NAME,
    Confidence,
    FileEntry,
    Manifest,
    describe_run,
    software_versions,
    write_json,
    write_manifest,
)
from clearcnn.bundle.provenance import is_own, sign
from clearcnn.bundle.reader import Bundle, read_bundle
from clearcnn.bundle.run_folder import (
    RunFolder,
    find_free_place,
    open_run_folder,
    shorten_name,
)
from clearcnn.bundle.run_metrics import METRICS_NAME, RunMetrics, read_metrics, read_mistakes
from clearcnn.bundle.run_tables import write_history, write_metrics, write_predictions
from clearcnn.bundle.unfinished_run import (
    CHECKPOINT_NAME,
    REQUEST_NAME,
    UNFINISHED,
    Request,
    UnfinishedRun,
    is_finished_as,
    make_request,
    may_be_unfinished,
    read_request,
    unfinished_place,
    write_request,
)

__all__ = [
    "CHECKPOINT_NAME",
    "MANIFEST_NAME",
    "METRICS_NAME",
    "REQUEST_NAME",
    "UNFINISHED",
    "Bundle",
    "Confidence",
    "FileEntry",
    "LayerShapes",
    "Manifest",
    "Request",
    "RunFolder",
    "RunMetrics",
    "UnfinishedRun",
    "describe_run",
    "find_free_place",
    "is_finished_as",
    "is_own",
    "limit_network_bytes",
    "make_request",
    "may_be_unfinished",
    "open_run_folder",
    "read_bundle",
    "read_metrics",
    "read_mistakes",
    "read_network_weights",
    "read_request",
    "shorten_name",
    "sign",
    "software_versions",
    "unfinished_place",
    "write_history",
    "write_json",
    "write_manifest",
    "write_metrics",
    "write_predictions",
    "write_request",
]
