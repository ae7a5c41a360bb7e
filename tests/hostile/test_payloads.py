"""Payloads: a frame as its table declares it, or one kind of refusal, whatever a stranger wrote."""

import json
import time

import pandas as pd
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from hubframe.errors import PayloadError
from hubframe.oci.history import dockerfile_line, label_step
from hubframe.oci.manifests import OCI_MANIFEST, ManifestContent, content
from hubframe.oci.payload import as_json, parse
from hubframe.tables import FETCHED, TABLES, shape
from hubframe.tables.shape import Image
from hubframe.wire.registry import Registry
from hubframe.wire.session import json_of
from tests.fuzz import targets
from tests.fuzz.mutation import VALUES
from tests.fuzz.seeds import sample_cases
from tests.hostile.strategies import spoilt, texts

DEEP = 100_000
REPO, DIGEST = targets.REPO, targets.DIGEST


def test_real_payloads_make_every_frame():
    made = set()
    for case in sample_cases():
        targets.shapes(json.dumps(case).encode())
        made |= {name for name, frame in targets.frames(case) if len(frame)}
    # These are not made of the Hub's payloads: one of names, one of headers, some of archives; what
    # is attached to images, and what Quay tells, has targets of its own.
    of_archives = {"files", "packages", "distributions", "contents"}
    attached = {"sboms", "provenance", "materials", "dockerfiles", "signatures"}
    of_quay = {"tag_history", "tag_pulls"}
    assert made == set(FETCHED) - {"catalog", "limits"} - of_quay - of_archives - attached


@given(spoilt())
def test_spoilt_payloads_make_frames(case):
    # As they come: a mutation that JSON cannot carry would prove nothing.
    written = json.dumps(case).encode()
    targets.shapes(written)
    targets.read_documents(written)


@given(st.lists(spoilt(), min_size=2, max_size=4))
def test_images_read_together_are_read_as_each_alone(cases):
    """What is odd about one image must not change what its neighbours show."""
    found = [
        Image(REPO, f"{number}", DIGEST, content=read)
        for number, case in enumerate(cases)
        for read in targets.contents(case)
    ]
    for name in ("layers", "history", "labels", "env"):
        make = getattr(shape, name)
        alone = [make([]), *(make([image]) for image in found)]
        pd.testing.assert_frame_equal(make(found), pd.concat(alone, ignore_index=True))


@given(st.sampled_from(sorted(TABLES)), st.lists(st.sampled_from(VALUES), max_size=5), st.data())
def test_any_values_make_a_frame(name, values, data):
    table = TABLES[name]
    # Such columns are never handed a stranger's value unseen.
    own = {column.name for column in table.columns if not column.nullable}
    columns = [column for column in table.dtypes if column not in own]
    chosen = data.draw(st.sampled_from(columns)) if columns else None
    frame = table.frame({chosen: values} if chosen else {})
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == table.dtypes
    assert len(frame) == (len(values) if chosen else 0)


@given(texts)
def test_any_step_is_a_line_or_none(text):
    for written in (
        text,
        f"/bin/sh -c #(nop) {text}",
        f"RUN |3 {text} /bin/sh -c {text}",
        f"|{text} ",
    ):
        line = dockerfile_line(written, text[:5])
        assert line is None or line.strip()
    for key, value in label_step(f"LABEL {text}").items():
        assert isinstance(key, str)
        assert isinstance(value, str)


@given(st.text("ab= \"'\\", max_size=30), st.text("ab= ", max_size=10))
def test_a_label_that_is_quoted_is_read_whole(value, key):
    quoted = value.replace("\\", "").replace('"', "")
    name = key.replace(" ", "").replace("=", "") or "k"
    assert label_step(f'LABEL {name}="{quoted}"') == {name: quoted}


# What no program should choke on.

DEEP_BODIES = {
    "lists": b"[" * DEEP,
    "whole lists": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"a":' * DEEP,
    "an object of lists": b'{"config": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "digits": b'{"size": 1' + b"0" * DEEP + b"}",
    "not UTF-8": b'{"a": "\xff"}',
    "half of UTF-16": b'\xff\xfe{\x00"',
    "nothing": b"",
    "NUL": b"\0",
    "two": b"{}{}",
    "a mark": "\ufeff".encode() + b"[]",
}


@pytest.mark.parametrize("name", DEEP_BODIES)
def test_what_is_no_object_is_refused_in_one_way(name):
    body = DEEP_BODIES[name]
    with pytest.raises(PayloadError) as caught:
        parse(body, "the manifest org/app:1")
    targets.is_fit(str(caught.value))
    response = requests.Response()
    response._content, response.url = body, "https://registry.example/v2/"
    try:
        json_of(response, "the tags of org/app")
    except PayloadError as error:
        targets.is_fit(str(error))


@pytest.mark.parametrize(
    "body", [b"{}", b'{"tags": []}', b'{"errors": [{"code": "DENIED"}]}', b'{"message": "hello"}']
)
@pytest.mark.parametrize("sent_as", ["", "application/json", OCI_MANIFEST])
def test_json_that_is_no_manifest_is_no_image(body, sent_as):
    with pytest.raises(PayloadError, match="is no manifest"):
        content(parse(body, "a manifest"), {}, sent_as)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [1, 100, 900, 5000])
