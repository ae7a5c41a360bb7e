"""What the properties are tried on: hostile text, and real documents with places spoilt."""

import json
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.seeds import form, sample_cases

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
# Text that does something where it is shown, joined or split.
SNIPPETS = (
    *(
        "\x00",
        "\x07",
        "\x1b[31m",
        "\x1b]0;title\x07",
        "\x7f",
        "\x85",
        "\x9b31m",
        "\r",
        "\n",
        "\r\n",
    ),
    *(
        "\t",
        "\ud800",
        "\udfff",
        "\u200b",
        "\u202e",
        "\u2066",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\u061c",
    ),
    *(
        "=",
        "+",
        "-",
        "@",
        "'",
        "''=",
        '"',
        '""',
        ",",
        ";",
        "|",
        "`",
        "<script>",
        "&amp;",
        "\\",
        "/",
    ),
    *(
        "..",
        ":",
        "?",
        "#",
        "%00",
        "NA",
        "nan",
        "null",
        "None",
        "3.10",
        "1e5",
        "true",
        " ",
        "\u00a0",
    ),
)

texts = st.lists(
    st.sampled_from(SNIPPETS) | st.text(max_size=20) | st.text("aA0./:@-_", max_size=20), max_size=8
).map("".join)
# The same without halves of surrogate pairs: what frames hold.
clean_texts = texts.map(lambda text: text.encode("utf-8", "replace").decode())


@cache
def cases():
    """Real payloads, under how they are read: the sample's, and the corpus' where it is."""
    found = [*sample_cases(), *(_corpus_cases() if CORPUS.is_dir() else ())]
    return list({repr(form(case)): case for case in found}.values())


def _corpus_cases():
    for path in sorted((CORPUS / "manifests").rglob("*.json")):
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict):
            continue
        is_config = "config" in path.parent.name
        yield {
            "manifest": {"layers": []} if is_config else document,
            "config": document if is_config else {},
            "descriptor": (document.get("layers") or [{}])[0],
        }
    for path in sorted((CORPUS / "hub").glob("*.json")):
        answer = json.loads(path.read_bytes())
        if isinstance(answer, dict):
            answer = answer.get("data", answer)
        entries = answer.get("results", [answer]) if isinstance(answer, dict) else answer
        for entry in entries:
            yield {"repo": entry, "tag": entry, "image": entry}


@st.composite
def spoilt(draw):
    """A real payload with one to six places spoilt."""
    case = draw(st.sampled_from(cases()))
    chance = draw(st.randoms(use_true_random=False))
    return mutated(case, chance, draw(st.integers(1, 6)))
