"""What schemathesis makes up, bent to this host before it is sent: names, pids and bundles that are there, so that
requests do something; paths inside the run's own folder; streams and waits that end. A value that is wrong stays wrong,
and a right one right, so that what schemathesis expects of an answer still holds."""

import itertools
import json
import os
import re
import urllib.error
import urllib.request
import zlib
from urllib.parse import unquote

import schemathesis

BASE = os.environ["FUZZ_BASE"]
WORK = os.environ["FUZZ_WORK"]
BUNDLES = [f"{WORK}/bundle-{letter}" for letter in "ab"]
# A cgroup is named as its container, whichever daemon's it is: ours begin so.
PREFIX = "fuzz-"
POOL = [PREFIX + letter for letter in "abc"]
CHECKPOINTS = ["one", "two", "three"]
PROGRAMS = [["/bin/true"], ["/bin/sleep", "1000"], ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
PATH = re.compile(r"/[^\0]*")
KEY = re.compile(r"[!-~]{1,255}")

count = itertools.count()


# Made by scripts/fuzz.
with open(f"{WORK}/archive.tar", "rb") as file:
    ARCHIVE = file.read()


@schemathesis.serializer("application/x-tar", "application/zstd", "application/gzip")
def archive(context, value):
    """Bytes by chance, or one that was exported: whose form is seen by its bytes, whatever it is called."""
    value = value if isinstance(value, bytes) else str(value).encode()
    return {"data": ARCHIVE if chance(value, 2) else value}



@schemathesis.hook
def before_call(context, case, kwargs):
    stateful = case.meta is not None and case.meta.phase.name == "stateful"
    operation = case.operation.definition.raw["operationId"]
    path(case, operation, stateful)
    parameters(case, operation)
    if isinstance(case.body, dict):
        body(case.body, operation)


def path(case, operation, stateful):
    parameters = case.path_parameters or {}
    # Already as it stands in a path.
    parameters.update({key: unquote(value) for key, value in parameters.items() if isinstance(value, str) and NAME.fullmatch(unquote(value))})
    name = parameters.get("id")
    if not is_name(name, 76):
        return
    if stateful:
        # What came by a link stays; what is begun is of this walk alone.
        if operation == "startContainer" and not name.startswith(PREFIX):
            name = f"{PREFIX}{next(count)}"
            make_room()
    elif not name.startswith(PREFIX) and chance(name, 4):
        name = pick(POOL, name)
        if operation != "startContainer" and chance(name + repr(parameters), 2):
            ensure(name)
    parameters["id"] = name if name.startswith(PREFIX) else (PREFIX + name)[:76]
    checkpoint = parameters.get("checkpoint")
    if is_name(checkpoint, 128) and checkpoint not in CHECKPOINTS and chance(checkpoint, 4):
        parameters["checkpoint"] = pick(CHECKPOINTS, checkpoint)
    pid = parameters.get("pid")
    if not stateful and is_number(pid, 1, 2**31 - 1) and chance(pid, 2):
        parameters["pid"] = init(parameters["id"]) or pid


def parameters(case, operation):
    query, headers = case.query or {}, case.headers or {}
    # Each request is its own: a repeat is answered as the first was, which schemathesis would take for a lie.
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and KEY.fullmatch(key):
        tail = f"-{os.getpid()}-{next(count)}"
        headers["Idempotency-Key"] = key[: 255 - len(tail)] + tail
    # Streams end.
    if operation in ("getEvents", "getLogs") and is_flag(query.get("follow", True)):
        case.query["follow"] = "false"
    if operation in ("waitContainer", "waitProcess", "waitProcessPlural") and is_number(query.get("timeout", 0), 0, 86400):
        case.query["timeout"] = 0
    if is_path(query.get("bundlePath")):
        query["bundlePath"] = bundle(query["bundlePath"])


def body(body, operation):
    if operation == "startContainer":
        body_of_start(body)
    elif operation == "stopContainer" and is_number(body.get("timeout", 0), 0, 3600):
        body["timeout"] = 0
    elif operation in ("createProcess", "createProcessPlural"):
        # A program that is not there is a failure of the runtime's, which 500 says, and rightly.
        args = body.get("args")
        if isinstance(args, list) and args and all(isinstance(one, str) and "\0" not in one for one in args):
            body["args"] = pick(PROGRAMS, repr(args))
        if is_path(body.get("cwd")):
            body["cwd"] = pick(["/", "/tmp"], body["cwd"])


def body_of_start(body):
    if is_path(body.get("bundlePath")):
        body["bundlePath"] = bundle(body["bundlePath"])
    if is_name(body.get("checkpoint"), 128) and body["checkpoint"] not in CHECKPOINTS:
        body["checkpoint"] = pick(CHECKPOINTS, body["checkpoint"])
    # A rule between two fields, which the contract says in words: OpenAPI 3.0 has no keyword for it.
    if "checkpoint" not in body and body.get("lazyPages") is True:
        del body["lazyPages"]
    # They are made on the host.
    for stream in ("stdout", "stderr"):
        if is_path(body.get(stream)):
            body[stream] = f"{WORK}/out/{zlib.crc32(body[stream].encode()) % 8}"


def bundle(path):
    """Mostly one that is there, and always one of ours: checkpoints are written into it. What is nowhere may stay."""
    return pick(BUNDLES, path) if chance(path, 8) or os.path.lexists(path) else path


def is_path(value):
    return isinstance(value, str) and len(value) <= 4000 and PATH.fullmatch(value) is not None


def is_name(value, longest):
    return isinstance(value, str) and len(value) <= longest and NAME.fullmatch(value) is not None


def is_number(value, least, most):
    # In a query it may be text already.
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        value = int(value)
    # JSON Schema's integers have 9.0 among them.
    whole = isinstance(value, int) or isinstance(value, float) and value.is_integer()
    return whole and not isinstance(value, bool) and least <= value <= most


def is_flag(value):
    return isinstance(value, bool) or value in ("true", "false")


def chance(value, of):
    """True for all but one in so many, by the value alone: a seed's run is the same each time."""
    return zlib.crc32(repr(value).encode()) % of != 0


def pick(choices, value):
    return choices[zlib.crc32(repr(value).encode()) % len(choices)]


# The daemon, asked beside the test.
def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer) if answer.status != 204 else None
    except urllib.error.HTTPError:
        return None


def ensure(name):
    """That it runs, mostly: others may just do something else to it."""
    there = ask("GET", f"/containers/{name}")
    if there is None or there["state"]["status"] == "stopped":
        ask("POST", f"/containers/{name}", {"bundlePath": pick(BUNDLES, name)})


def init(name):
    there = ask("GET", f"/containers/{name}")
    return there["processes"][0]["pid"] if there and there["processes"] else None


def make_room():
    """Earlier walks have left theirs."""
    names = [one["id"] for one in ask("GET", "/containers") or [] if one["id"] not in POOL]
    for name in names if len(names) > 15 else []:
        ask("DELETE", f"/containers/{name}?force=true")
