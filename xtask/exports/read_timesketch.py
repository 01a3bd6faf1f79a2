"""Reads time lines with Timesketch's own import client, up to where it would send them to a server.

Beyond what the client asks for: no field was made up by it, the two forms of each instant agree, and no
field holds an object, which Timesketch would flatten or refuse.
"""

import datetime
import json
import sys
from pathlib import Path

from timesketch_import_client.importer import ImportStreamer

MANDATORY = {"message", "datetime", "timestamp_desc"}


class Kept(ImportStreamer):
    """The client with a list in place of the server."""

    def __init__(self):
        super().__init__()
        self.kept = []
        self.set_sketch("none")

    def set_sketch(self, sketch):
        self._sketch = sketch

    def _upload_data_buffer(self, end_stream, data_lines=None, retry_count=0):
        self.kept.extend(data_lines or self._data_lines)


def check(before, after):
    if missing := MANDATORY - before.keys():
        raise ValueError(f"{missing} missing")
    if before.keys() != after.keys():
        raise ValueError(f"the client changed the fields: {before.keys() ^ after.keys()}")
    for form in (before["datetime"], after["datetime"]):
        instant = datetime.datetime.fromisoformat(form)
        if instant.utcoffset() != datetime.timedelta(0):
            raise ValueError(f"{form} is not UTC")
        if int(instant.timestamp() * 1_000_000) != before["timestamp"]:
            raise ValueError(f"{form} is not {before['timestamp']}")
    for name, value in before.items():
        if name.startswith("_") or not isinstance(value, (str, int, float, bool, list)):
            raise ValueError(f"{name} is not flat")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise ValueError(f"{name} is no list of texts")
    if not before["message"].strip() or not before["timestamp_desc"].strip():
        raise ValueError("an empty message")


def main():
    rows = 0
    for path in sys.argv[1:]:
        before = [json.loads(line) for line in Path(path).read_text().splitlines()]
        with Kept() as client:
            client.add_file(path)
        if len(client.kept) != len(before):
            sys.exit(f"{path}: the client took {len(client.kept)} of {len(before)} rows")
        if [row["timestamp"] for row in before] != sorted(row["timestamp"] for row in before):
            sys.exit(f"{path}: not in order of time")
        for number, (row, kept) in enumerate(zip(before, client.kept), 1):
            try:
                check(row, kept)
            except ValueError as error:
                sys.exit(f"{path}:{number}: {error}")
        rows += len(before)
    if not rows:
        sys.exit("no row was written, so nothing was checked")
    print(f"timesketch: {rows} rows in {len(sys.argv) - 1} files: timesketch-import-client")


main()
