"""Reads what `cargo xtask exports` wrote as other programs would.

GraphML by networkx. The SQL by DuckDB: its own over the files as they are; that of Athena over a table with the
columns and types of the DDL that AWS documents, that of CloudTrail Lake over one with the documented schema of an
event data store. Two functions that DuckDB names otherwise are macros. sqlglot reads the text in the languages of Athena
and Presto. What this does not prove: that Athena and CloudTrail Lake themselves accept the text.
"""

import json
import sys
from pathlib import Path

import duckdb
import networkx
import sqlglot

SESSION = (
    "STRUCT(attributes STRUCT(mfaauthenticated VARCHAR, creationdate VARCHAR),"
    " sessionissuer STRUCT(type VARCHAR, principalid VARCHAR, arn VARCHAR, accountid VARCHAR, username VARCHAR)%s)"
)
IDENTITY = (
    "STRUCT(type VARCHAR, principalid VARCHAR, arn VARCHAR, accountid VARCHAR, invokedby VARCHAR,"
    " accesskeyid VARCHAR, username VARCHAR, sessioncontext " + SESSION + ")"
)
TEXTS = (
    "eventsource eventname awsregion sourceipaddress useragent errorcode errormessage requestid eventid eventtype"
    " recipientaccountid sharedeventid"
).split()
OPEN = ["requestparameters", "responseelements", "additionaleventdata"]


def lower(value):
    """Member names in lower case, as both tables have them."""
    if isinstance(value, dict):
        return {name.lower(): lower(member) for name, member in value.items()}
    return value


def as_text(value):
    return value if value is None or isinstance(value, str) else json.dumps(value)


def rows(records, lake):
    for record in records:
        row = {name.lower(): value for name, value in record.items()}
        row["useridentity"] = lower(record.get("userIdentity"))
        for name in OPEN:
            value = row.get(name)
            if lake and isinstance(value, dict):
                row[name] = {key: as_text(member) for key, member in value.items()}
            else:
                row[name] = as_text(value)
        if lake:
            row["eventtime"] = record["eventTime"].replace("T", " ").replace("Z", "")
        yield row


def table(connection, name, records, folder, lake):
    path = folder / f"{name}.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(records, lake)))
    columns = {text: "VARCHAR" for text in TEXTS}
    columns["eventtime"] = "TIMESTAMP" if lake else "VARCHAR"
    columns["useridentity"] = IDENTITY % (", sourceidentity VARCHAR" if lake else "")
    columns.update({text: "MAP(VARCHAR, VARCHAR)" if lake else "VARCHAR" for text in OPEN})
    types = ", ".join(f"{column}: '{kind}'" for column, kind in columns.items())
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_json('{path}', columns = {{{types}}})")


def open_tables(folder):
    connection = duckdb.connect()
    connection.execute("CREATE MACRO json_extract_scalar(text, path) AS json_extract_string(text, path)")
    connection.execute("CREATE MACRO element_at(entries, name) AS map_extract_value(entries, name)")
    records = json.loads((folder / "logs/trail.json").read_text())["Records"]
    for name, lake in [("athena", False), ("lake", True)]:
        table(connection, name, records, folder, lake)
    return connection, records


def answers(connection, path, dialect):
    for block in path.read_text().split("\n\n"):
        if "SELECT" not in block:
            continue
        comment, sql = block.split("\n", 1)
        if dialect:
            assert len(sqlglot.parse(sql.rstrip().rstrip(";"), read=dialect)) == 1, path
        found = connection.execute(sql)
        names = [column[0] for column in found.description]
        yield comment.removeprefix("-- "), [dict(zip(names, row)) for row in found.fetchall()]


def check_sql(folder, pivot_file):
    pivot = json.loads(pivot_file.read_text())
    connection, records = open_tables(folder)
    calls = {r["eventID"] for r in records if (r.get("userIdentity") or {}).get("accessKeyId") == pivot}
    gave = {
        r["eventID"]
        for r in records
        if r["eventID"] in calls and '"accessKeyId"' in json.dumps(r.get("responseElements"))
    }
    asked = 0
    for engine, dialect in [("athena", "athena"), ("lake", "presto"), ("duckdb", "")]:
        for about, found in answers(connection, pivot_file.with_suffix(f".{engine}.sql"), dialect):
            ids = {row.get("event_id") for row in found}
            expected = {"every call made with the key": calls, "what the key issued: its children": gave}
            if about in expected:
                assert ids == expected[about], (pivot_file, engine, about, ids ^ expected[about])
            asked += 1
    return asked


def check_graph(pivot_file):
    graph = networkx.read_graphml(pivot_file.with_suffix(".graphml"))
    lines = [json.loads(line) for line in pivot_file.with_suffix(".jsonl").read_text().splitlines()]
    uses = sorted(data["uses"] for _, data in graph.nodes(data=True))
    told = {json.dumps(line["node"]): line["token"]["uses"] for line in lines}
    assert len(told) == len(uses), pivot_file
    assert sorted(told.values()) == uses, pivot_file
    ids = {data["event_ids"] for _, _, data in graph.edges(data=True)}
    assert ids == {" ".join(line["edge"]["event_ids"]) for line in lines if line["edge"]}, pivot_file


def main():
    asked = graphs = 0
    for pivot_file in sorted(Path(sys.argv[1]).glob("*/*.pivot")):
        check_graph(pivot_file)
        graphs += 1
        asked += check_sql(pivot_file.parent, pivot_file)
    assert graphs and asked
    print(f"networkx {networkx.__version__}: {graphs} GraphML files have the nodes and edges of the JSON")
    print(f"duckdb {duckdb.__version__}: {asked} queries of Athena, CloudTrail Lake and DuckDB ran; calls and children are right")
    print(f"sqlglot {sqlglot.__version__}: reads those of Athena, and those of CloudTrail Lake as Presto")
    print("not proven: that Athena and CloudTrail Lake themselves take the text")


main()
