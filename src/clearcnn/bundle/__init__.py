"""The one reader and writer of run folders."""

from clearcnn.bundle.contract import InputContract, ResizeRule, infer_polarity
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
from clearcnn.bundle.network_file import check_network_file
from clearcnn.bundle.provenance import is_own, sign
from clearcnn.bundle.reader import Bundle, read_bundle, read_metrics
from clearcnn.bundle.records import write_history, write_metrics, write_predictions
from clearcnn.bundle.run_folder import (
    RunFolder,
    find_free_place,
    open_run_folder,
    shorten_name,
)
from clearcnn.bundle.unfinished import (
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
    "REQUEST_NAME",
    "UNFINISHED",
    "Bundle",
    "Confidence",
    "FileEntry",
    "InputContract",
    "Manifest",
    "Request",
    "ResizeRule",
    "RunFolder",
    "UnfinishedRun",
    "check_network_file",
    "describe_run",
    "find_free_place",
    "infer_polarity",
    "is_finished_as",
    "is_own",
    "make_request",
    "may_be_unfinished",
    "open_run_folder",
    "read_bundle",
    "read_metrics",
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
