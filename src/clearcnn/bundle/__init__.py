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
from clearcnn.bundle.reader import Bundle, read_bundle
from clearcnn.bundle.records import write_history, write_metrics, write_predictions
from clearcnn.bundle.run_folder import RunFolder, open_run_folder, shorten_name

__all__ = [
    "MANIFEST_NAME",
    "Bundle",
    "Confidence",
    "FileEntry",
    "InputContract",
    "Manifest",
    "ResizeRule",
    "RunFolder",
    "check_network_file",
    "describe_run",
    "infer_polarity",
    "open_run_folder",
    "read_bundle",
    "shorten_name",
    "software_versions",
    "write_history",
    "write_json",
    "write_manifest",
    "write_metrics",
    "write_predictions",
]