def test_nesting_that_was_read_is_shown_or_left_out(depth):
    """The stack is deeper where values are written than where they were read."""
    config = {
        "config": {"Cmd": nested(depth), "Labels": {"a": nested(depth)}, "Env": nested(depth)}
    }
    image = ManifestContent({"layers": nested(depth)}, config)
    found = [Image(REPO, "tag", DIGEST, content=image)]
    for name in ("configs", "labels", "env", "layers", "history", "images"):
        targets.is_declared(getattr(shape, name)(found), name)


@pytest.mark.parametrize(
    "number",
    ["1e999", "-1e999", "NaN", "Infinity", "-Infinity", "1" + "0" * 400, "-1", "1.5", "true"],
)
def test_absurd_numbers_are_no_counts(number):
    tag = parse(
        f'{{"name": "a", "full_size": {number}, "images": [{{"size": {number}}}]}}'.encode(),
        "a tag",
    )
    frame = shape.tags([(REPO, [tag])])
    targets.is_declared(frame, "tags")
    assert frame["size"].isna().all()
    manifest = parse(
        f'{{"layers": [{{"digest": "{DIGEST}", "size": {number}}}]}}'.encode(), "a manifest"
    )
    image = [Image(REPO, "tag", DIGEST, content=ManifestContent(manifest, {}))]
    targets.is_declared(shape.images(image), "images")
    layers = shape.layers(image)
    targets.is_declared(layers, "layers")
    assert layers["size"].isna().all()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [1, float("-inf")], {"a": float("nan")}]
)
def test_what_is_no_json_is_not_written_as_such(value):
    assert as_json(value) is None


@given(st.lists(st.sampled_from([*VALUES, {"b": 1}]), max_size=3))
def test_what_is_written_is_json(value):
    written = as_json(value)
    if written is not None:
        assert json.loads(written, parse_constant=pytest.fail) == value


# Much of it.


class Answers:
    """A session that has one answer."""

    def __init__(self, body):
        self.response = requests.Response()
        self.response._content = body
        self.response.status_code = 200
        self.response.url = "https://registry.example/v2/org/app/tags/list?n=1000"

    def get(self, *_, **__):
        return self.response


def test_a_million_tags_in_one_answer():
    names = [f"v{number}" for number in range(1_000_000)]
    body = json.dumps({"name": REPO, "tags": [*names, *names[:1000], None, "no tag", "x" * 129]})
    registry = Registry(
        Answers(body.encode()), None, "registry.example", "https://registry.example"
    )
    start = time.process_time()
    assert registry.tags(REPO) == names
    assert time.process_time() - start < 30


def test_many_tags_of_the_hub_make_a_frame():
    tags = [{"name": f"v{number}", "digest": f"{DIGEST}{number}"} for number in range(50_000)]
    start = time.process_time()
    frame = shape.tags([(REPO, tags)])
    assert time.process_time() - start < 30
    assert len(frame) == 50_000
    assert frame.aliases.isna().all()


def test_many_tags_of_one_digest_do_not_fill_the_memory():
    tags = [{"name": f"v{number}", "digest": DIGEST} for number in range(20_000)]
    start = time.process_time()
    frame = shape.tags([(REPO, tags)])
    assert time.process_time() - start < 30
    assert frame.aliases.notna().all()
    assert frame.aliases.str.len().sum() < 300_000_000


@pytest.mark.parametrize("count", [50_000])
def test_many_layers_and_labels_make_frames(count):
    layers = [{"digest": DIGEST, "size": 1}] * count
    history = [{"created_by": f"RUN {number}"} for number in range(count)]
    config = {"history": history, "config": {"Labels": {f"k{n}": "v" for n in range(count)}}}
    found = [Image(REPO, "tag", DIGEST, content=ManifestContent({"layers": layers}, config))]
    start = time.process_time()
    assert (
        len(shape.layers(found)) == len(shape.labels(found)) == len(shape.history(found)) == count
    )
    assert time.process_time() - start < 30
    assert isinstance(shape.images(found)["size"].iloc[0], (int, pd.Int64Dtype().type))
